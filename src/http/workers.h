// Threads that run jobs which may block: one thread more when none is idle, up to a cap; beyond it jobs wait
// in order. Idle threads end after a while. Stacks are small, so that thousands of blocked calls are cheap.
//
// Thread-safe. The destructor waits for every job, queued ones included, and for the end of every thread.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace muster::http {

class Workers {
 public:
  struct Options {
    std::size_t max_threads = 4096;
    std::chrono::milliseconds idle_life{10'000};
  };

  explicit Workers(Options options) : options_(options) {}
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // The job must not throw.
  void run(std::function<void()> job);

  [[nodiscard]] std::size_t threads() const;
  // Waits until no job runs or is queued; false at the deadline.
  [[nodiscard]] bool wait_idle(std::chrono::steady_clock::time_point deadline);
  // Jobs wait because every thread is taken and no more may be made.
  [[nodiscard]] bool saturated() const;

 private:
  static void* thread_main(void* self);
  void work();
  bool start_thread();

  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable job_ready_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  std::optional<pthread_t> last_ended_;  // each that ends joins the one before it
  bool closing_ = false;
};

}  // namespace muster::http
