// Accepts connections and watches those with nothing to do, thousands of them with one thread; a connection
// on which something happens is handed over and comes back by park(). One that its peer has left is closed by
// and by, after whoever has something to say. Beyond the cap such a one makes room for a new connection, else
// the one that has been idle longest, so that nobody is locked out by idle peers.
//
// Thread-safe. Connections must be gone before the Listener is.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "http/connection.h"

namespace muster::http {

using ConnectionPtr = std::shared_ptr<Connection>;

class Listener {
 public:
  struct Options {
    std::string address;
    uint16_t port = 0;
    std::size_t max_connections = 8192;
    std::chrono::milliseconds first_byte_timeout{10'000};
    ServerTlsSource* tls = nullptr;  // outlives the Listener; used by its thread only
  };
  // Called on the Listener's thread; must not block.
  using Ready = std::function<void(ConnectionPtr)>;

  // Binds and listens; kUnavailable when the address cannot be had.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(Options options, Ready ready);
  ~Listener();  // stops

  void start();
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] int fd() const { return listen_fd_.get(); }
  // Readable from stop() on.
  [[nodiscard]] int wake_fd() const { return wake_fd_.get(); }

  // Takes the connection back until data arrives (or can be sent, when that is wanted) or the time is over,
  // then closes it. Closes it at once after stop().
  void park(ConnectionPtr connection, Io want, SteadyTime until);
  // No more connections; the parked ones are closed. Idempotent.
  void stop();
  // Cuts every connection that is still open, whoever has it.
  void cut_all();

 private:
  Listener(Options options, Ready ready) : options_(std::move(options)), ready_(std::move(ready)) {}
  Result<void> bind_and_listen();
  void loop();
  void accept_some();
  void adopt(Fd fd);
  void hand_over(int fd, bool may_be_closed);
  void close_overdue();
  bool make_room();
  bool close_longest_idle();

  Options options_;
  Ready ready_;
  Fd listen_fd_;
  Fd wake_fd_;
  Fd epoll_fd_;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::unordered_map<int, ConnectionPtr> parked_;
  std::unordered_set<Connection*> open_;
  std::vector<ConnectionPtr> gone_;  // their peers have closed them; of the thread alone
  std::thread thread_;
};

}  // namespace muster::http
