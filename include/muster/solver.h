// The decision: request and state in, verdict out.
//
// Deterministic: no clock, randomness or thread; the budget is counted in steps. Not thread-safe with respect
// to the state (derived indexes are warmed), which is otherwise the same on return.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "muster/cluster.h"
#include "muster/mix.h"
#include "muster/request.h"
#include "muster/verdict.h"

namespace muster {

struct SolveOptions {
  uint64_t step_budget = 20'000'000;  // a step is a few nanoseconds of work
  uint64_t quality_budget = 100'000;  // steps spent on a better placement once one is known
  bool remedies = true;               // look for the smallest change that would help when it does not fit
  // What is asked for these days: chooses among domains of its level that hold a small group equally well.
  // Absent: the tightest one. The mix remembers what it works out.
  Mix* mix = nullptr;
};

// Places the members that are not bound: all, or at least the minimum; where bound members reach the minimum
// already, at least one.
// REQUIRES: validate(request, state) succeeded; bound members are charged in the state.
// Identical members and identical members in slices: always decided. O(hosts) for a new shape, O(domains +
// members) for one seen lately.
[[nodiscard]] Verdict solve(const PlacementRequest& request, ClusterState& state,
                            const SolveOptions& options = {});

// False when nothing the request could use has gained room since the certificate was given, so that solving
// again would say the same. For the same request and topology.
[[nodiscard]] bool worth_another_try(const PlacementRequest& request, const Reason& reason,
                                     const ClusterState& state);

// Charges (takes back) the members of a placement with their owners; charging also sets the claims of
// exclusive subgroups that have an owner. A claim without members is without effect.
void charge_placement(const PlacementRequest& request, const std::vector<Assignment>& placement,
                      ClusterState& state);
void uncharge_placement(const PlacementRequest& request, const std::vector<Assignment>& placement,
                        ClusterState& state);

}  // namespace muster
