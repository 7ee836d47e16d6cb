#include "kube/fingerprint.h"

#include <catch2/catch.hpp>
#include <functional>
#include <set>
#include <vector>

namespace muster::kube {
namespace {

template <typename T>
void each_differs(const T& start, const std::vector<std::function<void(T&)>>& changes) {
  std::set<Fingerprint> seen = {fingerprint_of(start)};
  for (const auto& change : changes) {
    T changed = start;
    change(changed);
    INFO("change " << seen.size());
    CHECK(seen.insert(fingerprint_of(changed)).second);
    CHECK_FALSE(changed.same_as(start));
  }
  T heartbeat = start;
  heartbeat.resource_version = "another";
  CHECK(fingerprint_of(heartbeat) == fingerprint_of(start));
}

TEST_CASE("every field of a node but the resource version counts in its fingerprint") {
  Node node;
  node.name = "n";
  node.labels = {{"a", "bc"}};
  each_differs<Node>(
      node, {[](Node& n) { n.name = "m"; }, [](Node& n) { n.uid = "u"; }, [](Node& n) { n.labels = {}; },
             [](Node& n) { n.labels = {{"ab", "c"}}; }, [](Node& n) { n.labels = {{"a", "bc"}, {"", ""}}; },
             [](Node& n) { n.taints = {{"k", "v", "NoSchedule"}}; },
             [](Node& n) { n.taints = {{"kv", "", "NoSchedule"}}; },
             [](Node& n) { n.taints = {{"k", "v", "NoSchedule"}, {}}; },
             [](Node& n) { n.unschedulable = true; }, [](Node& n) { n.ready = true; },
             [](Node& n) { n.allocatable.set("cpu", 1); }, [](Node& n) { n.allocatable.set("cpu", 2); }});
}

TEST_CASE("every field of a pod but the resource version counts in its fingerprint") {
  Pod pod;
  pod.name = "p";
  each_differs<Pod>(
      pod,
      {[](Pod& p) { p.ns = "p"; },
       [](Pod& p) { p.name = "q"; },
       [](Pod& p) { p.uid = "u"; },
       [](Pod& p) { p.annotations = {{"a", "b"}}; },
       [](Pod& p) { p.labels = {{"a", "b"}}; },
       [](Pod& p) { p.creation_seconds = 7; },
       [](Pod& p) { p.terminating = true; },
       [](Pod& p) { p.controller = OwnerReference{}; },
       [](Pod& p) { p.controller = OwnerReference{"Job", "j", "1"}; },
       [](Pod& p) { p.scheduler_name = "s"; },
       [](Pod& p) { p.node_name = "n"; },
       [](Pod& p) { p.priority = -1; },
       [](Pod& p) { p.in_native_group = true; },
       [](Pod& p) { p.scheduling_gates = {"g"}; },
       [](Pod& p) { p.readiness_gates = {"g"}; },
       [](Pod& p) { p.node_set.node_selector = {{"a", "b"}}; },
       [](Pod& p) { p.node_set.required_affinity.emplace(); },
       [](Pod& p) { p.node_set.required_affinity.emplace(1); },
       [](Pod& p) { p.node_set.required_affinity.emplace({NodeSelectorTerm{{{"k", "In", {"v"}}}, {}}}); },
       [](Pod& p) { p.node_set.required_affinity.emplace({NodeSelectorTerm{{}, {{"k", "In", {"v"}}}}}); },
       [](Pod& p) { p.node_set.tolerations = {{"k", "Exists", "", ""}}; },
       [](Pod& p) { p.requests.set("cpu", 1); },
       [](Pod& p) { p.unmodelled = {"volumes"}; },
       [](Pod& p) { p.phase = PodPhase::kRunning; },
       [](Pod& p) { p.ready = true; },
       [](Pod& p) { p.containers_ready = true; },
       [](Pod& p) { p.group_ready = true; },
       [](Pod& p) { p.group_ready = false; },
       [](Pod& p) { p.nominated_node = "n"; },
       [](Pod& p) { p.unschedulable_message = "m"; }});
}

}  // namespace
}  // namespace muster::kube
