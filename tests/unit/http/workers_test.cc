#include "http/workers.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
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

TEST_CASE("workers: idle threads end, without other orders after 10 s") {
  CHECK(Workers::Options{}.idle_life == 10s);
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

// Counts a thread's end, which takes a while.
struct SlowEnd {
  std::atomic<int>* ended = nullptr;
  ~SlowEnd() {
    std::this_thread::sleep_for(5ms);
    ++*ended;
  }
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStackBytes = 4u << 20;
#else
constexpr std::size_t kStackBytes = 512u << 10;
#endif

TEST_CASE("workers: their stacks are of 512 KB, more with a sanitizer, so that thousands of them fit") {
  Workers workers({.max_threads = 1});
  std::promise<std::size_t> found;
  workers.run([&] {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    std::size_t size = 0;
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    found.set_value(size);
  });
  CHECK(found.get_future().get() == kStackBytes);
}

TEST_CASE("workers: no thread outlives them, those included that ended when they were idle") {
  std::atomic<int> ended = 0;
  std::latch rounds[] = {std::latch(10), std::latch(10)};  // a thread may still look at one that has opened
  {
    Workers workers({.max_threads = 20, .idle_life = 1ms});
    for (std::latch& all : rounds) {
      for (int i = 0; i < 10; ++i) {
        workers.run([&] {
          thread_local SlowEnd end{&ended};
          all.arrive_and_wait();
        });
      }
      all.wait();
    }
  }
  CHECK(ended >= 10);
  CHECK(ended <= 20);
  const int at_the_end = ended;
  std::this_thread::sleep_for(20ms);
  CHECK(ended == at_the_end);
}

}  // namespace
}  // namespace muster::http
