#include <algorithm>

#include "placement/decision.h"
#include "placement/identical.h"
#include "placement/subdomains.h"

namespace muster::placement {

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
  if (problem.required == kClusterLevel || level == problem.required) {
    for (uint32_t i = range.first; i < range.last; ++i) result.push_back(static_cast<DomainId>(i));
    return result;
  }
  for (uint32_t i = range.first; i < range.last; ++i) {
    const auto domain = static_cast<DomainId>(i);
    // A rack of hosts without the block's label is in no block.
    const bool inside =
        problem.topology.domain_of(problem.topology.hosts(domain).front(), problem.required) != kNoDomain;
    if (inside) result.push_back(domain);
  }
  return result;
}

namespace {

Outcome fits(const Problem& problem, DomainId domain, const Packing& packing) {
  Outcome outcome;
  outcome.answer = Answer::kFits;
  outcome.domain = domain;
  for (const UnitCount& it : packing.units)
    outcome.slots.push_back({0, 0, problem.topology.hosts(it.domain).front(), it.count});
  return outcome;
}

// Evenly over the parts of a domain (T11): the least loaded part with room gets the next member.
Packing spread(const Problem& problem, const Units& units, DomainId domain, uint32_t count, Budget& quality) {
  const Parts below = parts_of(problem.topology, domain, tree_of(problem.topology, domain));
  std::vector<DomainId> parts = below.domains;
  for (const HostIndex host : below.hosts) parts.push_back(problem.topology.host_domain(host));
  std::erase_if(parts, [&](DomainId part) { return units.room(part) == 0; });
  // Everybody gets `level`, as far as there is room; the largest level that does not exceed the count.
  const auto poured = [&](int64_t level) {
    int64_t sum = 0;
    for (const DomainId part : parts) sum += std::min(level, units.room(part));
    return sum;
  };
  int64_t level = 0;
  for (int64_t step = int64_t{1} << 20; step > 0; step /= 2)
    if (poured(level + step) <= count) level += step;
  int64_t rest = count - poured(level);
  Packing packing;
  for (const DomainId part : parts) {
    const bool one_more = rest > 0 && units.room(part) > level;
    const auto here = static_cast<uint32_t>(std::min(level, units.room(part)) + (one_more ? 1 : 0));
    if (one_more) --rest;
    if (here == 0) continue;
    const Packing inner = pack_units(problem, units, part, here, quality);
    packing.units.insert(packing.units.end(), inner.units.begin(), inner.units.end());
  }
  return packing;
}

}  // namespace

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
    if (problem.nodes[0].strategy == Strategy::kSpread) {
      const DomainId widest = *std::max_element(domains.begin(), domains.end(), [&](DomainId a, DomainId b) {
        return rooms.domain(a) < rooms.domain(b);
      });
      return fits(problem, widest, spread(problem, units, widest, problem.pending, search.quality));
    }
    const BestDomain best = best_domain(problem, units, domains, problem.pending, search.quality);
    return fits(problem, best.domain, best.packing);
  }
  // Not all of them anywhere: as many as possible, if that is enough.
  if (roomiest == kNoDomain || rooms.domain(roomiest) < problem.needed) return {};
  const auto count = static_cast<uint32_t>(rooms.domain(roomiest));
  return fits(problem, roomiest, pack_units(problem, units, roomiest, count, search.quality));
}

}  // namespace muster::placement
