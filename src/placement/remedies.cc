#include "placement/remedies.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "placement/decision.h"

namespace muster::placement {
namespace {

// The host that would have to free least for the missing members to find room on it, all in one resource.
std::optional<Remedy> room_on_one_host(Problem& problem, const Reason& reason) {
  if (problem.kinds.size() != 1 || !problem.flat() || reason.nearest.empty()) return std::nullopt;
  const Miss& miss = reason.nearest.front();
  if (miss.holds >= miss.wanted) return std::nullopt;
  const int64_t missing = miss.wanted - miss.holds;
  const Kind& kind = problem.kinds[0];
  std::optional<Remedy> best;
  for (const HostIndex host : problem.topology.hosts(miss.domain)) {
    if (problem.exclusion(kind, host) != Exclusion::kNone) continue;
    const int64_t room = problem.rooms(0).host(host) + missing;
    std::optional<Remedy> here;
    bool possible = true;
    for (const ResourceAmount& need : problem.demand(kind)) {
      int64_t asked = 0;
      if (need.amount <= 0) continue;
      if (__builtin_mul_overflow(need.amount, room, &asked)) possible = false;
      const int64_t lack = asked - problem.state.free(host, need.resource);
      if (lack <= 0) continue;
      possible = possible && !here && problem.state.allocatable(host, need.resource) >= asked;
      here = Remedy{Remedy::Kind::kRoom, kClusterLevel, 0, host, need.resource, lack};
    }
    if (possible && here && (!best || here->amount < best->amount)) best = here;
  }
  return best;
}

Outcome decide_again(Problem& problem, uint64_t steps) {
  Budget budget(steps);
  Budget quality(0);
  Search search{problem, budget, quality};
  return decide(search);
}

std::optional<Remedy> coarser_level(const PlacementRequest& request, ClusterState& state, uint64_t steps) {
  const Topology& topology = state.topology();
  Problem problem(request, state);
  if (problem.required == kClusterLevel || !problem.bound_hosts.empty()) return std::nullopt;
  for (auto level = topology.coarser(problem.required); level; level = topology.coarser(*level)) {
    problem.required = *level;
    problem.ladder = {*level};
    if (decide_again(problem, steps).answer == Answer::kFits)
      return Remedy{Remedy::Kind::kLevel, *level, 0, kNoHost, {}, 0};
  }
  return std::nullopt;
}

std::optional<Remedy> smaller_minimum(const PlacementRequest& request, ClusterState& state, uint64_t steps) {
  Problem problem(request, state);
  if (problem.needed < 2) return std::nullopt;
  const uint32_t bound = problem.nodes[0].bound;
  problem.needed = 1;
  problem.nodes[0].minimum = bound + 1;
  const Outcome outcome = decide_again(problem, steps);
  if (outcome.answer != Answer::kFits) return std::nullopt;
  uint32_t placed = bound;
  for (const Slot& slot : outcome.slots) placed += slot.count;
  return Remedy{Remedy::Kind::kMinimum, kClusterLevel, placed, kNoHost, {}, 0};
}

}  // namespace

std::vector<Remedy> find_remedies(const PlacementRequest& request, ClusterState& state, const Reason& reason,
                                  uint64_t steps) {
  std::vector<Remedy> remedies;
  Problem problem(request, state);
  if (auto room = room_on_one_host(problem, reason)) remedies.push_back(*room);
  if (auto level = coarser_level(request, state, steps)) remedies.push_back(*level);
  if (auto minimum = smaller_minimum(request, state, steps)) remedies.push_back(*minimum);
  return remedies;
}

}  // namespace muster::placement
