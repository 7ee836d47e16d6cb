// Which nodes a pod may run on, apart from room: node selector and required node affinity, taints, the
// unschedulable mark, readiness. Agrees with kube-scheduler's plugins NodeAffinity, TaintToleration
// (NoSchedule and NoExecute) and NodeUnschedulable; readiness is Muster's own, since kube-scheduler looks at
// the taints only.
//
// Pure functions: every thread may call them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kube/types.h"

namespace muster::kube {

// The API group's own taint for a cordoned node; who tolerates it may use a node marked unschedulable.
inline constexpr std::string_view kTaintUnschedulable = "node.kubernetes.io/unschedulable";

enum class Mismatch {
  kSelector,       // the node selector or the required affinity does not choose the node
  kUnschedulable,  // spec.unschedulable, and not tolerated
  kNotReady,       // condition Ready is not True
  kTaint,          // a taint NoSchedule or NoExecute, not tolerated
};

struct WhyNot {
  Mismatch reason = Mismatch::kSelector;
  Taint taint;  // for kTaint: the first that is not tolerated
};

// Nothing when the pod may use the node, else the first reason in the order of Mismatch: a node that was
// never asked for is not called cordoned or tainted.
[[nodiscard]] std::optional<WhyNot> why_not(const NodeSet& set, const Node& node);
[[nodiscard]] bool matches(const NodeSet& set, const Node& node);

// "node selector", "unschedulable", "not ready", "taint gpu=yes:NoSchedule".
[[nodiscard]] std::string describe(const WhyNot& why);

// The parts, as kube-scheduler's plugins see them.
[[nodiscard]] bool selects(const NodeSet& set, const Node& node);
[[nodiscard]] bool tolerates(const Toleration& toleration, const Taint& taint);

}  // namespace muster::kube
