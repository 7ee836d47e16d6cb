// The parts of Kubernetes objects that Muster looks at. Decoders keep these and drop the rest, so that a node
// heartbeat or a status update which changes none of them is no event at all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/resources.h"
#include "kube/labels.h"

namespace muster::kube {

using StringMap = std::map<std::string, std::string>;

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute
  friend bool operator==(const Taint&, const Taint&) = default;
};

struct Node {
  std::string name;
  std::string uid;
  std::string resource_version;
  Labels labels;
  std::vector<Taint> taints;
  bool unschedulable = false;
  bool ready = false;        // condition Ready is True; a node without the condition counts as ready
  ResourceList allocatable;  // status.capacity where allocatable is absent; kPods included
  // All but the resource version is equal: the change does not matter to us.
  [[nodiscard]] bool same_as(const Node& other) const;
};

struct Toleration {
  std::string key;
  std::string op;  // Equal (also when empty), Exists, Lt, Gt
  std::string value;
  std::string effect;  // empty: every effect
  friend bool operator==(const Toleration&, const Toleration&) = default;
};

struct SelectorRequirement {
  std::string key;
  std::string op;  // In, NotIn, Exists, DoesNotExist, Gt, Lt
  std::vector<std::string> values;
  friend bool operator==(const SelectorRequirement&, const SelectorRequirement&) = default;
};

// All requirements must hold. Fields know only metadata.name. An empty term matches nothing.
struct NodeSelectorTerm {
  std::vector<SelectorRequirement> labels;
  std::vector<SelectorRequirement> fields;
  friend bool operator==(const NodeSelectorTerm&, const NodeSelectorTerm&) = default;
};

// What decides on which nodes a pod may run, apart from room.
struct NodeSet {
  StringMap node_selector;
  std::optional<std::vector<NodeSelectorTerm>> required_affinity;  // one of the terms must match
  std::vector<Toleration> tolerations;
  friend bool operator==(const NodeSet&, const NodeSet&) = default;
};

enum class PodPhase { kPending, kRunning, kSucceeded, kFailed, kUnknown };

struct OwnerReference {
  std::string kind;
  std::string name;
  std::string uid;
  friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

struct Pod {
  std::string ns;
  std::string name;
  std::string uid;
  std::string resource_version;
  StringMap annotations;         // muster.dev/* only
  StringMap labels;              // the two index labels, see decode.h, only
  int64_t creation_seconds = 0;  // Unix time
  bool terminating = false;      // metadata.deletionTimestamp is set
  std::optional<OwnerReference> controller;

  std::string scheduler_name;
  std::string node_name;
  int32_t priority = 0;
  bool in_native_group = false;  // spec.schedulingGroup is set: kube-scheduler's own gang scheduling has it
  std::vector<std::string> scheduling_gates;
  std::vector<std::string> readiness_gates;
  NodeSet node_set;
  ResourceList
      requests;  // as kube-scheduler counts them: containers, init containers, sidecars, overhead; kPods = 1
  // What we do not model and kube-scheduler will check by itself: "volumes", "host ports", "pod affinity",
  // "pod anti-affinity", "topology spread", "resource claims".
  std::vector<std::string> unmodelled;

  PodPhase phase = PodPhase::kPending;
  bool ready = false;               // condition Ready is True
  bool containers_ready = false;    // condition ContainersReady is True
  std::optional<bool> group_ready;  // condition muster.dev/group-ready, when there is one
  std::string nominated_node;
  std::string unschedulable_message;  // of condition PodScheduled=False with reason Unschedulable, else empty

  [[nodiscard]] bool ended() const { return phase == PodPhase::kSucceeded || phase == PodPhase::kFailed; }
  // All but the resource version is equal.
  [[nodiscard]] bool same_as(const Pod& other) const;
};

}  // namespace muster::kube
