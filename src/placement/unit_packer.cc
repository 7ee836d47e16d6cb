#include "placement/unit_packer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "placement/subdomains.h"

namespace muster::placement {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

}  // namespace

Weights weigh(const Topology& topology, const Units& units, LevelId above, std::size_t tree, uint32_t count) {
  Weights weights;
  weights.domain.assign(topology.level_count(), 0);
  const auto levels = topology.tree_levels(tree);
  const auto hosts = static_cast<int64_t>(topology.host_count());
  int64_t sum = static_cast<int64_t>(count) * static_cast<int64_t>(levels.size()) + 1;
  weights.unit = sum;
  sum *= std::min<int64_t>(count, hosts) + 1;
  for (std::size_t i = levels.size() - 1; i-- > 1;) {
    if (topology.nests(units.level(), levels[i])) continue;  // the units' own level or finer
    if (!topology.nests(above, levels[i])) break;
    const auto most = std::min<int64_t>(count, topology.domains(levels[i]).size()) + 1;
    if (sum > kNever / 4 / most) break;  // too many levels for one number: the coarser ones go uncounted
    weights.domain[at(levels[i])] = sum;
    sum *= most;
  }
  return weights;
}

UnitParts unit_parts(const Topology& topology, const Units& units, DomainId domain, std::size_t tree) {
  UnitParts result;
  if (topology.level_of(domain) == units.level()) {
    result.units.push_back(domain);
    return result;
  }
  const Parts parts = parts_of(topology, domain, tree);
  for (const DomainId part : parts.domains) {
    const LevelId level = topology.level_of(part);
    if (level == units.level())
      result.units.push_back(part);
    else if (topology.nests(level, units.level()))
      result.inner.push_back(part);
  }
  if (units.level() == topology.host_level())
    for (const HostIndex host : parts.hosts) result.units.push_back(topology.host_domain(host));
  return result;
}

UnitPacker::UnitPacker(const Problem& problem, const Units& units, LevelId above, std::size_t tree,
                       uint32_t count)
    : problem_(problem),
      units_(units),
      tree_(tree),
      count_(count),
      weights_(weigh(problem.topology, units, above, tree, count)),
      leaf_(problem, units, tree),
      levels_(problem.topology.tree_levels(tree)) {}

uint64_t UnitPacker::effort(DomainId domain) const {
  const uint64_t all = units_.level() == problem_.topology.host_level()
                           ? problem_.topology.hosts(domain).size()
                           : problem_.topology.domains_within(domain, units_.level()).size();
  return all * std::min<uint64_t>(count_, all) + all * 4;
}

int64_t UnitPacker::touch(DomainId domain) const {
  return weights_.domain[at(problem_.topology.level_of(domain))] + (busy(domain) ? 0 : weights_.broken);
}

// Where parts of one level have room for all units, using two of them is never as good as using one. Empty
// when that cannot be said.
std::vector<DomainId> UnitPacker::single_parts(DomainId domain) const {
  const Topology& topology = problem_.topology;
  UnitParts below = unit_parts(topology, units_, domain, tree_);
  if (below.inner.empty() || !below.units.empty()) return {};
  const LevelId level = topology.level_of(below.inner.front());
  if (weights_.domain[at(level)] == 0 || topology.level_of(below.inner.back()) != level) return {};
  std::erase_if(below.inner, [&](DomainId part) { return units_.room(part) < count_; });
  return std::move(below.inner);
}

// The cheapest of the parts; the tightest among equals.
DomainId UnitPacker::best_of(const std::vector<DomainId>& singles, int64_t& cost) {
  DomainId best = kNoDomain;
  for (const DomainId part : singles) {
    const int64_t here = touch(part) + least_cost(part);
    const bool better =
        best == kNoDomain || here < cost || (here == cost && units_.room(part) < units_.room(best));
    if (!better) continue;
    best = part;
    cost = here;
  }
  return best;
}

int64_t UnitPacker::least_cost(DomainId domain) {
  if (leaf_.is_leaf(domain)) return leaf_.cost(domain, count_, weights_);
  int64_t cost = 0;
  if (best_of(single_parts(domain), cost) != kNoDomain) return cost;
  const CostTable whole = table(domain, false);
  return whole.steps[step_for(whole, count_)].cost;
}

int64_t UnitPacker::bound(DomainId domain) {
  const int64_t needs = (count_ + units_.most() - 1) / units_.most();
  const int64_t idle = std::max<int64_t>(0, needs - units_.in_use());
  const int64_t units = needs * weights_.unit + idle * weights_.broken;
  return leaf_.is_leaf(domain) ? units : units + parts_bound(domain);
}

