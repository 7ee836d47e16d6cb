// What a connection is allowed, and how the server keeps its own side of it.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "http/request_head.h"
#include "http/server.h"
#include "support/raw_socket.h"
#include "support/soon.h"

namespace muster::http {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using test::RawSocket;

const std::string kHello = "GET /hello HTTP/1.1\r\n\r\n";

struct Greeter {
  explicit Greeter(ServerOptions options = {}) : server(std::move(options)) {
    server.route("GET", "/hello", [](const Request&) {
      Response response;
      response.body = "hello";
      return response;
    });
    port = server.start().value();
  }
  Server server;
  uint16_t port = 0;
};

int threads_of_process() {
  std::ifstream status("/proc/self/status");
  int threads = 0;
  for (std::string word; status >> word;) {
    if (word == "Threads:") status >> threads;
  }
  return threads;
}

// The server's ends of its connections, found by their own port.
std::vector<int> accepted(uint16_t port) {
  std::vector<int> out;
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in own = {};
    sockaddr_in peer = {};
    socklen_t size = sizeof own;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0 || own.sin_family != AF_INET)
      continue;
    size = sizeof peer;
    bool connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
    if (connected && ntohs(own.sin_port) == port) out.push_back(fd);
  }
  return out;
}

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

TEST_CASE("http server: without other orders it keeps the limits and times of the manual") {
  const ServerOptions options;
  CHECK(options.address == "127.0.0.1");
  CHECK(options.max_body_bytes == 16u << 20);
  CHECK(options.max_workers == 4096);
  CHECK(options.reserved_workers == 16);
  CHECK(options.keep_alive == 120s);
  CHECK(options.io_timeout == 10s);
  CHECK(kMaxHeadBytes == 32u << 10);
  CHECK(kMaxHeaders == 100);
  CHECK(kMaxTargetBytes == 8u << 10);
}

TEST_CASE("http server: its ends of connections send at once and notice a dead peer") {
  Greeter greeter;
  RawSocket caller(greeter.port);
  caller.send(kHello);
  REQUIRE_THAT(caller.receive_until("hello"), StartsWith("HTTP/1.1 200"));
  const std::vector<int> ends = accepted(greeter.port);
  REQUIRE(ends.size() == 1);
  CHECK(option(ends[0], IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(option(ends[0], SOL_SOCKET, SO_KEEPALIVE) == 1);
}

TEST_CASE("http server: a head of 32 KB with a hundred headers is taken, a longer one is refused with 431") {
  Greeter greeter;
  const std::string line = "GET /hello HTTP/1.1\r\n";
  const auto head_of = [&](std::size_t size) {
    std::string head = line;
    for (int i = 0; i < 99; ++i) head += "H: v\r\n";
    const std::size_t rest = size - head.size() - std::string("H: \r\n\r\n").size();
    return head + "H: " + std::string(rest, 'x') + "\r\n\r\n";
  };
  RawSocket fits(greeter.port);
  fits.send(head_of(kMaxHeadBytes));
  CHECK_THAT(fits.receive_until("hello"), StartsWith("HTTP/1.1 200"));
  RawSocket longer(greeter.port);
  longer.send(head_of(kMaxHeadBytes + 8));
  CHECK_THAT(longer.receive_until("}"), StartsWith("HTTP/1.1 431"));
}

TEST_CASE("http server: heads that trickle cost no threads") {
  ServerOptions options;
  options.io_timeout = 60s;  // heads last longer than the threads that have looked at their first pieces
  Greeter greeter(options);
  std::vector<RawSocket> slow;
  for (int i = 0; i < 100; ++i) {
    slow.emplace_back(greeter.port);
    slow.back().send("GET /hello HTTP/1.1\r\nX: ");
  }
  RawSocket caller(greeter.port);
  caller.send(kHello);
  CHECK_THAT(caller.receive_until("hello"), StartsWith("HTTP/1.1 200"));
  const auto few_threads = [] { return threads_of_process() < 50; };
  CHECK((test::soon(few_threads) || test::soon(few_threads)));  // an idle one lives for ten seconds
  for (int round = 0; round < 3; ++round) {
    for (auto& socket : slow) REQUIRE(socket.send("x"));
  }
  for (auto& socket : slow) {
    REQUIRE(socket.send("\r\n\r\n"));
    REQUIRE_THAT(socket.receive_until("hello"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_CASE("http server: connections that stay idle are closed after their time, before and after a call") {
  ServerOptions options;
  options.keep_alive = 1s;
  Greeter greeter(options);
  RawSocket silent(greeter.port);
  RawSocket served(greeter.port);
  served.send(kHello);
  REQUIRE_THAT(served.receive_until("hello"), StartsWith("HTTP/1.1 200"));
  silent.receive_all();
  CHECK(silent.closed_by_peer());
  served.receive_all();
  CHECK(served.closed_by_peer());
}

TEST_CASE("http server: behind a refusal what still comes is thrown away for a moment and no longer") {
  Greeter greeter;
  RawSocket caller(greeter.port);
  caller.send("POST /nothing HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
  CHECK_THAT(caller.receive_until("}"), StartsWith("HTTP/1.1 404"));
  CHECK(caller.send("x"));
  bool taken = true;
  for (int tenths = 0; tenths < 200 && taken; ++tenths) {
    std::this_thread::sleep_for(100ms);
    taken = caller.send("x");
  }
  CHECK_FALSE(taken);
}

TEST_CASE("http server: beyond its connections the one that has been idle longest makes room") {
  ServerOptions options;
  options.max_workers = 1;  // two connections
  Greeter greeter(options);
  RawSocket first(greeter.port);
  RawSocket second(greeter.port);
  RawSocket third(greeter.port);
  first.receive_all();
  CHECK(first.closed_by_peer());
  for (RawSocket* kept : {&second, &third}) {
    kept->send(kHello);
    CHECK_THAT(kept->receive_until("hello"), StartsWith("HTTP/1.1 200"));
  }
}

}  // namespace
}  // namespace muster::http
