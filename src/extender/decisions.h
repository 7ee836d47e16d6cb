// What the verbs ask of the engine. Answers to filter and preempt come from an immutable snapshot, so that
// kube-scheduler's loop never waits for a decision in the making; bind waits for its group's barrier.
//
// Thread rule: every function may be called from several server threads at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/resources.h"

namespace muster::extender {

// Room on hosts that is promised to groups: node name → what is left there for pods of no group.
// Only hosts with reservations of pods that are not bound yet are in it.
using Promises = std::unordered_map<std::string, ResourceList>;

// Not ours: every offered node is fine, except those in `promises` whose rest is too small for the pod.
struct Foreign {
  std::shared_ptr<const Promises> promises;  // never null
};
// A member of a plan: this node and no other.
struct Planned {
  std::string node;
  std::string plan{};  // the plan's id
  // kube-scheduler's copy of the pod carries this plan, and with it the nomination: a node that is not
  // offered for it is refused. An older copy may have been tried on a part of the nodes only.
  bool known = true;
};
// A member that has to wait, and why, in words for the user.
struct Held {
  std::string reason;
};
using FilterDecision = std::variant<Foreign, Planned, Held>;

// What filter needs to know of the pod; everything else of it is looked at only when a promise may be short.
struct PodIdentity {
  std::string ns;
  std::string name;
  std::string uid;
  std::string scheduler_name;
  bool in_native_group = false;  // spec.schedulingGroup is set
  std::string group_name;        // annotation muster.dev/group-name, empty when absent
  std::string muster_key{};      // the first annotation muster.dev/… there is, empty when there is none
  std::string plan{};            // annotation muster.dev/plan, likewise
  int32_t priority = 0;
};

struct BindCall {
  std::string ns;
  std::string name;
  std::string uid;
  std::string node;
  std::string caller{};  // who asks: http::Request::caller
};

class Decisions {
 public:
  virtual ~Decisions() = default;

  // Never blocks. A member the engine has not seen yet is Held.
  [[nodiscard]] virtual FilterDecision filter(const PodIdentity& pod) = 0;
  // kube-scheduler did not offer the node that is planned for this pod: the plan has to go around it. Never
  // blocks.
  virtual void node_refused(const PodIdentity& pod, const std::string& node) = 0;

  // Returns when the pod is bound, or the error that kube-scheduler gets. Blocks up to the bind timeout.
  [[nodiscard]] virtual Result<void> bind(const BindCall& call) = 0;

  // Whether kube-scheduler may evict these victims (uids, all on one node) for this pod. Never blocks.
  [[nodiscard]] virtual bool may_preempt(const PodIdentity& preemptor,
                                         const std::vector<std::string>& victim_uids) = 0;

  // Caches have been filled and the engine answers from them.
  [[nodiscard]] virtual bool ready() const = 0;
  // Why another process is to be asked, in words; empty when this is the right one. The verbs are refused
  // while there is a reason.
  [[nodiscard]] virtual std::string standby() const { return {}; }
  // Prometheus text.
  [[nodiscard]] virtual std::string metrics() const = 0;
};

}  // namespace muster::extender