// As many domains of the next level as the roomiest ones would be, beside what hangs below none of them.
int64_t UnitPacker::parts_bound(DomainId domain) {
  const Topology& topology = problem_.topology;
  const auto own = std::find(levels_.begin(), levels_.end(), topology.level_of(domain));
  const LevelId below = *std::next(own);
  if (weights_.domain[at(below)] == 0) return 0;
  int64_t left = count_ - units_.room(domain);
  int64_t in_use = 0;
  rooms_.clear();
  const DomainRange range = topology.domains_within(domain, below);
  for (uint32_t i = range.first; i < range.last; ++i) {
    const auto part = static_cast<DomainId>(i);
    const int64_t room = units_.room(part);
    left += room;
    if (room == 0) continue;
    rooms_.push_back(room);
    in_use += busy(part) ? 1 : 0;
  }
  std::make_heap(rooms_.begin(), rooms_.end());
  int64_t needs = 0;
  for (auto end = rooms_.end(); left > 0; ++needs) {
    std::pop_heap(rooms_.begin(), end);
    left -= *--end;
  }
  return needs * weights_.domain[at(below)] + std::max<int64_t>(0, needs - in_use) * weights_.broken;
}

Packing UnitPacker::pack(DomainId domain) {
  Packing packing;
  int64_t cost = 0;
  while (!leaf_.is_leaf(domain)) {
    int64_t here = 0;
    const DomainId part = best_of(single_parts(domain), here);
    if (part == kNoDomain) break;
    cost += touch(part);
    domain = part;
  }
  if (leaf_.is_leaf(domain)) {
    packing.cost = cost + leaf_.cost(domain, count_, weights_);
    leaf_.pack(domain, count_, packing.units);
    return packing;
  }
  const CostTable whole = table(domain, false);
  const uint32_t step = step_for(whole, count_);
  packing.cost = cost + whole.steps[step].cost;
  hand_out(whole, step, count_, [&](const CostTable& leaf, uint32_t used, uint32_t count) {
    take_units(leaf, used, count, packing.units);
  });
  return packing;
}

CostTable UnitPacker::table(DomainId domain, bool counted) const {
  UnitParts below = unit_parts(problem_.topology, units_, domain, tree_);
  const int64_t here = counted ? touch(domain) : 0;
  if (below.inner.empty()) return leaf_table(std::move(below.units), here);
  std::vector<CostTable> parts;
  for (const DomainId inner : below.inner)
    if (units_.room(inner) > 0) parts.push_back(table(inner, true));
  if (!below.units.empty()) parts.push_back(leaf_table(std::move(below.units), 0));
  return sum_of(std::move(parts), here, count_);
}

// Fewest units' domains: the roomiest first; among equals those in use, then depth-first.
CostTable UnitPacker::leaf_table(std::vector<DomainId> units, int64_t touch) const {
  std::erase_if(units, [&](DomainId unit) { return units_.room(unit) == 0; });
  std::stable_sort(units.begin(), units.end(), [&](DomainId a, DomainId b) {
    if (units_.room(a) != units_.room(b)) return units_.room(a) > units_.room(b);
    return busy(a) > busy(b);
  });
  CostTable leaf;
  leaf.steps.push_back({});
  CostStep step;
  step.cost = touch;
  for (const DomainId unit : units) {
    if (step.holds >= count_) break;
    step.holds = static_cast<uint32_t>(std::min<int64_t>(count_, step.holds + units_.room(unit)));
    step.cost += weights_.unit + (busy(unit) ? 0 : weights_.broken);
    leaf.steps.push_back(step);
  }
  leaf.units = std::move(units);
  return leaf;
}

void UnitPacker::take_units(const CostTable& leaf, uint32_t used, uint32_t count,
                            std::vector<UnitCount>& out) const {
  for (uint32_t i = 0; i < used && count > 0; ++i) {
    const int64_t room = units_.room(leaf.units[i]);
    if (room < count) {
      out.push_back({leaf.units[i], static_cast<uint32_t>(room)});
      count -= static_cast<uint32_t>(room);
      continue;
    }
    DomainId tightest = leaf.units[i];
    for (std::size_t k = i + 1; k < leaf.units.size(); ++k)
      if (units_.room(leaf.units[k]) >= count && units_.room(leaf.units[k]) < units_.room(tightest) &&
          busy(leaf.units[k]) >= busy(tightest))
        tightest = leaf.units[k];
    out.push_back({tightest, count});
    return;
  }
}

}  // namespace muster::placement
