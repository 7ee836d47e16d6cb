// A plan under way: where each of its members is to go, and how far that has come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "group/member.h"
#include "group/spec.h"

namespace muster::group {

struct Assignment {
  PodId pod;
  std::string node;
  int64_t rank = 0;
  std::string plan;              // the plan's id, with ".k" after the k-th change of this member's node
  bool nominated = false;        // confirmed by the API
  bool shown = false;            // filter answers the node: kube-scheduler may have the member
  bool bound = false;            // seen bound
  std::optional<uint64_t> call;  // the bind call that waits; none once it is bound
};

struct Plan {
  std::string id;
  TimePoint made;                                 // by us, or when it was taken up
  TimePoint deadline;                             // moves on while the plan, or one made before it, comes on
  SharedSpec spec = no_request();                 // what was asked for when it was made
  std::map<std::string, Assignment> assignments;  // by uid
  uint32_t unconfirmed = 0;                       // assignments that do not stand in the API yet
  uint32_t unbound = 0;                           // assignments not seen bound
  uint32_t called = 0;                            // assignments with a bind call that waits
  uint32_t most_called = 0;                       // at a time
  uint32_t changes = 0;                           // of members' nodes
  bool taken_up = false;  // another Muster made it, and its bindings may be on their way
  bool released = false;  // all stood in the API: kube-scheduler may have them
  bool open = false;      // the barrier: bindings are being posted
  bool failed = false;    // a binding has failed for good
};

// What a bind call is answered that is not carried out: kube-scheduler tries the pod again later.
[[nodiscard]] inline Result<void> refused(const std::string& message) {
  return fail(ErrorCode::kConflict, "muster: {}", message);
}

}  // namespace muster::group
