#include "placement/spread_subgroups.h"

#include <algorithm>

#include "muster/solver.h"
#include "placement/decision.h"
#include "placement/quality.h"
#include "placement/slots.h"

namespace muster::placement {
namespace {

constexpr uint64_t kStepsPerQuality = 20;  // a step of a search is worth less than one of a table

bool spreads(const SubGroup& subgroup) { return subgroup.placement == Strategy::kSpread; }

// The request with everybody else bound where they were placed, and charged.
PlacementRequest alone(const PlacementRequest& request, uint32_t subgroup, ClusterState& state,
                       const std::vector<Assignment>& placement) {
  PlacementRequest asked = request;
  for (SubGroup& it : asked.subgroups) it.placement = Strategy::kPack;
  std::vector<Assignment> others;
  for (const Assignment& it : placement) {
    if (is_within(request, request.members[it.member].subgroup, subgroup)) continue;
    asked.members[it.member].bound = it.host;
    others.push_back(it);
  }
  charge_placement(request, others, state);
  return asked;
}

// The members that are not bound, where the placement has them.
std::vector<Slot> slots_of(const Problem& problem, const std::vector<Assignment>& placement) {
  std::vector<HostIndex> host(problem.request.members.size(), kNoHost);
  for (const Assignment& it : placement) host[it.member] = it.host;
  std::vector<Slot> slots;
  for (uint32_t node = 0; node < problem.nodes.size(); ++node)
    for (const Node::Direct& direct : problem.nodes[node].direct)
      for (const uint32_t member : direct.members) slots.push_back({node, direct.kind, host[member], 1});
  return slots;
}

void spread_one(const PlacementRequest& request, uint32_t subgroup, ClusterState& state, Budget& quality,
                std::vector<Assignment>& placement) {
  const WhatIf what_if(state);
  const PlacementRequest asked = alone(request, subgroup, state, placement);
  Problem problem(asked, state);
  if (problem.pending < 2 || problem.broken_node) return;
  Budget deciding(quality.rest() * kStepsPerQuality);
  Search search{problem, deciding, quality};
  Outcome outcome = decide(search);
  if (outcome.answer != Answer::kFits) return;
  if (!spread_evenly(search, outcome, subgroup)) {
    // The tightest domain may have nothing to spread over where the one they are in has.
    outcome.slots = slots_of(problem, placement);
    if (!spread_evenly(search, outcome, subgroup)) return;
  }
  sort_slots(outcome.slots);
  for (const Assignment& moved : assign_members(problem, outcome.slots)) {
    const auto same = [&](const Assignment& it) { return it.member == moved.member; };
    std::find_if(placement.begin(), placement.end(), same)->host = moved.host;
  }
}

}  // namespace

bool any_subgroup_spreads(const PlacementRequest& request) {
  return std::any_of(request.subgroups.begin() + 1, request.subgroups.end(), spreads);
}

void spread_subgroups(const PlacementRequest& request, ClusterState& state, Budget& quality,
                      std::vector<Assignment>& placement) {
  for (auto i = static_cast<uint32_t>(request.subgroups.size()); i-- > 1;)
    if (spreads(request.subgroups[i])) spread_one(request, i, state, quality, placement);
}

}  // namespace muster::placement
