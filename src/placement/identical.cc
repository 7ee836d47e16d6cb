#include "placement/identical.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "placement/subdomains.h"
#include "placement/unit_packer.h"

namespace muster::placement {
namespace {

// The tree whose levels matter for the units.
std::size_t unit_tree(const Topology& topology, const Units& units) {
  return units.level() == topology.host_level() ? 0 : topology.tree(units.level());
}

class GreedyPacker {
 public:
  GreedyPacker(const Problem& problem, const Units& units, std::size_t tree, Budget& quality)
      : problem_(problem), units_(units), tree_(tree), quality_(quality), leaf_(problem, units, tree) {}

  void pack(DomainId domain, uint32_t count, std::vector<UnitCount>& out) {
    if (count == 0) return;
    if (leaf_.is_leaf(domain)) {
      leaf_.pack(domain, count, out);
      return;
    }
    UnitPacker exact(problem_, units_, problem_.topology.level_of(domain), tree_, count);
    if (const uint64_t effort = exact.effort(domain); quality_.left(effort)) {
      quality_.spend(effort);
      const Packing packing = exact.pack(domain);
      out.insert(out.end(), packing.units.begin(), packing.units.end());
      return;
    }
    fill_parts(unit_parts(problem_.topology, units_, domain, tree_), count, out);
  }

 private:
  struct Item {
    int64_t room = 0;
    DomainId domain = kNoDomain;
  };

  // Fewest parts (T3): the roomiest first, the last one the tightest that suffices.
  void fill_parts(const UnitParts& parts, uint32_t count, std::vector<UnitCount>& out) {
    std::vector<Item> items;
    for (const auto* list : {&parts.inner, &parts.units})
      for (const DomainId domain : *list)
        if (const int64_t room = units_.room(domain); room > 0) items.push_back({room, domain});
    std::stable_sort(items.begin(), items.end(),
                     [](const Item& a, const Item& b) { return a.room > b.room; });
    int64_t left = count;
    for (std::size_t i = 0; i < items.size() && left > 0; ++i) {
      if (items[i].room < left) {
        take(items[i], static_cast<uint32_t>(items[i].room), out);
        left -= items[i].room;
        continue;
      }
      std::size_t last = i;
      while (last + 1 < items.size() && items[last + 1].room >= left) ++last;
      take(fewest_parts(items, i, last, static_cast<uint32_t>(left)), static_cast<uint32_t>(left), out);
      left = 0;
    }
  }

  // Among items[first..last], all large enough, the one that itself needs fewest parts; the tightest among
  // equals. Looks at a bounded number, tightest first.
  const Item& fewest_parts(const std::vector<Item>& items, std::size_t first, std::size_t last,
                           uint32_t count) {
    constexpr std::size_t kLooks = 64;
    std::size_t best = last;
    std::size_t fewest = SIZE_MAX;
    for (std::size_t look = 0; look < kLooks && last - look >= first; ++look) {
      const std::size_t i = last - look;
      const std::size_t needs = parts_needed(items[i].domain, count);
      if (needs < fewest) {
        fewest = needs;
        best = i;
      }
      if (fewest == 1 || i == first) break;
    }
    return items[best];
  }

  [[nodiscard]] std::size_t parts_needed(DomainId domain, uint32_t count) const {
    const UnitParts parts = unit_parts(problem_.topology, units_, domain, tree_);
    std::vector<int64_t> room;
    for (const auto* list : {&parts.inner, &parts.units})
      for (const DomainId part : *list) room.push_back(units_.room(part));
    std::sort(room.begin(), room.end(), std::greater<>());
    int64_t left = count;
    std::size_t used = 0;
    while (used < room.size() && left > 0) left -= room[used++];
    return used;
  }

  void take(const Item& item, uint32_t count, std::vector<UnitCount>& out) {
    if (problem_.topology.level_of(item.domain) == units_.level())
      out.push_back({item.domain, count});
    else if (static_cast<int64_t>(count) == item.room)
      take_all(item.domain, out);
    else
      pack(item.domain, count, out);
  }

