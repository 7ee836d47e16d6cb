#include "simulation.h"

#include <algorithm>
#include <utility>

#include "support/kube_objects.h"

namespace muster::sim {
namespace {

constexpr Duration kMischief{40'000};
constexpr Duration kRest{60'000};

}  // namespace

Simulation::Simulation(uint64_t seed, bool logging)
    : time_(seed, logging),
      api_(time_),
      muster_(time_, api_, faults_,
              [this](uint64_t call, const Result<void>& result) {
                time_.soon(1, 5, [this, call, result] { scheduler_.answered(call, result); });
              }),
      scheduler_(time_, api_, faults_, muster_) {}

void Simulation::make_cluster() {
  const int64_t racks = time_.number(1, 2);
  const int64_t hosts = time_.number(1, 3);
  int n = 0;
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t r = 0; r < racks; ++r) {
      for (int64_t h = 0; h < hosts; ++h)
        api_.put_node(test::make_node(fmt::format("n{}", n++), fmt::format("b{}", b), fmt::format("r{}", r)));
    }
  }
}

// --- who makes pods ---------------------------------------------------------------------------------------

void Simulation::create_group() {
  const std::string name = fmt::format("g{}", groups_.size());
  GroupPlan& group = groups_[name];
  group.name = name;
  group.size = static_cast<int>(time_.number(1, 5));
  group.minimum = time_.chance(0.6) ? group.size : static_cast<int>(time_.number(1, group.size));
  group.gpus = int64_t{1} << time_.number(0, 3);
  if (time_.chance(0.4)) group.required = time_.chance(0.5) ? "rack" : "block";
  if (time_.chance(0.3)) group.preferred = "rack";
  group.priority = static_cast<int32_t>(time_.number(0, 2));
  group.gated = time_.chance(0.7);
  group.has_controller = time_.chance(0.8);
  group.mistaken = time_.chance(0.1);
  group.gate = time_.chance(0.3);
  const char* const policies[] = {"", "", "Repair", "Restart", "Restart", "Ignore"};
  group.policy = policies[time_.number(0, 5)];
  time_.log("user: group {}: {} pods of {} gpus, minimum {}, required \"{}\" {}{}", name, group.size,
            group.gpus, group.minimum, group.required, group.policy, group.gated ? "" : ", no gates");
  for (int i = 0; i < group.size; ++i)
    time_.soon(0, 2'000, [this, name, i] { create_pod(groups_.at(name), i); });
}

void Simulation::create_pod(GroupPlan& group, int index) {
  const std::string name = fmt::format("{}-{}", group.name, index);
  if (api_.pods().contains(name)) return;
  kube::Pod pod = test::make_member(name, group.name, group.minimum, group.gpus);
  pod.uid = fmt::format("{}#{}", name, ++serial_);
  if (!group.gated) pod.scheduling_gates.clear();
  if (!group.required.empty()) pod.annotations["muster.dev/topology-required"] = group.required;
  if (!group.preferred.empty()) pod.annotations["muster.dev/topology-preferred"] = group.preferred;
  if (!group.policy.empty()) pod.annotations["muster.dev/failure-policy"] = group.policy;
  if (group.gate) pod.readiness_gates = {"muster.dev/group-ready"};
  pod.priority = group.priority;
  pod.creation_seconds = time_.now().time_since_epoch().count() / 1'000;
  if (group.has_controller) {
    pod.controller = kube::OwnerReference{"Job", group.name, "job-" + group.name};
    pod.labels["batch.kubernetes.io/job-completion-index"] = std::to_string(index);
  }
  if (std::exchange(group.mistaken, false)) {
    pod.annotations["muster.dev/min-member"] = time_.chance(0.5) ? std::to_string(group.minimum + 1) : "four";
    group.mistakes.insert(name);
  }
  time_.log("user: creates {}", pod.uid);
  api_.put_pod(std::move(pod));
}

void Simulation::mend(GroupPlan& group) {
  for (const std::string& name : std::exchange(group.mistakes, {})) {
    const auto found = api_.pods().find(name);
    if (found == api_.pods().end()) continue;
    kube::Pod pod = found->second;
    pod.annotations["muster.dev/min-member"] = std::to_string(group.minimum);
    time_.log("user: mends {}", pod.uid);
    api_.put_pod(std::move(pod));
  }
}

void Simulation::create_stranger() {
  kube::Pod pod = test::make_pod(fmt::format("x{}", ++serial_), time_.number(1, 8));
  time_.log("user: creates {} of {} gpus", pod.uid, pod.requests.get(test::kGpu));
  api_.put_pod(std::move(pod));
}

void Simulation::replace_missing() {
  for (auto& [name, group] : groups_) {
    if (!group.has_controller) continue;
    for (int i = 0; i < group.size; ++i) {
      if (group.done.contains(i)) continue;
      const auto found = api_.pods().find(fmt::format("{}-{}", name, i));
      if (found != api_.pods().end() && found->second.phase == kube::PodPhase::kFailed)
        api_.remove_pod(std::string(found->first));
      create_pod(group, i);
    }
  }
}

// --- what goes wrong --------------------------------------------------------------------------------------

void Simulation::lose_pod() {
  if (api_.pods().empty()) return;
  kube::Pod pod = time_.pick(api_.pods())->second;
  if (pod.terminating) return;
  time_.log("user: deletes {}", pod.uid);
  if (pod.node_name.empty() && time_.chance(0.8)) return api_.remove_pod(pod.name);
  pod.terminating = true;
  api_.put_pod(pod);
}

// Its controller does not make it again. Who is made to go has not completed.
void Simulation::note_done(const kube::Pod& pod) {
  const auto group = groups_.find(pod.name.substr(0, pod.name.find('-')));
  if (group == groups_.end() || pod.phase != kube::PodPhase::kSucceeded || pod.terminating) return;
  group->second.done.insert(std::stoi(pod.name.substr(pod.name.find('-') + 1)));
}

// As the garbage collector does with what has ended.
void Simulation::clean_up() {
  const auto ended = [](const auto& entry) { return entry.second.phase == kube::PodPhase::kSucceeded; };
  const auto found = std::find_if(api_.pods().begin(), api_.pods().end(), ended);
  if (found == api_.pods().end()) return;
  const kube::Pod pod = found->second;
  time_.log("user: cleans up {}", pod.uid);
  api_.remove_pod(pod.name);
}

void Simulation::end_pod(bool success) {
  if (api_.pods().empty()) return;
  kube::Pod pod = time_.pick(api_.pods())->second;
  if (pod.node_name.empty() || pod.ended()) return;
  pod.phase = success ? kube::PodPhase::kSucceeded : kube::PodPhase::kFailed;
  note_done(pod);
  time_.log("kubelet: {} has {}", pod.uid, success ? "succeeded" : "failed");
  api_.put_pod(std::move(pod));
}

void Simulation::trouble_node() {
  if (api_.nodes().empty()) return;
  kube::Node node = time_.pick(api_.nodes())->second;
  const int64_t kind = time_.number(0, 4);
  time_.log("node {}: trouble {}", node.name, kind);
  if (kind == 0) {
    spare_[node.name] = node;
    api_.remove_node(node.name);
    if (time_.chance(0.3)) muster_.relist();  // the removal itself is never seen
    return;
  }
  if (kind == 1 && !spare_.empty()) {
    api_.put_node(spare_.begin()->second);
    spare_.erase(spare_.begin());
    return;
  }
  if (kind == 2) node.unschedulable = !node.unschedulable;
  if (kind == 3) node.ready = !node.ready;
  if (kind == 4) node.labels[test::kRackLabel] = fmt::format("r{}", time_.number(0, 2));
  api_.put_node(std::move(node));
}

void Simulation::kill_muster() {
  if (!muster_.up()) return;
  muster_.kill();
  scheduler_.connection_lost();
  time_.soon(50, 2'000, [this] { muster_.start(); });
}

void Simulation::do_mischief() {
  switch (time_.number(0, 15)) {
    case 0:
    case 1:
      return lose_pod();
    case 2:
      return end_pod(false);
    case 3:
      return end_pod(true);
    case 4:
    case 5:
      return trouble_node();
    case 6:
    case 7:
      return kill_muster();
    case 8:
      return scheduler_.restart();
    case 9:
      return muster_.relist();
    case 10:
      return create_stranger();
    case 11:
      if (groups_.size() < 6) create_group();
      return;
    case 12:
      if (!groups_.empty()) mend(time_.pick(groups_)->second);
      return;
    case 13:
      return clean_up();
    case 14:
      return end_pod(true);
    default:
      faults_.api_down = true;
      time_.log("api: writes fail");
      time_.soon(200, 3'000, [this] { faults_.api_down = false; });
  }
}

void Simulation::mischief_soon() {
  time_.soon(100, 2'500, [this] {
    if (calm_) return;
    do_mischief();
    mischief_soon();
  });
}

void Simulation::controllers_soon() {
  time_.soon(300, 2'500, [this] {
    replace_missing();
    controllers_soon();
  });
}

// What is going is gone where a kubelet runs; containers become ready there, and are not for a while.
void Simulation::run_kubelets() {
  std::vector<kube::Pod> pods;
  for (const auto& [name, pod] : api_.pods()) pods.push_back(pod);
  for (kube::Pod& pod : pods) {
    const auto node = api_.nodes().find(pod.node_name);
    const bool runs = node != api_.nodes().end() && node->second.ready;
    if (pod.terminating && (pod.node_name.empty() || (runs && time_.chance(0.5)))) {
      api_.remove_pod(pod.name);
    } else if (runs && !pod.terminating && !pod.ended()) {
      const bool flaps = !calm_ && time_.chance(0.01);
      const bool ready = pod.containers_ready ? !flaps : time_.chance(0.5);
      if (std::exchange(pod.containers_ready, ready) != ready) api_.put_pod(pod);
    }
  }
}

void Simulation::kubelets_soon() {
  time_.soon(100, 600, [this] {
    run_kubelets();
    kubelets_soon();
  });
}

void Simulation::begin() {
  faults_.write_fails = time_.chance(0.5) ? 0.05 : 0;
  faults_.reply_lost = time_.chance(0.5) ? 0.05 : 0;
  faults_.slow_write = time_.chance(0.3) ? 0.05 : 0;
  faults_.refuses_node = time_.chance(0.4) ? 0.2 : 0;
  faults_.drops_call = time_.chance(0.4) ? 0.1 : 0;
  faults_.refuses_eviction = time_.chance(0.3) ? 0.3 : 0;
  make_cluster();
  for (int64_t n = time_.number(1, 4); n > 0; --n) create_group();
  muster_.start();
  scheduler_.start();
  mischief_soon();
  controllers_soon();
  kubelets_soon();
}

// --- the end ----------------------------------------------------------------------------------------------

void Simulation::heal() {
  time_.log("--- nothing goes wrong from here on");
  calm_ = true;
  faults_ = {};
  for (auto& [name, node] : std::exchange(spare_, {})) api_.put_node(node);
  for (const auto& [name, known] : std::map(api_.nodes())) {
    kube::Node node = known;
    node.unschedulable = false;
    node.ready = true;
    api_.put_node(std::move(node));
  }
  for (auto& [name, group] : groups_) {
    group.mistaken = false;
    mend(group);
  }
  replace_missing();
}

Simulation::Count Simulation::count(const std::string& group) const {
  Count count;
  for (const auto& [name, pod] : api_.pods()) {
    const auto key = pod.annotations.find("muster.dev/group-name");
    if (key == pod.annotations.end() || key->second != group) continue;
    if (pod.ended() || pod.terminating) continue;
    (pod.node_name.empty() ? count.unbound : count.live) += 1;
  }
  if (const auto known = groups_.find(group); known != groups_.end())
    count.completed = static_cast<int>(known->second.done.size());
  return count;
}

void Simulation::run_until(TimePoint end) {
  while (time_.step(end)) {
  }
}

group::State Simulation::state_of(const std::string& name) {
  const group::Group* group = muster_.coordinator().find({"ns", name});
  return group ? group->state() : group::State::kGathering;
}

// A member was deleted and gone while no Muster was there: the next one cannot know that it had not
// completed.
bool Simulation::supposes_completed(const std::string& name, const Count& has) {
  const group::Group* group = muster_.coordinator().find({"ns", name});
  return muster_.starts() > 1 && group && static_cast<int>(group->completed()) > has.completed;
}

// Which groups stand when all is said and done.
std::map<std::string, bool> Simulation::settle() {
  run_until(time_.now() + kRest);
  std::map<std::string, bool> stands;
  for (const auto& [name, group] : groups_) {
    const Count has = count(name);
    stands[name] = has.live + has.completed >= group.minimum;
  }
  return stands;
}

void Simulation::check_at_rest(Outcome& outcome) {
  if (!muster_.synced() || !muster_.quiet())
    throw Broken("promise 2: something is still promised or written although nothing happens");
  if (!scheduler_.quiet()) throw Broken("a bind call is still not answered");
  check_pods_at_rest();
  for (const auto& [name, group] : groups_) {
    const Count has = count(name);
    ++outcome.groups;
    if (has.live + has.completed >= group.minimum) {
      ++outcome.whole;
    } else if (has.live == 0) {
      ++outcome.waiting;
    } else if (group.policy == "Ignore" ||
               (state_of(name) == group::State::kStuck && (!group.has_controller || has.completed > 0))) {
      ++outcome.partial;
    } else if (supposes_completed(name, has)) {
      ++outcome.supposed;
    } else {
      throw Broken(fmt::format("promise 3: {} holds {} of {} and is {}", name, has.live, group.minimum,
                               to_string(state_of(name))));
    }
    if (group.gate) check_readiness(group);
  }
}

void Simulation::check_pods_at_rest() {
  for (const auto& [name, pod] : api_.pods()) {
    if (pod.ended()) continue;
    if (pod.annotations.contains("muster.dev/let-go"))
      throw Broken("promise 3: " + pod.uid + " was to go with its group and is still there");
    if (!pod.node_name.empty()) continue;
    const bool marked = !pod.nominated_node.empty() || pod.annotations.contains("muster.dev/plan");
    if (marked) throw Broken("promise 2: " + pod.uid + " is nominated and belongs to no plan");
  }
}

// All of its members show the same, and that is what is so. Who has ended shows what it showed then.
void Simulation::check_readiness(const GroupPlan& group) {
  const group::Group* known = muster_.coordinator().find({"ns", group.name});
  const bool ready = known && known->spare() >= 0;
  for (const auto& [name, pod] : api_.pods()) {
    const auto key = pod.annotations.find("muster.dev/group-name");
    if (key == pod.annotations.end() || key->second != group.name) continue;
    if (pod.node_name.empty() || pod.ended() || pod.terminating) continue;
    if (pod.group_ready.value_or(false) != ready)
      throw Broken(fmt::format("{} shows a readiness that its group does not have", pod.uid));
  }
}

Outcome Simulation::run() {
  begin();
  run_until(time_.now() + kMischief);
  if (!muster_.up()) muster_.start();
  heal();
  const auto before = settle();
  std::set<std::string> stuck;     // they have let go too often, or suppose what a restart shows to be wrong
  std::set<std::string> doubtful;  // who waits may have come for a completed member whose pod is deleted
  for (const auto& [name, group] : groups_) {
    if (state_of(name) == group::State::kStuck || supposes_completed(name, count(name))) stuck.insert(name);
    if (!group.done.empty() && count(name).unbound > 0) doubtful.insert(name);
  }
  Outcome outcome;
  check_at_rest(outcome);

  // Who begins anew sees the same: if it finds more to do, the one before it was stuck.
  kill_muster();
  const auto after = settle();
  Outcome again;
  check_at_rest(again);
  for (const auto& [name, stands] : after) {
    if (stands && !before.at(name) && !stuck.contains(name))
      throw Broken("promise 3: group " + name + " was stuck until a restart");
    if (!stands && before.at(name) && !doubtful.contains(name))
      throw Broken("promise 3: a restart broke group " + name);
  }
  outcome.steps = time_.steps();
  outcome.bindings = muster_.bindings;
  return outcome;
}

}  // namespace muster::sim
