// Carries out the groups' commands on a pool of threads and repeats what failed for a passing reason until
// the command's deadline. What finishes a group goes first: bindings, then releases, evictions and the like,
// then nominations, which begin one; withdrawals and words last.
//
// Commands for one pod are carried out one after another, in the order of submit(), so that what stands in
// the API at the end is what was said last. A later command makes waiting ones needless: Nominate, Withdraw,
// Bind and Evict those that nominate, withdraw or release, Evict and SetReady earlier ones of their kind.
// SetReady has an order of its own and waits for no other command.
//
// Each command but Withdraw and Tell is reported exactly once; kCancelled when it was made needless or when
// the pool was stopped before it was done. Withdraw is repeated for as long as the failure may pass: a
// nomination that stays in the API keeps room from everybody. Tell is tried a few times and then logged.
//
// Thread rule: submit() may be called from any thread; reports arrive on the pool's threads, those of
// cancelled commands on the thread that calls submit() or stop(). report() must not call back.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "group/commands.h"
#include "kube/api.h"

namespace muster::binder {

struct Report {
  group::Command command;
  Result<void> result;
};

struct Options {
  unsigned workers = 32;
  Backoff backoff;
  uint32_t attempts_to_tell = 4;
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
  // Ends the pool: calls under way are finished, nothing else is begun or repeated. Idempotent.
  void stop();
  // Commands that wait, are under way, or are being reported.
  [[nodiscard]] std::size_t backlog() const;
  // Those of them that have failed and wait for their next attempt.
  [[nodiscard]] std::size_t repeating() const;

 private:
  struct Task {
    explicit Task(group::Command what) : command(std::move(what)) {}
    group::Command command;
    uint32_t attempts = 0;
    bool under_way = false;
    bool needless = false;  // not to be begun, or not to be repeated
  };
  using TaskRef = std::shared_ptr<Task>;
  using Tasks = std::vector<TaskRef>;
  static constexpr std::size_t kPriorities = 4;

  void work();
  void run(const TaskRef& task);
  void conclude(group::Command command, Result<void> result);
  [[nodiscard]] TaskRef take(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::optional<TimePoint> next_attempt(const Task& task, const Error& error);
  // These hold the mutex.
  void make_due(TaskRef task);
  void wake_ripe();
  [[nodiscard]] Tasks retire_needless(const group::Command& command);
  void leave_lane(const TaskRef& task);
  void cancel(const Tasks& tasks, const char* why);  // this one does not

  const Options options_;
  kube::Writer& api_;
  const Clock& clock_;
  const std::function<void(Report)> report_;

  mutable std::mutex mutex_;  // guards everything below
  Random random_;
  std::condition_variable wake_;
  std::unordered_map<std::string, std::deque<TaskRef>> lanes_;  // by pod; only the first may be begun
  std::array<std::deque<TaskRef>, kPriorities> due_;
  std::multimap<TimePoint, TaskRef> later_;
  std::size_t backlog_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace muster::binder