  void take_all(DomainId domain, std::vector<UnitCount>& out) {
    const Topology& topology = problem_.topology;
    const auto take_unit = [&](DomainId unit) {
      if (const int64_t room = units_.room(unit); room > 0)
        out.push_back({unit, static_cast<uint32_t>(room)});
    };
    if (units_.level() == topology.host_level()) {
      for (const HostIndex host : topology.hosts(domain)) take_unit(topology.host_domain(host));
      return;
    }
    const DomainRange range = topology.domains_within(domain, units_.level());
    for (uint32_t i = range.first; i < range.last; ++i) take_unit(static_cast<DomainId>(i));
  }

  const Problem& problem_;
  const Units& units_;
  std::size_t tree_;
  Budget& quality_;
  LeafPacker leaf_;
};

// Domains by room, the smallest first, then in their order. Rooms are small numbers mostly: they are counted.
std::vector<DomainId> tightest_first(const Units& units, std::vector<DomainId> domains) {
  std::vector<int64_t> rooms;
  rooms.reserve(domains.size());
  for (const DomainId domain : domains) rooms.push_back(units.room(domain));
  const auto most = static_cast<std::size_t>(*std::max_element(rooms.begin(), rooms.end()));
  if (most > 4 * domains.size()) {
    std::stable_sort(domains.begin(), domains.end(),
                     [&](DomainId a, DomainId b) { return units.room(a) < units.room(b); });
    return domains;
  }
  std::vector<uint32_t> place(most + 2);  // by room: where the next of this room goes
  for (const int64_t room : rooms) ++place[static_cast<std::size_t>(room) + 1];
  std::partial_sum(place.begin(), place.end(), place.begin());
  std::vector<DomainId> sorted(domains.size());
  for (std::size_t i = 0; i < domains.size(); ++i)
    sorted[place[static_cast<std::size_t>(rooms[i])]++] = domains[i];
  return sorted;
}

}  // namespace

Packing pack_units(const Problem& problem, const Units& units, DomainId domain, uint32_t count,
                   Budget& quality) {
  const std::size_t tree = tree_of(problem.topology, domain, unit_tree(problem.topology, units));
  Packing packing;
  if (LeafPacker leaf(problem, units, tree); leaf.is_leaf(domain)) {
    leaf.pack(domain, count, packing.units);
    return packing;
  }
  UnitPacker exact(problem, units, problem.topology.level_of(domain), tree, count);
  if (const uint64_t effort = exact.effort(domain); quality.left(effort)) {
    quality.spend(effort);
    return exact.pack(domain);
  }
  GreedyPacker(problem, units, tree, quality).pack(domain, count, packing.units);
  return packing;
}

std::optional<Packing> pack_at_best(const Problem& problem, const Units& units, DomainId domain,
                                    uint32_t count, Budget& quality) {
  const Topology& topology = problem.topology;
  const std::size_t tree = tree_of(topology, domain, unit_tree(topology, units));
  UnitPacker exact(problem, units, topology.level_of(domain), tree, count);
  const uint64_t effort = exact.effort(domain);
  if (!exact.is_leaf(domain) || !quality.left(effort)) return std::nullopt;
  if (exact.least_cost(domain) > exact.bound(domain)) return std::nullopt;
  quality.spend(effort);
  return exact.pack(domain);
}

BestDomain best_domain(const Problem& problem, const Units& units, const std::vector<DomainId>& candidates,
                       uint32_t count, Budget& quality) {
  BestDomain best;
  if (candidates.empty()) return best;
  const Topology& topology = problem.topology;
  const std::size_t tree = tree_of(topology, candidates.front(), unit_tree(topology, units));
  UnitPacker exact(problem, units, topology.level_of(candidates.front()), tree, count);
  for (const DomainId domain : tightest_first(units, candidates)) {
    const uint64_t effort = exact.effort(domain);
    if (!quality.left(effort)) {
      if (best.domain == kNoDomain) return {domain, pack_units(problem, units, domain, count, quality)};
      break;
    }
    // Paid for whatever the bound says: which domains are looked at is the budget's business alone.
    quality.spend(effort);
    if (best.domain != kNoDomain && exact.bound(domain) >= *best.packing.cost) continue;
    Packing packing = exact.is_leaf(domain) ? Packing{exact.least_cost(domain), {}} : exact.pack(domain);
    if (best.domain != kNoDomain && *packing.cost >= *best.packing.cost) continue;
    best = {domain, std::move(packing)};
  }
  if (best.packing.units.empty()) best.packing = exact.pack(best.domain);
  return best;
}

}  // namespace muster::placement
