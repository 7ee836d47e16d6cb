#include "http/listener.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "support/raw_socket.h"

namespace muster::http {
namespace {

using test::RawSocket;

// Its thread can be kept from its work: by a connection that says something, when it is handed over for the
// second time. A look at all that has happened lies between the two, so that nothing older waits then.
class HeldUp {
 public:
  explicit HeldUp(std::size_t max_connections) {
    Listener::Options options;
    options.address = "127.0.0.1";
    options.max_connections = max_connections;
    listener_ = *Listener::open(std::move(options), [this](ConnectionPtr connection) {
      if (++handed_over_ == 2) {
        (void)connection->fill();
        held_up_ = true;
        held_up_.notify_all();
        go_on_.wait(false);
      }
      listener_->park(std::move(connection), Io::kWantRead, SteadyTime::max());
    });
    listener_->start();
  }
  ~HeldUp() { go_on(); }
  HeldUp(const HeldUp&) = delete;
  HeldUp& operator=(const HeldUp&) = delete;

  [[nodiscard]] RawSocket connect() const { return RawSocket(listener_->port()); }
  void wait_until_held_up() const { held_up_.wait(false); }
  void go_on() {
    go_on_ = true;
    go_on_.notify_all();
  }

 private:
  int handed_over_ = 0;
  std::atomic<bool> held_up_ = false;
  std::atomic<bool> go_on_ = false;
  std::unique_ptr<Listener> listener_;
};

std::vector<RawSocket> connect(const HeldUp& listener, int count) {
  std::vector<RawSocket> sockets;
  for (int i = 0; i < count; ++i) sockets.push_back(listener.connect());
  return sockets;
}

TEST_CASE("listener: connections that their peers have left make room before idle ones do") {
  constexpr int kEach = 20;
  HeldUp listener(2 * kEach + 1);
  auto idle = connect(listener, kEach);
  auto leaving = connect(listener, kEach);
  RawSocket talker = listener.connect();
  REQUIRE(talker.send("x"));
  listener.wait_until_held_up();
  leaving.clear();
  auto late = connect(listener, kEach);
  listener.go_on();
  for (auto* sockets : {&late, &idle}) {
    for (RawSocket& socket : *sockets) {
      socket.receive_all(std::chrono::milliseconds(20));
      CHECK_FALSE(socket.closed_by_peer());
    }
  }
}

TEST_CASE("listener: hundreds of connections that their peers have left end without a pause between") {
  HeldUp listener(1000);
  auto leaving = connect(listener, 400);
  RawSocket talker = listener.connect();
  REQUIRE(talker.send("x"));
  listener.wait_until_held_up();
  for (RawSocket& socket : leaving) socket.end_sending();
  listener.go_on();
  // Sixteen at each look for the overdue, every half second, would take 12 s.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(6);
  for (RawSocket& socket : leaving) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    socket.receive_all(left);
    REQUIRE(socket.closed_by_peer());
  }
}

}  // namespace
}  // namespace muster::http
