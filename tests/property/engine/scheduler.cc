#include "scheduler.h"

#include <utility>

#include "support/kube_objects.h"

namespace muster::sim {

Scheduler::Scheduler(Timeline& time, Api& api, const Faults& faults, MusterProcess& muster)
    : time_(time), api_(api), faults_(faults), muster_(muster) {}

void Scheduler::start() {
  api_.connect(watch_);
  api_.list(watch_);
  watch_soon();
}

void Scheduler::restart() {
  time_.log("scheduler: restarts");
  for (const auto& [number, call] : calls_) give_up(number);
  calls_.clear();
  assumed_.clear();
  tries_.clear();
  pods_.clear();
  nodes_.clear();
  api_.list(watch_);
}

// The server notices sooner or later that nobody waits.
void Scheduler::give_up(uint64_t number) {
  time_.soon(1, 8'000, [this, number, uid = calls_.at(number).uid] { muster_.bind_abandoned(uid, number); });
}

void Scheduler::watch_soon() {
  time_.soon(1, 30, [this] {
    deliver();
    watch_soon();
  });
}

void Scheduler::deliver() {
  while (!watch_.nodes.empty()) {
    const auto delta = std::move(watch_.nodes.front());
    watch_.nodes.pop_front();
    if (const auto* all = std::get_if<kube::Replace<kube::Node>>(&delta)) {
      nodes_.clear();
      for (const kube::Node& node : all->items) nodes_[node.name] = node;
    } else if (const auto* change = std::get_if<kube::Upsert<kube::Node>>(&delta)) {
      nodes_[change->item.name] = change->item;
    } else {
      nodes_.erase(std::get<kube::Remove<kube::Node>>(delta).last.name);
    }
  }
  while (!watch_.pods.empty() && time_.chance(0.8)) {
    const auto delta = std::move(watch_.pods.front());
    watch_.pods.pop_front();
    apply(delta);
  }
}

void Scheduler::apply(const kube::Delta<kube::Pod>& delta) {
  if (const auto* all = std::get_if<kube::Replace<kube::Pod>>(&delta)) {
    pods_.clear();
    for (const kube::Pod& pod : all->items) see(pod);
  } else if (const auto* change = std::get_if<kube::Upsert<kube::Pod>>(&delta)) {
    see(change->item);
  } else {
    forget(std::get<kube::Remove<kube::Pod>>(delta).last.uid);
  }
}

// A change of the pod itself, other than of its status, makes it tried again at once.
void Scheduler::see(const kube::Pod& pod) {
  const auto before = pods_.find(pod.uid);
  const bool changed = before == pods_.end() || before->second.annotations != pod.annotations ||
                       before->second.scheduling_gates != pod.scheduling_gates;
  pods_[pod.uid] = pod;
  if (!pod.node_name.empty()) {
    assumed_.erase(pod.uid);
  } else if (changed && pod.scheduling_gates.empty()) {
    try_soon(pod.uid, 1, 10);
  }
}

void Scheduler::forget(const std::string& uid) {
  pods_.erase(uid);
  assumed_.erase(uid);
  tries_.erase(uid);
}

void Scheduler::try_soon(const std::string& uid, int64_t least, int64_t most) {
  const uint64_t turn = ++sequence_;
  tries_[uid] = turn;
  time_.soon(least, most, [this, uid, turn] {
    const auto due = tries_.find(uid);
    if (due == tries_.end() || due->second != turn) return;
    tries_.erase(due);
    attempt(uid);
  });
}

std::set<std::string> Scheduler::feasible(const kube::Pod& pod) const {
  std::map<std::string, int64_t> used;
  for (const auto& [uid, other] : pods_) {
    if (!other.node_name.empty() && !other.ended()) used[other.node_name] += other.requests.get(test::kGpu);
  }
  for (const auto& [uid, node] : assumed_) {
    if (pods_.at(uid).node_name.empty()) used[node] += pods_.at(uid).requests.get(test::kGpu);
  }
  std::set<std::string> names;
  for (const auto& [name, node] : nodes_) {
    if (node.unschedulable || !node.ready) continue;
    if (used[name] + pod.requests.get(test::kGpu) <= node.allocatable.get(test::kGpu)) names.insert(name);
  }
  return names;
}

void Scheduler::attempt(const std::string& uid) {
  const auto found = pods_.find(uid);
  if (found == pods_.end() || assumed_.contains(uid)) return;
  const kube::Pod& pod = found->second;
  if (!pod.node_name.empty() || pod.terminating || pod.ended() || !pod.scheduling_gates.empty()) return;
  if (!muster_.up()) return try_soon(uid, 500, 1'500);

  std::set<std::string> names = feasible(pod);
  if (names.empty()) return unschedulable(pod, "0/9 nodes are available: Insufficient nvidia.com/gpu");
  const auto decision = muster_.filter(pod);
  if (const auto* held = std::get_if<extender::Held>(&decision)) return unschedulable(pod, held->reason);
  if (const auto* planned = std::get_if<extender::Planned>(&decision)) {
    // Without a nomination it looks at a part of the nodes.
    if (time_.chance(planned->known ? faults_.refuses_node : 0.3)) names.erase(planned->node);
    // The nominated node alone is tried first; another than the planned one is answered by a refusal.
    const bool stale = !pod.nominated_node.empty() && pod.nominated_node != planned->node &&
                       names.contains(pod.nominated_node);
    if (names.contains(planned->node) && !stale) return bind(pod, planned->node);
    time_.log("scheduler: {} is not offered {}", uid, planned->node);
    if (planned->known) muster_.node_refused(uid, planned->node);
    return unschedulable(pod, "muster: kube-scheduler does not offer " + planned->node);
  }
  const auto& promises = *std::get<extender::Foreign>(decision).promises;
  for (const std::string& name : names) {
    const auto rest = promises.find(name);
    if (rest == promises.end() || pod.requests.get(test::kGpu) <= rest->second.get(test::kGpu))
      return bind(pod, name);
  }
  unschedulable(pod, "0/9 nodes are available: promised to a group");
}

// The reason goes onto the pod; any event in the cluster makes it tried again.
void Scheduler::unschedulable(const kube::Pod& pod, const std::string& message) {
  const std::string uid = pod.uid;
  if (const kube::Pod* now = api_.find(pod.name, pod.uid); now && now->unschedulable_message != message) {
    kube::Pod changed = *now;
    changed.unschedulable_message = message;
    if (!faults_.api_down) api_.put_pod(std::move(changed));
  }
  try_soon(uid, 1'000, 3'000);
}

void Scheduler::bind(const kube::Pod& pod, const std::string& node) {
  const uint64_t number = ++sequence_;
  time_.log("scheduler: asks to bind {} to {} (call {})", pod.uid, node, number);
  assumed_[pod.uid] = node;
  calls_[number] = {pod.uid, node};
  const extender::BindCall call{pod.ns, pod.name, pod.uid, node};
  time_.soon(1, 10, [this, call, number] {
    if (!calls_.contains(number)) return;
    if (!muster_.up()) return answered(number, fail(ErrorCode::kUnavailable, "connection refused"));
    muster_.bind_called(call, number);
  });
  const bool drops = time_.chance(faults_.drops_call);
  time_.soon(drops ? 20 : 8'000, drops ? 2'000 : 8'000, [this, number] {
    if (!calls_.contains(number)) return;
    muster_.bind_abandoned(calls_.at(number).uid, number);
    answered(number, fail(ErrorCode::kUnavailable, "timeout"));
  });
}

void Scheduler::answered(uint64_t number, const Result<void>& result) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  const std::string uid = found->second.uid;
  calls_.erase(found);
  if (result) return;
  time_.log("scheduler: call {} for {} failed: {}", number, uid, result.error().message);
  assumed_.erase(uid);
  if (pods_.contains(uid)) try_soon(uid, 200, 1'500);
}

void Scheduler::connection_lost() {
  std::vector<uint64_t> numbers;
  for (const auto& [number, call] : calls_) numbers.push_back(number);
  for (const uint64_t number : numbers) answered(number, fail(ErrorCode::kUnavailable, "connection lost"));
}

}  // namespace muster::sim
