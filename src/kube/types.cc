#include "kube/types.h"

#include <tuple>

namespace muster::kube {
namespace {

auto compared(const Node& n) {
  return std::tie(n.name, n.uid, n.labels, n.taints, n.unschedulable, n.ready, n.allocatable);
}

auto compared(const Pod& p) {
  return std::tie(p.ns, p.name, p.uid, p.annotations, p.labels, p.creation_seconds, p.terminating,
                  p.controller, p.scheduler_name, p.node_name, p.priority, p.in_native_group,
                  p.scheduling_gates, p.readiness_gates, p.node_set, p.requests, p.unmodelled, p.phase,
                  p.ready, p.containers_ready, p.group_ready, p.nominated_node, p.unschedulable_message);
}

}  // namespace

bool Node::same_as(const Node& other) const { return compared(*this) == compared(other); }
bool Pod::same_as(const Pod& other) const { return compared(*this) == compared(other); }

}  // namespace muster::kube
