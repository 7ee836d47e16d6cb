#include "muster/solver.h"

#include <algorithm>
#include <utility>

#include "muster/checker.h"
#include "placement/decision.h"
#include "placement/explain.h"
#include "placement/remedies.h"
#include "placement/spread_subgroups.h"

namespace muster {
namespace {

using placement::Answer;
using placement::Budget;
using placement::Outcome;
using placement::Problem;
using placement::Search;

Fits to_fits(const Problem& problem, Outcome outcome, uint64_t steps) {
  Fits fits;
  if (!outcome.in_rank_order) placement::sort_slots(outcome.slots);
  fits.placement = placement::assign_members(problem, outcome.slots);
  fits.domain = outcome.domain;
  fits.level = problem.topology.level_of(outcome.domain);
  fits.placed = static_cast<uint32_t>(fits.placement.size());
  fits.bound = static_cast<uint32_t>(problem.bound_hosts.size());
  fits.wanted = static_cast<uint32_t>(problem.request.members.size());
  fits.steps = steps;
  return fits;
}

OwnerId owner_of(const PlacementRequest& request, uint32_t subgroup) {
  while (request.subgroups[subgroup].owner == kNoOwner && subgroup != 0)
    subgroup = request.subgroups[subgroup].parent;
  return request.subgroups[subgroup].owner;
}

Reason explain_outcome(Problem& problem, const Outcome& outcome) {
  Reason reason = placement::explain(problem, outcome.code);
  if (!outcome.nearest.empty()) {
    reason.nearest = outcome.nearest;
    reason.code = outcome.code;
  } else if (!problem.flat() && reason.code == NoCode::kSubGroups) {
    placement::blame_subgroup(problem, reason);
  }
  return reason;
}

bool bound_contradict_group(const Problem& problem) {
  return !problem.bound_hosts.empty() && placement::candidates(problem, problem.required).empty();
}

}  // namespace

Verdict solve(const PlacementRequest& request, ClusterState& state, const SolveOptions& options) {
  state.shapes().begin();
  Problem problem(request, state);
  if (problem.broken_node) return CertifiedNo{placement::explain_bound(problem, *problem.broken_node), 0};
  if (bound_contradict_group(problem)) return CertifiedNo{placement::explain_bound(problem, 0), 0};
  Budget budget(options.step_budget);
  Budget quality(options.quality_budget);
  Search search{problem, budget, quality, options.mix};
  Outcome outcome = placement::decide(search);
  const uint64_t steps = budget.used() + quality.used();
  if (outcome.answer != Answer::kFits) {
    Reason reason = explain_outcome(problem, outcome);
    if (outcome.answer == Answer::kOpen) return Undecided{std::move(reason), steps, {}};
    if (options.remedies)
      reason.remedies = placement::find_remedies(request, state, reason, options.step_budget / 8);
    return CertifiedNo{std::move(reason), steps};
  }
  Fits fits = to_fits(problem, std::move(outcome), steps);
  if (fits.placed == problem.pending && placement::any_subgroup_spreads(request)) {
    Budget spreading(options.quality_budget);
    placement::spread_subgroups(request, state, spreading, fits.placement);
    fits.steps += spreading.used();
  }
  const auto checked = check_placement(request, fits.placement, state);
  if (!checked) return Undecided{placement::explain(problem, outcome.code), steps, checked.error().message};
  return fits;
}

bool worth_another_try(const PlacementRequest& request, const Reason& reason, const ClusterState& state) {
  const Topology& topology = state.topology();
  const DomainRange range = topology.domains(reason.level);
  for (uint32_t i = range.first; i < range.last; ++i) {
    const auto domain = static_cast<DomainId>(i);
    if (state.gained_at(domain) <= reason.epoch) continue;
    for (const HostIndex host : topology.hosts(domain)) {
      if (state.gained_at(topology.host_domain(host)) <= reason.epoch) continue;
      for (const Role& role : request.roles)
        if (state.exclusion(role.node_set, host) == Exclusion::kNone) return true;
    }
  }
  return false;
}

void charge_placement(const PlacementRequest& request, const std::vector<Assignment>& placement,
                      ClusterState& state) {
  for (uint32_t i = 0; i < request.subgroups.size(); ++i) {
    if (request.subgroups[i].exclusive.empty() || owner_of(request, i) == kNoOwner) continue;
    if (const auto level = state.topology().find_level(request.subgroups[i].exclusive))
      state.set_claim(owner_of(request, i), *level);
  }
  for (const Assignment& it : placement) {
    const Member& member = request.members[it.member];
    state.charge(it.host, request.roles[member.role].demand, owner_of(request, member.subgroup));
  }
}

void uncharge_placement(const PlacementRequest& request, const std::vector<Assignment>& placement,
                        ClusterState& state) {
  for (const Assignment& it : placement) {
    const Member& member = request.members[it.member];
    state.uncharge(it.host, request.roles[member.role].demand, owner_of(request, member.subgroup));
  }
}

}  // namespace muster
