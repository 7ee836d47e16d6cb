// Carries out the groups' commands on a pool of threads, bindings first, and repeats what failed for a
// passing reason until the command's deadline. Results of Nominate, Release and Bind are reported; Withdraw
// and Tell are tried a few times and then logged.
//
// Thread rule: submit() may be called from any thread; reports arrive on the pool's threads.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "group/commands.h"
#include "kube/api.h"

namespace muster::binder {

struct Report {
  group::Command command;  // Nominate, Release or Bind
  Result<void> result;
};

struct Options {
  unsigned workers = 32;
  Backoff backoff;
  uint32_t attempts_without_deadline = 4;
};

class Binder {
 public:
  // `clock` is the time line of the commands' deadlines.
  Binder(Options options, kube::Writer& api, const Clock& clock, Random random,
         std::function<void(Report)> report);
  ~Binder();  // stops
  Binder(const Binder&) = delete;
  Binder& operator=(const Binder&) = delete;

  void submit(group::Command command);
  // Ends the pool; calls under way are finished, the rest is dropped without a report. Idempotent.
  void stop();
  // Commands that wait or are under way.
  [[nodiscard]] std::size_t backlog() const;

 private:
  struct Task {
    group::Command command;
    uint32_t attempts = 0;
  };
  static constexpr std::size_t kPriorities = 3;

  void work();
  void run(Task task);
  void enqueue(Task task);
  [[nodiscard]] bool take(std::unique_lock<std::mutex>& lock, Task& task);

  const Options options_;
  kube::Writer& api_;
  const Clock& clock_;
  const std::function<void(Report)> report_;

  mutable std::mutex mutex_;  // guards everything below
  Random random_;
  std::condition_variable wake_;
  std::array<std::deque<Task>, kPriorities> due_;
  std::multimap<TimePoint, Task> later_;
  std::size_t under_way_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace muster::binder
