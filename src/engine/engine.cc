#include "engine/engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "books/annotations.h"
#include "engine/audit.h"

namespace muster::engine {
namespace {

std::string_view name_of(const group::Command& command) {
  constexpr std::string_view kNames[] = {"nominate", "withdraw", "release", "bind",     "answer",
                                         "tell",     "mark",     "evict",   "set_ready"};
  static_assert(std::variant_size_v<group::Command> == std::size(kNames));
  return kNames[command.index()];
}

}  // namespace

Engine::Engine(EngineOptions options, kube::Writer& api, const Clock& clock, Random random,
               std::function<std::string()> new_plan_id)
    : options_(std::move(options)),
      clock_(clock),
      coordinator_(options_.coordinator, std::move(new_plan_id), answers_),
      binder_(options_.binder, api, clock, std::move(random),
              [this](binder::Report r) { report(std::move(r)); }) {}

Engine::~Engine() { stop(); }

void Engine::start() {
  thread_ = std::thread([this] { run(); });
}

void Engine::lead() {
  post([this](TimePoint) { coordinator_.lead(); });
}

bool Engine::drain(Duration limit) {
  {
    const std::lock_guard lock(calls_mutex_);
    refusing_calls_ = true;
  }
  if (stopped()) return true;  // nobody would take the turns
  // Calls that came before may open one more barrier: two turns show all of them.
  const TimePoint end = clock_.now() + limit;
  for (int turns = 0; turns < 2; ++turns) {
    auto turned = std::make_shared<std::promise<void>>();
    post([turned](TimePoint) { turned->set_value(); });
    if (turned->get_future().wait_for(end - clock_.now()) != std::future_status::ready) return false;
  }
  while (open_barriers_ > 0 || binder_.backlog() > 0) {
    if (clock_.now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

bool Engine::stopped() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Engine::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  room_.notify_all();
  if (thread_.joinable()) thread_.join();
  refuse_calls();
  binder_.stop();
}

// Nobody is left to answer them, and the binder may take as long as its slowest write.
void Engine::refuse_calls() {
  const std::lock_guard lock(calls_mutex_);
  refusing_calls_ = true;
  for (auto& [number, promise] : calls_)
    promise.set_value(fail(ErrorCode::kUnavailable, "muster: shutting down"));
  calls_.clear();
}

// --- the queue --------------------------------------------------------------------------------------------

void Engine::post(Event event) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(event));
    metrics_.set_engine_queue(static_cast<double>(queue_.size()));
  }
  wake_.notify_one();
}

void Engine::wait_for_room() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return stopping_ || queue_.size() < options_.queue_limit; });
}

std::deque<Engine::Event> Engine::next_events() {
  const std::optional<TimePoint> due = coordinator_.next_timer();
  std::unique_lock lock(mutex_);
  const auto has_work = [&] { return stopping_ || !queue_.empty(); };
  if (due) {
    wake_.wait_for(lock, std::max(Duration(0), *due - clock_.now()), has_work);
  } else {
    wake_.wait(lock, has_work);
  }
  std::deque<Event> events = std::exchange(queue_, {});
  metrics_.set_engine_queue(0);
  room_.notify_all();
  return events;
}

void Engine::run() {
  while (true) {
    std::deque<Event> events = next_events();
    if (stopped()) return;
    for (Event& event : events) event(clock_.now());
    turn();
  }
}

void Engine::turn() {
  const auto before = std::chrono::steady_clock::now();
  coordinator_.advance(clock_.now());
  metrics_.observe_advance(std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count());
  // Answers are published by now: whoever is released, or nominated without a gate, finds its node.
  for (group::Command& command : coordinator_.take_commands()) carry(std::move(command));
  synced_ = coordinator_.synced();
  ready_ = coordinator_.started();
  show_counts();
}

void Engine::carry(group::Command command) {
  if (auto* reply = std::get_if<group::AnswerBind>(&command))
    return answer(reply->call, std::move(reply->result));
  if (const auto* words = std::get_if<group::Tell>(&command)) {
    log_info("pod {}/{}: {}: {}", words->pod.ns, words->pod.name, to_string(words->reason), words->message);
    if (words->warning) audit_of(*words).write();
  }
  binder_.submit(std::move(command));
}

void Engine::report(binder::Report report) {
  metrics_.count_write(name_of(report.command), report.result ? "ok" : to_string(report.result.error().code));
  if (const auto line = audit_of(report.command, report.result)) line->write();
  post(
      [this, done = std::move(report)](TimePoint now) { coordinator_.done(done.command, done.result, now); });
}

