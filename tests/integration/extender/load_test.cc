// What many calls at once must not do to each other.
#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "running_extender.h"
#include "support/raw_socket.h"

namespace muster::extender {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::RawSocket;

// Far above what a busy machine makes of a millisecond, far below a call that waits for another.
constexpr double kStalledMs = 500;

std::string request(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

double median_filter_ms(http::Client& client, const std::string& body) {
  std::vector<double> times;
  for (int i = 0; i < 50; ++i) {
    auto begin = steady_clock::now();
    auto reply = client.call("POST", "/filter", {}, body, "application/json");
    times.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count());
    REQUIRE(reply);
    REQUIRE(reply->status == 200);
  }
  std::nth_element(times.begin(), times.begin() + 25, times.end());
  return times[25];
}

TEST_CASE("extender: 500 waiting binds do not hold up filter, and all end when released") {
  RunningExtender extender;
  std::vector<RawSocket> callers;
  callers.reserve(500);
  for (int i = 0; i < 500; ++i) {
    callers.emplace_back(extender.port);
    REQUIRE(callers.back().send(request("/bind", bind_body(i))));
  }
  REQUIRE(extender.decisions.wait_for_binds(500, 20s));

  auto client = extender.client();
  CHECK(median_filter_ms(*client, filter_body("train", 1000)) < kStalledMs);
  CHECK(median_filter_ms(*client, filter_body("", 1000)) < kStalledMs);
  CHECK(client->call("GET", "/healthz", {}, "", "").value().status == 200);

  extender.decisions.release();
  for (auto& caller : callers) {
    REQUIRE(caller.receive_until("{\"Error\":\"\"}").find("200 OK") != std::string::npos);
  }
}

TEST_CASE("extender: thousands of idle connections cost no threads and hold nobody up") {
  RunningExtender extender;
  std::vector<RawSocket> idle;
  for (int i = 0; i < 2000; ++i) {
    idle.emplace_back(extender.port);
    REQUIRE(idle.back().connected());
  }
  auto client = extender.client();
  CHECK(median_filter_ms(*client, filter_body("", 100)) < kStalledMs);
  std::ifstream status("/proc/self/status");
  std::string word;
  int threads = 0;
  while (status >> word) {
    if (word == "Threads:") status >> threads;
  }
  CHECK(threads < 50);
  auto begin = steady_clock::now();
  extender.server.stop(20s);
  CHECK(steady_clock::now() - begin < 8s);  // idle connections live for 120 s
}

TEST_CASE("extender: a flood beyond the cap of connections pushes out idle ones, not new callers") {
  http::ServerOptions options = with_timeout(30s);
  options.max_workers = 40;  // 80 connections
  RunningExtender extender(options);
  std::vector<RawSocket> idle;
  for (int i = 0; i < 300; ++i) idle.emplace_back(extender.port);
  for (int i = 0; i < 5; ++i) {
    auto reply = extender.client()->call("GET", "/healthz", {}, "", "");
    REQUIRE(reply);
    CHECK(reply->status == 200);
  }
}

TEST_CASE("extender: stop lets waiting binds be answered") {
  RunningExtender extender;
  RawSocket caller(extender.port);
  caller.send(request("/bind", bind_body(1)));
  REQUIRE(extender.decisions.wait_for_binds(1, 5s));
  std::thread releaser([&] {
    std::this_thread::sleep_for(100ms);
    extender.decisions.release();
  });
  auto begin = steady_clock::now();
  extender.server.stop(10s);
  CHECK(steady_clock::now() - begin < 8s);  // idle connections live for 120 s
  releaser.join();
  CHECK(caller.receive_until("{\"Error\":\"\"}").find("200 OK") != std::string::npos);
}

TEST_CASE("extender: stop gives up on a bind that does not end within the drain") {
  RunningExtender extender;
  RawSocket caller(extender.port);
  caller.send(request("/bind", bind_body(1)));
  REQUIRE(extender.decisions.wait_for_binds(1, 5s));
  auto begin = steady_clock::now();
  extender.server.stop(100ms);
  auto took = steady_clock::now() - begin;
  CHECK(took >= 100ms);
  CHECK(took < 8s);
  caller.receive_all();
  CHECK(caller.closed_by_peer());
}

}  // namespace
}  // namespace muster::extender
