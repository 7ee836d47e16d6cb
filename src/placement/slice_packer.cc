#include "placement/slice_packer.h"

#include <algorithm>
#include <utility>

#include "placement/subdomains.h"

namespace muster::placement {

SlicePacker::SlicePacker(const Problem& problem, const Units& members, LevelId above, std::size_t tree,
                         uint32_t count)
    : problem_(problem),
      units_(members),
      members_(problem, members, above, tree, count),
      tree_(tree),
      count_(count) {
  const auto& slices = problem.request.subgroups[0].slices;
  for (std::size_t k = 0; k < slices.size(); ++k)
    tiers_.push_back({*problem.topology.find_level(slices[k].level), slices[k].size,
                      k + 1 < slices.size() ? slices[k].size / slices[k + 1].size : slices[k].size});
}

// Counted in slices of the tier; past the last one in members.
CostTable SlicePacker::table(DomainId domain, std::size_t tier, bool counted) const {
  const Topology& topology = problem_.topology;
  if (tier == tiers_.size()) return members_.table(domain, counted);
  const Tier& here = tiers_[tier];
  if (topology.level_of(domain) == here.level) return grouped(table(domain, tier + 1, counted), here.each);
  const UnitParts below = unit_parts(topology, units_, domain, tree_);
  std::vector<CostTable> parts;
  for (const DomainId inner : below.inner)
    if (topology.nests(topology.level_of(inner), here.level)) parts.push_back(table(inner, tier, true));
  if (here.level == topology.host_level())
    for (const DomainId host : below.units) parts.push_back(table(host, tier, false));
  return sum_of(std::move(parts), counted ? members_.touch(domain) : 0, count_ / here.size);
}

Packing SlicePacker::pack(DomainId domain) const {
  const Topology& topology = problem_.topology;
  const CostTable whole = table(domain, 0, false);
  const uint32_t slices = count_ / tiers_.front().size;
  const uint32_t step = step_for(whole, slices);
  Packing packing;
  packing.cost = whole.steps[step].cost;
  hand_out(whole, step, slices, [&](const CostTable& leaf, uint32_t used, uint32_t count) {
    members_.take_units(leaf, used, count, packing.units);
  });
  std::sort(packing.units.begin(), packing.units.end(), [&](const UnitCount& a, const UnitCount& b) {
    for (const Tier& tier : tiers_) {
      const DomainId of_a = topology.domain_of(topology.hosts(a.domain).front(), tier.level);
      const DomainId of_b = topology.domain_of(topology.hosts(b.domain).front(), tier.level);
      if (of_a != of_b) return of_a < of_b;
    }
    return a.domain < b.domain;
  });
  return packing;
}

std::optional<BestDomain> best_for_slices(const Problem& problem, const Units& members,
                                          const std::vector<DomainId>& candidates, uint32_t count,
                                          Budget& quality) {
  const Topology& topology = problem.topology;
  const LevelId slices = *topology.find_level(problem.request.subgroups[0].slices.front().level);
  const std::size_t fallback = slices == topology.host_level() ? 0 : topology.tree(slices);
  const std::size_t tree = tree_of(topology, candidates.front(), fallback);
  const SlicePacker packer(problem, members, topology.level_of(candidates.front()), tree, count);
  uint64_t effort = 0;
  for (const DomainId domain : candidates) {
    effort += packer.effort(domain);
    if (!quality.left(effort)) return std::nullopt;
  }
  quality.spend(effort);
  BestDomain best;
  for (const DomainId domain : candidates) {
    Packing packing = packer.pack(domain);
    const bool tighter = best.domain != kNoDomain && members.room(domain) < members.room(best.domain);
    const bool better = best.domain == kNoDomain || *packing.cost < *best.packing.cost ||
                        (*packing.cost == *best.packing.cost && tighter);
    if (!better) continue;
    best.domain = domain;
    best.packing = std::move(packing);
  }
  return best;
}

}  // namespace muster::placement
