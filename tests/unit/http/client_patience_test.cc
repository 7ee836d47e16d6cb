// How long a client waits for a peer that is slow, mute or without end.
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "http/stream_socket.h"
#include "http/url.h"
#include "sockets.h"

namespace muster::http {
namespace {

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::Contains;
using std::chrono::steady_clock;

// Sends the beginning at once and the rest byte by byte, with a pause after each, until the peer goes.
class Trickle {
 public:
  Trickle(std::string beginning, std::string rest) {
    REQUIRE(::listen(listener_.fd.get(), 4) == 0);
    thread_ = std::thread([this, beginning = std::move(beginning), rest = std::move(rest)] {
      Fd peer(::accept(listener_.fd.get(), nullptr, nullptr));
      ::send(peer.get(), beginning.data(), beginning.size(), MSG_NOSIGNAL);
      for (const char byte : rest) {
        if (stopping_ || ::send(peer.get(), &byte, 1, MSG_NOSIGNAL) != 1) break;
        std::this_thread::sleep_for(20ms);
      }
    });
  }
  ~Trickle() {
    stopping_ = true;
    thread_.join();
  }
  [[nodiscard]] std::unique_ptr<Client> client() const {
    ClientOptions options;
    options.base_url = fmt::format("http://127.0.0.1:{}", listener_.port);
    options.read_timeout = 300ms;
    return Client::create(options).value();
  }

 private:
  Bound listener_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// With 20 ms a byte each of them takes more than 8 s.
TEST_CASE("http client: a call has its time for the whole reply, however it trickles") {
  for (const char* beginning : {"HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"}) {
    INFO(beginning);
    Trickle server(beginning, std::string(400, 'x'));
    const auto begin = steady_clock::now();
    const auto reply = server.client()->call("PATCH", "/x", {}, "{}", "application/json");
    REQUIRE(!reply);
    CHECK(reply.error().code == ErrorCode::kUnavailable);
    CHECK(steady_clock::now() - begin < 5s);
  }
}

TEST_CASE("http client: a stream's head has its time, its body only between two reads") {
  const auto goes_on = [](int) { return true; };
  const auto ignored = [](std::string_view) { return true; };
  {
    Trickle server("HTTP/1.1 200 OK\r\nX: ", std::string(400, 'x'));
    const auto begin = steady_clock::now();
    const auto reply = server.client()->stream("/x", {}, goes_on, ignored);
    CHECK(reply.error().code == ErrorCode::kUnavailable);
    CHECK(steady_clock::now() - begin < 5s);
  }
  Trickle server("HTTP/1.1 200 OK\r\n\r\n", std::string(60, 'x'));
  std::size_t bytes = 0;
  const auto reply = server.client()->stream("/x", {}, goes_on, [&](std::string_view piece) {
    bytes += piece.size();
    return bytes < 50;  // after more than a second
  });
  CHECK(reply.error().code == ErrorCode::kCancelled);
  CHECK(bytes == 50);
}

TEST_CASE("http client: an address that swallows everything leaves time for the next") {
  const Swallower dead;
  Bound alive;
  REQUIRE(::listen(alive.fd.get(), 4) == 0);
  ClientOptions options;
  options.connect_timeout = 6s;
  options.base_url = "http://127.0.0.1:1";
  const auto socket = StreamSocket::create(options, parse_base_url(options.base_url).value()).value();
  sockaddr_in first = loopback(dead.port());
  sockaddr_in second = loopback(alive.port);
  addrinfo rest = {0,       AF_INET, SOCK_STREAM, 0, sizeof second, reinterpret_cast<sockaddr*>(&second),
                   nullptr, nullptr};
  const addrinfo both = {0,       AF_INET, SOCK_STREAM, 0, sizeof first, reinterpret_cast<sockaddr*>(&first),
                         nullptr, &rest};
  const auto begin = steady_clock::now();
  CHECK(socket->connect(both));
  const auto lasted = steady_clock::now() - begin;
  CHECK(lasted >= 3s);  // half of the time, since the first says nothing
  CHECK(lasted < 5s);
}

TEST_CASE("http client: a reply longer than 64 MiB is given up") {
  ServerOptions server_options;
  Server server(server_options);
  server.route("GET", "/long", [](const Request&) {
    Response response;
    response.stream = [](const Sink& sink) {
      const std::string piece(1 << 20, 'x');
      while (sink(piece)) {
      }
    };
    return response;
  });
  ClientOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(server.start().value());
  const auto reply = Client::create(options).value()->call("GET", "/long", {}, "", "");
  REQUIRE(!reply);
  CHECK(reply.error().code == ErrorCode::kUnavailable);
  CHECK_THAT(reply.error().message, Contains("longer than 64 MiB"));
}

}  // namespace
}  // namespace muster::http
