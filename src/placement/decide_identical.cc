#include <algorithm>

#include "placement/decision.h"
#include "placement/identical.h"

namespace muster::placement {
namespace {

Outcome fits(const Problem& problem, DomainId domain, const Packing& packing) {
  Outcome outcome;
  outcome.answer = Answer::kFits;
  outcome.domain = domain;
  for (const UnitCount& it : packing.units)
    outcome.slots.push_back({0, 0, problem.topology.hosts(it.domain).front(), it.count});
  return outcome;
}

}  // namespace

std::vector<DomainId> candidates(const Problem& problem, LevelId level) {
  std::vector<DomainId> result;
  if (!problem.bound_hosts.empty()) {
    const DomainId domain = problem.topology.domain_of(problem.bound_hosts.front(), level);
    const bool inside =
        problem.topology.domain_of(problem.bound_hosts.front(), problem.required) != kNoDomain;
    if (inside && domain != kNoDomain && problem.holds_bound(domain)) result.push_back(domain);
    return result;
  }
  const DomainRange range = problem.topology.domains(level);
  result.reserve(range.size());
  for (uint32_t i = range.first; i < range.last; ++i) {
    const auto domain = static_cast<DomainId>(i);
    // A rack of hosts without the block's label is in no block.
    const bool inside =
        level == problem.required ||
        problem.topology.domain_of(problem.topology.hosts(domain).front(), problem.required) != kNoDomain;
    if (inside) result.push_back(domain);
  }
  return result;
}

Outcome decide_identical(Search& search) {
  Problem& problem = search.problem;
  const KindRooms& rooms = problem.rooms(0);
  const Units units(problem.topology, rooms);
  DomainId roomiest = kNoDomain;
  for (const LevelId level : problem.ladder) {
    std::vector<DomainId> domains = candidates(problem, level);
    for (const DomainId domain : domains)
      if (roomiest == kNoDomain || rooms.domain(domain) > rooms.domain(roomiest)) roomiest = domain;
    std::erase_if(domains, [&](DomainId domain) { return rooms.domain(domain) < problem.pending; });
    if (domains.empty()) continue;
    const BestDomain best = best_domain(problem, units, std::move(domains), problem.pending, search.quality);
    return fits(problem, best.domain, best.packing);
  }
  // Not all of them anywhere: as many as possible, if that is enough.
  if (roomiest == kNoDomain || rooms.domain(roomiest) < problem.needed) return {};
  const auto count = static_cast<uint32_t>(rooms.domain(roomiest));
  return fits(problem, roomiest, pack_units(problem, units, roomiest, count, search.quality));
}

}  // namespace muster::placement
