#include "embedded/kubelet.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "embedded/admission.h"

namespace muster::embedded {
namespace {

using SteadyClock = std::chrono::steady_clock;

bool condition_is_true(const Json& pod, const Json& type) {
  const Json& conditions = at_path(pod, {"status", "conditions"});
  return std::any_of(conditions.begin(), conditions.end(), [&](const Json& condition) {
    return at_path(condition, {"type"}) == type && text_at(condition, {"status"}) == "True";
  });
}

bool gates_are_open(const Json& pod) {
  const Json& gates = at_path(pod, {"spec", "readinessGates"});
  return std::all_of(gates.begin(), gates.end(), [&](const Json& gate) {
    return condition_is_true(pod, at_path(gate, {"conditionType"}));
  });
}

bool is_bound(const Json& pod) { return !text_at(pod, {"spec", "nodeName"}).empty(); }

bool is_starting(const Json& pod) { return is_bound(pod) && text_at(pod, {"status", "phase"}) == "Pending"; }

}  // namespace

void sync_pod(Json& pod, const std::string& now) {
  const std::string phase = text_at(pod, {"status", "phase"});
  if (!is_bound(pod) || (phase != "Pending" && phase != "Running")) return;
  pod["status"]["phase"] = "Running";
  if (!pod["status"].contains("startTime")) pod["status"]["startTime"] = now;
  for (const char* type : {"Initialized", "ContainersReady"}) set_condition(pod, type, true, "", now);
  const bool ready = gates_are_open(pod);
  set_condition(pod, "Ready", ready, ready ? "" : "ReadinessGatesNotReady", now);
}

Kubelet::Kubelet(Store& store, std::chrono::milliseconds start_delay, std::function<std::string()> now)
    : store_(store), start_delay_(start_delay), now_(std::move(now)), thread_([this] { run(); }) {}

Kubelet::~Kubelet() { thread_.join(); }

void Kubelet::run() {
  while (!store_.closed()) {
    const Listing pods = store_.list(Kind::kPod, "");
    for (const Object& pod : pods.items)
      start(text_at(*pod, {"metadata", "namespace"}), text_at(*pod, {"metadata", "name"}));
    follow(pods.version);
  }
}

void Kubelet::follow(Version after) {
  struct Due {
    SteadyClock::time_point at;
    std::string ns, name;
  };
  std::deque<Due> due;  // in time order, because the delay is the same for all
  while (!store_.closed()) {
    const auto until = due.empty() ? SteadyClock::now() + std::chrono::seconds(60) : due.front().at;
    const auto changes = store_.changes(Kind::kPod, "", after, until);
    if (!changes) return;
    after = changes->seen;
    for (const Change& change : changes->items) {
      if (change.type == ChangeType::kDeleted || !is_bound(*change.object)) continue;
      const auto delay = is_starting(*change.object) ? start_delay_ : std::chrono::milliseconds(0);
      const std::string name = text_at(*change.object, {"metadata", "name"});
      if (delay.count() == 0) {
        start(change.ns, name);
      } else {
        due.push_back({SteadyClock::now() + delay, change.ns, name});
      }
    }
    for (; !due.empty() && due.front().at <= SteadyClock::now(); due.pop_front()) {
      start(due.front().ns, due.front().name);
    }
  }
}

void Kubelet::start(const std::string& ns, const std::string& name) {
  const auto edit = [this](Json& pod) -> Answer<void> {
    sync_pod(pod, now_());
    return {};
  };
  // A pod that has gone meanwhile needs no kubelet.
  static_cast<void>(store_.update(Kind::kPod, ns, name, edit));
}

}  // namespace muster::embedded