void Engine::show_counts() {
  const Counts counts = coordinator_.counts();
  const auto binding = counts.groups.find(group::State::kBinding);
  open_barriers_ = binding == counts.groups.end() ? 0 : static_cast<std::size_t>(binding->second);
  for (const group::State state : group::kStates) {
    const auto found = counts.groups.find(state);
    metrics_.set_groups(to_string(state),
                        found == counts.groups.end() ? 0 : static_cast<double>(found->second));
  }
  metrics_.set_nodes(static_cast<double>(counts.nodes));
  metrics_.set_reservations(static_cast<double>(counts.reservations));
  metrics_.set_ready(ready_);
  metrics_.count_plans(static_cast<double>(counts.plans - std::exchange(plans_shown_, counts.plans)));
  metrics_.count_solver_steps(static_cast<double>(counts.steps - std::exchange(steps_shown_, counts.steps)));
}

// --- events -----------------------------------------------------------------------------------------------

void Engine::nodes_changed(kube::DeltaBatch<kube::Node> batch) {
  wait_for_room();
  post([this, changes = std::move(batch)](TimePoint now) mutable {
    coordinator_.nodes_changed(std::move(changes), now);
  });
}

void Engine::pods_changed(kube::DeltaBatch<kube::Pod> batch) {
  wait_for_room();
  post([this, changes = std::move(batch)](TimePoint now) mutable {
    coordinator_.pods_changed(std::move(changes), now);
  });
}

// --- decisions --------------------------------------------------------------------------------------------

bool Engine::could_be_ours(const extender::PodIdentity& pod) const {
  const auto& names = options_.coordinator.scheduler_names;
  return !pod.in_native_group && std::find(names.begin(), names.end(), pod.scheduler_name) != names.end();
}

bool Engine::ours(const extender::PodIdentity& pod) const {
  return !pod.group_name.empty() && could_be_ours(pod);
}

// Wants something of Muster, and does not say for which group.
bool Engine::astray(const extender::PodIdentity& pod) const {
  return pod.group_name.empty() && !pod.muster_key.empty() && could_be_ours(pod);
}

extender::FilterDecision Engine::filter(const extender::PodIdentity& pod) {
  // A group's name that is empty looks like none in the call; the watch has seen that it is one, and wrong.
  if (!ours(pod) && !answers_.knows(pod.uid)) {
    if (astray(pod)) {
      metrics_.count_filter("held");
      return extender::Held{"muster: " + books::without_group(pod.muster_key)};
    }
    metrics_.count_filter("foreign");
    return extender::Foreign{answers_.promises()};
  }
  extender::FilterDecision decision = answers_.member(pod.uid, pod.plan);
  metrics_.count_filter(std::holds_alternative<extender::Planned>(decision) ? "planned" : "held");
  return decision;
}

void Engine::node_refused(const extender::PodIdentity& pod, const std::string& node) {
  metrics_.count_refused_node();
  post([this, uid = pod.uid, node](TimePoint now) { coordinator_.node_refused(uid, node, now); });
}

bool Engine::may_preempt(const extender::PodIdentity& preemptor,
                         const std::vector<std::string>& victim_uids) {
  return !ours(preemptor) && answers_.expendable(victim_uids, preemptor.priority);
}

Result<void> Engine::bind(const extender::BindCall& call) {
  const extender::FilterDecision decision = answers_.member(call.uid);
  const auto* planned = std::get_if<extender::Planned>(&decision);
  const Result<void> given = wait_for_binding(call);
  if (!given) audit_of(call, planned ? planned->plan : "", given.error()).write();
  return given;
}

Result<void> Engine::wait_for_binding(const extender::BindCall& call) {
  std::future<Result<void>> result;
  uint64_t number = 0;
  {
    const std::lock_guard lock(calls_mutex_);
    if (refusing_calls_) return fail(ErrorCode::kUnavailable, "muster: shutting down");
    number = ++last_call_;
    result = calls_[number].get_future();
    metrics_.set_bind_calls(static_cast<double>(calls_.size()));
  }
  post([this, call, number](TimePoint now) { coordinator_.bind_called(call, number, now); });
  if (result.wait_for(options_.coordinator.bind_timeout) == std::future_status::timeout) {
    answer(number,
           fail(ErrorCode::kUnavailable, "muster: the group was not complete within the bind timeout"));
    post([this, uid = call.uid, number](TimePoint) { coordinator_.bind_abandoned(uid, number); });
  }
  return result.get();
}

void Engine::answer(uint64_t call, Result<void> result) {
  const std::lock_guard lock(calls_mutex_);
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;  // it has timed out
  found->second.set_value(std::move(result));
  calls_.erase(found);
  metrics_.set_bind_calls(static_cast<double>(calls_.size()));
}

}  // namespace muster::engine
