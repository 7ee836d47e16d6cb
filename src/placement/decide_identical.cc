#include <algorithm>

#include "placement/decision.h"
#include "placement/identical.h"
#include "placement/subdomains.h"

namespace muster::placement {

namespace {

// Whether a domain of a finer level than the required one is in one of that: a rack of hosts without the
// block's label is in no block.
bool is_below_required(const Problem& problem, DomainId domain) {
  const Topology& topology = problem.topology;
  if (topology.level_of(domain) == topology.host_level())
    return topology.domain_of(topology.hosts(domain).front(), problem.required) != kNoDomain;
  while (domain != kClusterDomain && topology.level_of(domain) != problem.required)
    domain = topology.parent(domain);
  return domain != kClusterDomain;
}

bool all_are_inside(const Problem& problem, LevelId level) {
  return problem.required == kClusterLevel || problem.required == level;
}

}  // namespace

void each_candidate(const Problem& problem, LevelId level, const std::function<bool(DomainId)>& look_at) {
  if (!problem.bound_hosts.empty()) {
    const DomainId domain = problem.topology.domain_of(problem.bound_hosts.front(), level);
    const bool inside =
        problem.topology.domain_of(problem.bound_hosts.front(), problem.required) != kNoDomain;
    if (inside && domain != kNoDomain && problem.holds_bound(domain)) look_at(domain);
    return;
  }
  const DomainRange range = problem.topology.domains(level);
  const bool all = all_are_inside(problem, level);
  for (uint32_t i = range.first; i < range.last; ++i)
    if (const auto domain = static_cast<DomainId>(i); all || is_below_required(problem, domain))
      if (!look_at(domain)) return;
}

std::vector<DomainId> candidates(const Problem& problem, LevelId level) {
  std::vector<DomainId> result;
  each_candidate(problem, level, [&](DomainId domain) {
    result.push_back(domain);
    return true;
  });
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

// The candidate with least room that is enough, the first among equals; kNoDomain when there is none.
DomainId tightest_candidate(const Problem& problem, const KindRooms& rooms, LevelId level, uint32_t count) {
  DomainId tightest = kNoDomain;
  int64_t least = INT64_MAX;
  const bool all = all_are_inside(problem, level);
  const auto look_at = [&](DomainId domain) {
    const int64_t room = rooms.domain(domain);
    if (room < count || room >= least || !(all || is_below_required(problem, domain))) return;
    tightest = domain;
    least = room;
  };
  if (!problem.bound_hosts.empty()) {
    for (const DomainId domain : candidates(problem, level)) look_at(domain);
    return tightest;
  }
  const DomainRange range = problem.topology.domains(level);
  for (uint32_t i = range.first; i < range.last && least > count; ++i) look_at(static_cast<DomainId>(i));
  return tightest;
}

std::vector<DomainId> candidates_with_room(const Problem& problem, const KindRooms& rooms, LevelId level,
                                           uint32_t count) {
  std::vector<DomainId> domains = candidates(problem, level);
  std::erase_if(domains, [&](DomainId domain) { return rooms.domain(domain) < count; });
  return domains;
}

// The first one, finer levels before coarser.
DomainId roomiest_candidate(const Problem& problem, const KindRooms& rooms) {
  DomainId roomiest = kNoDomain;
  for (const LevelId level : problem.ladder)
    for (const DomainId domain : candidates(problem, level))
      if (roomiest == kNoDomain || rooms.domain(domain) > rooms.domain(roomiest)) roomiest = domain;
  return roomiest;
}

}  // namespace

Outcome decide_identical(Search& search) {
  Problem& problem = search.problem;
  const KindRooms& rooms = problem.rooms(0);
  const Units units(problem.topology, rooms);
  for (const LevelId level : problem.ladder) {
    const DomainId tightest = tightest_candidate(problem, rooms, level, problem.pending);
    if (tightest == kNoDomain) continue;
    if (problem.nodes[0].strategy == Strategy::kSpread) {
      const std::vector<DomainId> domains = candidates_with_room(problem, rooms, level, problem.pending);
      const DomainId widest = *std::max_element(domains.begin(), domains.end(), [&](DomainId a, DomainId b) {
        return rooms.domain(a) < rooms.domain(b);
      });
      return fits(problem, widest, spread(problem, units, widest, problem.pending, search.quality));
    }
    if (const auto packing = pack_at_best(problem, units, tightest, problem.pending, search.quality))
      return fits(problem, tightest, *packing);
    const BestDomain best =
        best_domain(problem, units, candidates_with_room(problem, rooms, level, problem.pending),
                    problem.pending, search.quality);
    return fits(problem, best.domain, best.packing);
  }
  // Not all of them anywhere: as many as possible, if that is enough.
  const DomainId roomiest = roomiest_candidate(problem, rooms);
  if (roomiest == kNoDomain || rooms.domain(roomiest) < problem.needed) return {};
  const auto count = static_cast<uint32_t>(rooms.domain(roomiest));
  return fits(problem, roomiest, pack_units(problem, units, roomiest, count, search.quality));
}

}  // namespace muster::placement
