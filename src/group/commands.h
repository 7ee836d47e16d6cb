// What groups want done. The binder carries commands out against the API and reports the ones that have a
// result; a group never calls anything itself.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "group/event_reason.h"
#include "group/member.h"

namespace muster::group {

// Write the promised node and the plan's id on the pod. A pod without a gate is tried again by kube-scheduler
// for that. Result: Group::nominated().
struct Nominate {
  PodId pod;
  std::string node;
  std::string plan;
  TimePoint deadline;  // transient errors are retried until then
};

// Take back what Nominate wrote. No result: what remains is cleaned up when it is seen again.
struct Withdraw {
  PodId pod;
};

// Let kube-scheduler have the pod, when its nomination does not. A gated pod loses our gate. One without a
// gate that was nominated before this Muster came, and has been refused since, is only tried again when it
// changes: its plan annotation gets a "+" behind it. Result: Group::released().
struct Release {
  PodId pod;
  std::string node;
  std::string plan;
  bool gated = true;
  TimePoint deadline;
};

// Post the binding. Result: Group::bind_done().
struct Bind {
  PodId pod;
  std::string node;
  std::string plan;  // the pod is bound only as it stands with this plan; empty: whatever it carries
  std::map<std::string, std::string> annotations;
  TimePoint deadline;
  std::string version = {};  // resourceVersion at which it was seen with this plan; empty: not seen yet
  std::string asked_by{};    // whose call it was, when the binding is of no plan
};

// Whether what stands in the annotation muster.dev/plan is this plan, released or not.
[[nodiscard]] inline bool is_of_plan(const std::string& annotation, const std::string& plan) {
  return annotation == plan || annotation == plan + "+";
}

// Write on a bound pod that it goes with its group. Result: Group::marked().
struct Mark {
  PodId pod;
  std::string why;
  TimePoint deadline;
};

// Make a bound pod go. Result: Group::evicted(); the pod has the last word, in the watch.
struct Evict {
  PodId pod;
  bool obey_budgets = true;  // false: deleted, past PodDisruptionBudgets
  bool at_once = false;      // without its grace period: its node is gone
  TimePoint deadline;
  std::string plan{};  // by which it was bound
  std::string why{};   // in words
};

// Set the condition muster.dev/group-ready. Result: Group::ready_set().
struct SetReady {
  PodId pod;
  bool ready = false;
  TimePoint deadline;
};

// Answer a waiting bind call of kube-scheduler.
struct AnswerBind {
  uint64_t call = 0;
  Result<void> result;
};

// Tell the user: an Event on the pod.
struct Tell {
  PodId pod;
  EventReason reason;
  std::string message;
  bool warning = false;
  std::string plan{};  // the one it is about, if any
};

using Command = std::variant<Nominate, Withdraw, Release, Bind, AnswerBind, Tell, Mark, Evict, SetReady>;
using Commands = std::vector<Command>;

}  // namespace muster::group
