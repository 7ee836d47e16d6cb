#include "binder/binder.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "binder/carry_out.h"

namespace muster::binder {
namespace {

using namespace group;

// Bindings finish a group, nominations and releases start one, the rest can wait.
std::size_t priority_of(const Command& command) {
  if (std::holds_alternative<Bind>(command)) return 0;
  if (std::holds_alternative<Nominate>(command) || std::holds_alternative<Release>(command)) return 1;
  return 2;
}

std::optional<TimePoint> deadline_of(const Command& command) {
  if (const auto* c = std::get_if<Bind>(&command)) return c->deadline;
  if (const auto* c = std::get_if<Nominate>(&command)) return c->deadline;
  if (const auto* c = std::get_if<Release>(&command)) return c->deadline;
  return std::nullopt;
}

const PodId& pod_of(const Command& command) {
  return std::visit(
      [](const auto& c) -> const PodId& {
        if constexpr (requires { c.pod; }) {
          return c.pod;
        } else {
          static const PodId none;
          return none;
        }
      },
      command);
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
}

void Binder::submit(Command command) { enqueue({std::move(command), 0}); }

void Binder::enqueue(Task task) {
  {
    const std::lock_guard lock(mutex_);
    due_[priority_of(task.command)].push_back(std::move(task));
  }
  wake_.notify_one();
}

std::size_t Binder::backlog() const {
  const std::lock_guard lock(mutex_);
  std::size_t waiting = later_.size() + under_way_;
  for (const auto& queue : due_) waiting += queue.size();
  return waiting;
}

bool Binder::take(std::unique_lock<std::mutex>& lock, Task& task) {
  while (!stopping_) {
    const TimePoint now = clock_.now();
    while (!later_.empty() && later_.begin()->first <= now) {
      Task ripe = std::move(later_.begin()->second);
      later_.erase(later_.begin());
      due_[priority_of(ripe.command)].push_back(std::move(ripe));
    }
    for (auto& queue : due_) {
      if (queue.empty()) continue;
      task = std::move(queue.front());
      queue.pop_front();
      return true;
    }
    if (later_.empty()) {
      wake_.wait(lock);
    } else {
      wake_.wait_for(lock, later_.begin()->first - now);
    }
  }
  return false;
}

void Binder::work() {
  std::unique_lock lock(mutex_);
  Task task;
  while (take(lock, task)) {
    ++under_way_;
    lock.unlock();
    run(std::move(task));
    lock.lock();
    --under_way_;
  }
}

void Binder::run(Task task) {
  Result<void> result = carry_out(task.command, api_);
  ++task.attempts;
  const std::optional<TimePoint> deadline = deadline_of(task.command);
  if (!result && reaction_of(result.error().code) == Reaction::kRetry) {
    const std::lock_guard lock(mutex_);
    const Duration pause =
        result.error().retry_after.value_or(options_.backoff.pause(task.attempts, random_));
    const TimePoint next = clock_.now() + pause;
    const bool again = deadline ? next < *deadline : task.attempts < options_.attempts_without_deadline;
    if (again && !stopping_) {
      later_.emplace(next, std::move(task));
      wake_.notify_one();
      return;
    }
  }
  if (deadline) return report_({std::move(task.command), std::move(result)});
  if (!result && result.error().code != ErrorCode::kNotFound) {
    const PodId& pod = pod_of(task.command);
    log_warning("pod {}/{}: {}", pod.ns, pod.name, result.error().message);
  }
}

}  // namespace muster::binder
