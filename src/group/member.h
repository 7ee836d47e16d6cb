// A member of a group as the group sees it: values copied from its pod, no pointers into other modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/resources.h"
#include "group/spec.h"
#include "muster/ids.h"

namespace muster::group {

// namespace/name of a group.
struct GroupKey {
  std::string ns;
  std::string name;
  friend auto operator<=>(const GroupKey&, const GroupKey&) = default;
  [[nodiscard]] std::string text() const { return ns + "/" + name; }
};

// For tables by group.
struct GroupKeyHash {
  std::size_t operator()(const GroupKey& key) const {
    const std::hash<std::string> hash;
    return hash(key.name) * 31 + hash(key.ns);
  }
};

// Which pod; the uid decides, the names are for calls and messages.
struct PodId {
  std::string ns;
  std::string name;
  std::string uid;
  friend bool operator==(const PodId&, const PodId&) = default;
};

// What became of the node that a member is bound to.
enum class NodeFate {
  kFine,
  kNotReady,  // a moment ago: it may come back
  kLost,      // not ready for too long
  kGone,      // the Node object does not exist any more
};

// What is asked for by a member that nothing is known of.
[[nodiscard]] inline const SharedSpec& no_request() {
  static const SharedSpec none{GroupSpec{}};
  return none;
}

struct Member {
  PodId pod;
  std::string version;             // resourceVersion at which it was last seen
  SharedSpec spec = no_request();  // of the annotations
  ResourceList demand;
  NodeSetId node_set = kEveryHost;
  std::optional<int64_t> index;  // from muster.dev/rank, the job completion index or the pod index
  std::string subgroup;          // path, "prefill/replica-0"; empty: the group itself
  std::string controller;        // name of the owner that made it; empty for a bare pod
  std::string controller_uid;
  int64_t creation_seconds = 0;
  int32_t priority = 0;

  bool held_by_gate = false;  // has the gate muster.dev/hold
  bool other_gates = false;   // has gates that are not ours to remove: it does not count yet
  bool terminating = false;
  bool succeeded = false;
  bool failed = false;
  bool containers_ready = false;    // runs, and its containers are ready
  bool readiness_gate = false;      // wants the condition muster.dev/group-ready
  std::optional<bool> shown_ready;  // what the condition says
  std::string node;                 // bound there; empty when not bound
  NodeFate fate = NodeFate::kFine;
  std::string nominated_node;
  std::string plan;       // annotation muster.dev/plan
  std::string mark;       // annotation muster.dev/let-go: it goes with its group, and why
  uint32_t restarts = 0;  // annotation muster.dev/restarts: how often its group had let go when it was bound
  std::string unschedulable_message;
  std::vector<std::string> unmodelled;  // what kube-scheduler checks and we do not

  // "7f3a.2+" → "7f3a": the plan that the annotation tells of, whichever change of the member's node it is.
  [[nodiscard]] std::string plan_id() const { return plan.substr(0, plan.find_first_of(".+")); }
  [[nodiscard]] bool ended() const { return succeeded || failed; }
  [[nodiscard]] bool bound() const { return !node.empty(); }
  // Its node is not to be counted on any more.
  [[nodiscard]] bool lost() const { return bound() && !ended() && fate >= NodeFate::kLost; }
  // Bound and in use: it counts towards the minimum and fixes the group's domain.
  [[nodiscard]] bool live() const { return bound() && !ended() && !terminating && !lost(); }
  [[nodiscard]] bool ready() const { return live() && containers_ready && fate == NodeFate::kFine; }
  // Goes when its group lets go: a controller will make it again.
  [[nodiscard]] bool evictable() const {
    return bound() && !ended() && !terminating && !controller_uid.empty();
  }
  // Can be placed now.
  [[nodiscard]] bool available() const { return !bound() && !ended() && !terminating && !other_gates; }
};

}  // namespace muster::group
