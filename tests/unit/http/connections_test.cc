// What a connection is allowed, and how the server keeps its own side of it.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
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
using std::chrono::steady_clock;
using test::RawSocket;

const std::string kHello = "GET /hello HTTP/1.1\r\n\r\n";

struct Greeter {
  explicit Greeter(ServerOptions options = {}, std::size_t more = 0) : server(std::move(options)) {
    const auto greet = [more](const Request&) {
      Response response;
      response.body = "hello" + std::string(more, ' ');
      return response;
    };
    server.route("GET", "/hello", greet);
    server.route("POST", "/hello", greet);
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

std::ptrdiff_t descriptors_of_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

// The server's sockets, found by their own port: the one that listens, or its ends of connections.
std::vector<int> sockets_of(uint16_t port, bool listening) {
  std::vector<int> out;
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in own = {};
    socklen_t size = sizeof own;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0) continue;
    if (own.sin_family != AF_INET || ntohs(own.sin_port) != port) continue;
    if ((option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 0) == listening) out.push_back(fd);
  }
  return out;
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

TEST_CASE("http server: 4096 callers may wait to be accepted, or as many as the system allows") {
  Greeter greeter;
  const std::vector<int> listening = sockets_of(greeter.port, true);
  REQUIRE(listening.size() == 1);
  tcp_info info = {};
  socklen_t size = sizeof info;
  REQUIRE(::getsockopt(listening[0], IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
  uint32_t allowed = 0;
  REQUIRE(std::ifstream("/proc/sys/net/core/somaxconn") >> allowed);
  CHECK(info.tcpi_sacked == std::min(4096u, allowed));  // of a socket that listens: the backlog
}

TEST_CASE("http server: its ends of connections send at once and notice a dead peer") {
  Greeter greeter;
  RawSocket caller(greeter.port);
  caller.send(kHello);
  REQUIRE_THAT(caller.receive_until("hello"), StartsWith("HTTP/1.1 200"));
  const std::vector<int> ends = sockets_of(greeter.port, false);
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

TEST_CASE("http server: an idle connection that its peer closes or resets costs no thread") {
  Greeter greeter;
  const int threads = threads_of_process();
  const std::ptrdiff_t descriptors = descriptors_of_process();
  for (const bool reset : {false, true}) {
    std::vector<RawSocket> callers;
    for (int i = 0; i < 20; ++i) callers.emplace_back(greeter.port);
    REQUIRE(test::soon([&] { return descriptors_of_process() == descriptors + 40; }));
    const linger at_once = {1, 0};
    for (const RawSocket& caller : callers) {
      if (reset) ::setsockopt(caller.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    callers.clear();
    REQUIRE(test::soon([&] { return descriptors_of_process() == descriptors; }));
    CHECK(threads_of_process() <= threads);  // one that had looked at them would live for ten seconds
  }
}

TEST_CASE("http server: connections that stay idle are closed after their time, before and after a call") {
  ServerOptions options;
  options.keep_alive = 1s;
  options.io_timeout = 60s;
  Greeter greeter(options);
  const auto begin = steady_clock::now();
  RawSocket silent(greeter.port);
  RawSocket served(greeter.port);
  served.send(kHello);
  REQUIRE_THAT(served.receive_until("hello"), StartsWith("HTTP/1.1 200"));
  silent.receive_all();
  CHECK(silent.closed_by_peer());
  CHECK(steady_clock::now() - begin >= 1s);
  served.receive_all();
  CHECK(served.closed_by_peer());
}

TEST_CASE("http server: a head has its time to be complete, a body three times as much") {
  ServerOptions options;
  options.io_timeout = 1s;
  Greeter greeter(options);
  const auto begin = steady_clock::now();
  RawSocket head(greeter.port);
  head.send("GET /hello HTTP/1.1\r\nX: ");
  RawSocket body(greeter.port);
  body.send("POST /hello HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
  const auto trickle_until_given_up = [&](RawSocket& socket) {
    while (socket.receive_until("}", 10ms).empty() && !socket.closed_by_peer()) {
      head.send("x");
      body.send("x");
    }
    return steady_clock::now() - begin;
  };
  const auto head_took = trickle_until_given_up(head);
  CHECK(head_took >= 1s);
  CHECK(head_took < 3s);
  const auto body_took = trickle_until_given_up(body);
  CHECK_THAT(body.receive_until("}"), StartsWith("HTTP/1.1 400"));
  CHECK(body_took >= 3s);
  CHECK(body_took < 9s);
}

TEST_CASE("http server: who takes nothing of its reply is given up after its time") {
  ServerOptions options;
  options.io_timeout = 1s;
  Greeter greeter(options, 16u << 20);  // more than sockets hold
  const std::ptrdiff_t descriptors = descriptors_of_process();
  RawSocket caller(greeter.port);
  const auto begin = steady_clock::now();
  caller.send(kHello);
  pollfd reply = {caller.fd(), POLLIN, 0};
  REQUIRE(::poll(&reply, 1, 20'000) == 1);
  const auto replied = steady_clock::now();
  CHECK(test::soon([&] { return descriptors_of_process() == descriptors + 1; }));
  CHECK(steady_clock::now() - begin >= 1s);
  CHECK(steady_clock::now() - replied < 2500ms);
}

TEST_CASE("http server: behind a refusal what still comes is thrown away slowly, for 2 s and no longer") {
  Greeter greeter;
  const std::ptrdiff_t descriptors = descriptors_of_process();
  const auto begin = steady_clock::now();
  RawSocket silent(greeter.port);
  RawSocket flood(greeter.port);
  for (RawSocket* caller : {&silent, &flood}) {
    caller->send("POST /nothing HTTP/1.1\r\nContent-Length: 10000000000\r\n\r\n");
    CHECK_THAT(caller->receive_until("}"), StartsWith("HTTP/1.1 404"));
  }
  const std::string piece(64u << 10, 'x');
  int64_t pieces = 0;
  while (flood.send(piece)) ++pieces;
  const auto took = steady_clock::now() - begin;
  CHECK(took >= 2s);
  CHECK(pieces < took / 1ms + 1024);  // 64 KB in a millisecond, and what the sockets hold
  CHECK(test::soon([&] { return descriptors_of_process() == descriptors + 2; }));
  CHECK(steady_clock::now() - begin < 6s);
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
