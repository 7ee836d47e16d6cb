#include "http/workers.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <thread>

namespace muster::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST_CASE("workers: a thread is added only when none is idle, up to the cap") {
  Workers workers({.max_threads = 3, .idle_life = 10s});
  std::atomic<int> done = 0;
  workers.run([&] { ++done; });
  REQUIRE(workers.wait_idle(steady_clock::now() + 5s));
  workers.run([&] { ++done; });
  REQUIRE(workers.wait_idle(steady_clock::now() + 5s));
  CHECK(workers.threads() == 1);

  std::latch release(1);
  for (int i = 0; i < 5; ++i) {
    workers.run([&] {
      release.wait();
      ++done;
    });
  }
  CHECK(workers.threads() == 3);
  CHECK(workers.saturated());
  CHECK(!workers.wait_idle(steady_clock::now() + 10ms));
  release.count_down();
  REQUIRE(workers.wait_idle(steady_clock::now() + 5s));
  CHECK(done == 7);
}

TEST_CASE("workers: idle threads end") {
  Workers workers({.max_threads = 8, .idle_life = 20ms});
  std::latch all(4);
  for (int i = 0; i < 4; ++i) workers.run([&] { all.arrive_and_wait(); });
  auto limit = steady_clock::now() + 5s;
  while (workers.threads() > 0 && steady_clock::now() < limit) std::this_thread::sleep_for(5ms);
  CHECK(workers.threads() == 0);
}

TEST_CASE("workers: the end waits for queued jobs too") {
  std::atomic<int> done = 0;
  {
    Workers workers({.max_threads = 2, .idle_life = 10s});
    for (int i = 0; i < 20; ++i) {
      workers.run([&] {
        std::this_thread::sleep_for(1ms);
        ++done;
      });
    }
  }
  CHECK(done == 20);
}

}  // namespace
}  // namespace muster::http
