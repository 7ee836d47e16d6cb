#include "binder/binder.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/log.h"
#include "binder/carry_out.h"

namespace muster::binder {
namespace {

using namespace group;

constexpr const char* kStopped = "the binder was stopped";

std::optional<TimePoint> deadline_of(const Command& command) {
  return std::visit(
      [](const auto& c) -> std::optional<TimePoint> {
        if constexpr (requires { c.deadline; }) return c.deadline;
        return std::nullopt;
      },
      command);
}

// Null for what is about no pod.
const PodId* pod_of(const Command& command) {
  return std::visit(
      [](const auto& c) -> const PodId* {
        if constexpr (requires { c.pod; }) return &c.pod;
        return nullptr;
      },
      command);
}

// Events on a pod may overtake each other; what is written on the pod may not.
bool is_ordered(const Command& command) {
  return pod_of(command) != nullptr && !std::holds_alternative<Tell>(command);
}

template <typename... Kinds>
bool is_one_of(const Command& command) {
  return (std::holds_alternative<Kinds>(command) || ...);
}

// The smallest goes first. With nominations before releases, groups that come at once would all be begun
// before one of them is finished.
std::size_t priority_of(const Command& command) {
  if (is_one_of<Bind>(command)) return 0;
  if (is_one_of<Nominate>(command)) return 2;
  return is_one_of<Withdraw, Tell>(command) ? 3 : 1;
}

bool makes_needless(const Command& later, const Command& earlier) {
  if (is_one_of<SetReady>(later)) return is_one_of<SetReady>(earlier);
  if (is_one_of<Release, Mark>(later)) return false;
  if (is_one_of<Evict>(later) && is_one_of<Evict>(earlier)) return true;
  return is_one_of<Nominate, Withdraw, Release>(earlier);
}

// Readiness does not wait for what else is written on the pod, such as an eviction that a budget refuses.
std::string lane_of(const Command& command) {
  return pod_of(command)->uid + (is_one_of<SetReady>(command) ? " ready" : "");
}

}  // namespace

Binder::Binder(Options options, kube::Writer& api, const Clock& clock, Random random,
               std::function<void(Report)> report)
    : options_(options), api_(api), clock_(clock), report_(std::move(report)), random_(std::move(random)) {
  threads_.reserve(options_.workers);
  for (unsigned i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { work(); });
}

Binder::~Binder() { stop(); }

void Binder::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  Tasks left;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [uid, lane] : lanes_) left.insert(left.end(), lane.begin(), lane.end());
    lanes_.clear();
    for (auto& queue : due_) queue.clear();
    later_.clear();
    backlog_ = 0;
  }
  cancel(left, kStopped);
}

void Binder::submit(Command command) {
  auto task = std::make_shared<Task>(std::move(command));
  Tasks cancelled;
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    stopped = stopping_;
    if (stopped) {
      cancelled.push_back(std::move(task));
    } else {
      ++backlog_;
      if (is_ordered(task->command)) {
        auto& lane = lanes_[lane_of(task->command)];
        const TaskRef first = lane.empty() ? nullptr : lane.front();
        cancelled = retire_needless(task->command);
        lane.push_back(std::move(task));
        if (lane.front() != first) make_due(lane.front());
      } else {
        make_due(std::move(task));
      }
    }
  }
  cancel(cancelled, stopped ? kStopped : "a later command for this pod took its place");
}

// Takes what `command` makes needless out of its pod's lane. What is under way stays and is not repeated.
Binder::Tasks Binder::retire_needless(const Command& command) {
  Tasks retired;
  const auto found = lanes_.find(lane_of(command));
  if (found == lanes_.end()) return retired;
  for (const TaskRef& task : found->second) {
    if (!makes_needless(command, task->command)) continue;
    task->needless = true;
    if (!task->under_way) retired.push_back(task);
  }
  std::erase_if(found->second, [](const TaskRef& task) { return task->needless && !task->under_way; });
  backlog_ -= retired.size();
  return retired;
}

void Binder::cancel(const Tasks& tasks, const char* why) {
  for (const TaskRef& task : tasks) {
    if (deadline_of(task->command))
      report_({std::move(task->command), fail(ErrorCode::kCancelled, "{}", why)});
  }
}

std::size_t Binder::backlog() const {
  const std::lock_guard lock(mutex_);
  return backlog_;
}

std::size_t Binder::repeating() const {
  const std::lock_guard lock(mutex_);
  return later_.size();
}

void Binder::make_due(TaskRef task) {
  due_[priority_of(task->command)].push_back(std::move(task));
  wake_.notify_one();
}

void Binder::wake_ripe() {
  const TimePoint now = clock_.now();
  while (!later_.empty() && later_.begin()->first <= now) {
    TaskRef ripe = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    make_due(std::move(ripe));
  }
}

// Null when the pool stops.
Binder::TaskRef Binder::take(std::unique_lock<std::mutex>& lock) {
  while (!stopping_) {
    wake_ripe();
    for (auto& queue : due_) {
      while (!queue.empty()) {
        TaskRef task = std::move(queue.front());
        queue.pop_front();
        if (!task->needless) return task;
      }
    }
    if (later_.empty()) {
      wake_.wait(lock);
    } else {
      wake_.wait_for(lock, later_.begin()->first - clock_.now());
    }
  }
  return nullptr;
}

void Binder::work() {
  std::unique_lock lock(mutex_);
  while (const TaskRef task = take(lock)) {
    task->under_way = true;
    lock.unlock();
    run(task);
    lock.lock();
  }
}

// When to try again; nothing when that is not worth it.
std::optional<TimePoint> Binder::next_attempt(const Task& task, const Error& error) {
  if (reaction_of(error.code) != Reaction::kRetry || task.needless || stopping_) return std::nullopt;
  const Duration pause = options_.backoff.pause(task.attempts, random_);
  const TimePoint next = clock_.now() + std::max(pause, error.retry_after.value_or(pause));
  if (const std::optional<TimePoint> deadline = deadline_of(task.command))
    return next < *deadline ? std::optional(next) : std::nullopt;
  const bool withdraws = std::holds_alternative<Withdraw>(task.command);
  return withdraws || task.attempts < options_.attempts_to_tell ? std::optional(next) : std::nullopt;
}

// The task is done: the next one of its pod may begin.
void Binder::leave_lane(const TaskRef& task) {
  if (!is_ordered(task->command)) return;
  const auto found = lanes_.find(lane_of(task->command));
  found->second.pop_front();
  if (found->second.empty()) {
    lanes_.erase(found);
  } else {
    make_due(found->second.front());
  }
}

void Binder::run(const TaskRef& task) {
  Result<void> result = carry_out(task->command, api_);
  {
    const std::lock_guard lock(mutex_);
    ++task->attempts;
    task->under_way = false;
    const std::optional<TimePoint> next = result ? std::nullopt : next_attempt(*task, result.error());
    if (next) {
      later_.emplace(*next, task);
      wake_.notify_one();
      return;
    }
    leave_lane(task);
  }
  conclude(std::move(task->command), std::move(result));
  const std::lock_guard lock(mutex_);
  --backlog_;
}

void Binder::conclude(Command command, Result<void> result) {
  if (deadline_of(command)) return report_({std::move(command), std::move(result)});
  if (!result && result.error().code != ErrorCode::kNotFound) {
    const PodId* pod = pod_of(command);
    log_warning("pod {}/{}: {}", pod->ns, pod->name, result.error().message);
  }
}

}  // namespace muster::binder
