#include "placement/nested_rooms.h"

#include <algorithm>
#include <utility>

namespace muster::placement {

NestedRooms::NestedRooms(const Problem& problem, std::vector<Tier> tiers,
                         const std::vector<int64_t>& innermost)
    : problem_(problem), tiers_(std::move(tiers)), rooms_(tiers_.size()) {
  const Topology& topology = problem.topology;
  for (const LevelId level : {problem.ladder.back(), tiers_[0].level})
    if (level != kClusterLevel && level != topology.host_level()) tree_ = topology.tree(level);
  // Hosts have the largest numbers and are of use to units of the host level only.
  const std::size_t inner = topology.domain_count() - topology.host_count();
  for (std::size_t k = tiers_.size(); k-- > 0;) {
    const LevelId level = tiers_[k].level;
    rooms_[k].assign(level == topology.host_level() ? topology.domain_count() : inner, 0);
    const DomainRange range = topology.domains(level);
    for (uint32_t i = range.first; i < range.last; ++i) {
      const int64_t room = k + 1 == tiers_.size() ? innermost[i] : rooms_[k + 1][i] / tiers_[k].each;
      if (room > 0) add(k, static_cast<DomainId>(i), room);
    }
  }
}

DomainId NestedRooms::above(DomainId domain) const {
  const Topology& topology = problem_.topology;
  if (topology.level_of(domain) != topology.host_level()) return topology.parent(domain);
  return topology.leaf_domain(topology.hosts(domain).front(), tree_);
}

void NestedRooms::add(std::size_t tier, DomainId domain, int64_t difference) {
  for (; domain != kNoDomain; domain = above(domain)) rooms_[tier][at(domain)] += difference;
}

void NestedRooms::lower(DomainId domain, int64_t room) {
  add(tiers_.size() - 1, domain, room - rooms_.back()[at(domain)]);
  for (std::size_t k = tiers_.size() - 1; k-- > 0;) {
    while (domain != kNoDomain && problem_.topology.level_of(domain) != tiers_[k].level)
      domain = above(domain);
    if (domain == kNoDomain) return;
    add(k, domain, rooms_[k + 1][at(domain)] / tiers_[k].each - rooms_[k][at(domain)]);
  }
}

std::vector<UnitCount> NestedRooms::innermost(std::vector<UnitCount> outer, Budget& quality) const {
  std::vector<UnitCount> out;
  descend(0, std::move(outer), quality, out);
  return out;
}

void NestedRooms::descend(std::size_t tier, std::vector<UnitCount> units, Budget& quality,
                          std::vector<UnitCount>& out) const {
  std::sort(units.begin(), units.end(),
            [](const UnitCount& a, const UnitCount& b) { return a.domain < b.domain; });
  if (tier + 1 == tiers_.size()) {
    out.insert(out.end(), units.begin(), units.end());
    return;
  }
  const Units inner(tiers_[tier + 1].level, rooms_[tier + 1]);
  for (const UnitCount& unit : units)
    descend(tier + 1, pack_units(problem_, inner, unit.domain, unit.count * tiers_[tier].each, quality).units,
            quality, out);
}

}  // namespace muster::placement
