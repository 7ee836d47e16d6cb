#include "placement/identical.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "placement/subdomains.h"

namespace muster::placement {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// "Holds that many at that cost." A list of steps grows in both; the first step is nothing for nothing.
struct Step {
  uint32_t holds = 0;
  uint32_t before = 0;  // step of the merge before
  uint32_t pick = 0;    // step of the part merged in
  int64_t cost = 0;
};
using Steps = std::vector<Step>;

struct Weights {
  std::vector<int64_t> domain;  // by LevelId: cost of touching one
  int64_t unit = 0;
  int64_t broken = 1;  // touching one that was entirely free
};

// Each level weighs more than everything finer together.
Weights weigh(const Topology& topology, const Units& units, DomainId domain, std::size_t tree,
              uint32_t count) {
  Weights weights;
  weights.domain.assign(topology.level_count(), 0);
  const auto levels = topology.tree_levels(tree);
  const auto hosts = static_cast<int64_t>(topology.host_count());
  int64_t sum = static_cast<int64_t>(count) * static_cast<int64_t>(levels.size()) + 1;
  weights.unit = sum;
  sum *= std::min<int64_t>(count, hosts) + 1;
  for (std::size_t i = levels.size() - 1; i-- > 1;) {
    if (topology.nests(units.level(), levels[i])) continue;  // the units' own level or finer
    if (!topology.nests(topology.level_of(domain), levels[i])) break;
    const auto most = std::min<int64_t>(count, topology.domains(levels[i]).size()) + 1;
    if (sum > kNever / 4 / most) break;  // too many levels for one number: the coarser ones go uncounted
    weights.domain[at(levels[i])] = sum;
    sum *= most;
  }
  return weights;
}

// The tree whose levels matter for the units.
std::size_t unit_tree(const Topology& topology, const Units& units) {
  return units.level() == topology.host_level() ? 0 : topology.tree(units.level());
}

// A domain's parts, as far as units are concerned.
struct UnitParts {
  std::vector<DomainId> inner;  // coarser than a unit's domain
  std::vector<DomainId> units;
};

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

// The exact method: the least cost of holding m members, for every m, bottom up (T5).
class ExactPacker {
 public:
  ExactPacker(const Problem& problem, const Units& units, DomainId domain, std::size_t tree, uint32_t count)
      : problem_(problem),
        units_(units),
        tree_(tree),
        count_(count),
        weights_(weigh(problem.topology, units, domain, tree, count)) {}

  Packing pack(DomainId domain) {
    const Part whole = solve(domain, false);
    const auto last = std::find_if(whole.steps.begin(), whole.steps.end(),
                                   [&](const Step& step) { return step.holds >= count_; });
    MUSTER_CHECK(last != whole.steps.end());
    Packing packing;
    packing.cost = last->cost;
    emit(whole, static_cast<uint32_t>(last - whole.steps.begin()), count_, packing.units);
    return packing;
  }

 private:
  struct Part {
    Steps steps;
    std::vector<DomainId> units;  // leaf: in the order in which they are taken
    std::vector<Part> parts;
    std::vector<Steps> merges;  // merges[i]: after parts 0..i
  };

  [[nodiscard]] int64_t broken(DomainId domain) const {
    return problem_.state.busy_hosts(domain) == 0 ? weights_.broken : 0;
  }

  [[nodiscard]] bool busy(DomainId domain) const { return problem_.state.busy_hosts(domain) > 0; }

  Part solve(DomainId domain, bool counted) {
    UnitParts below = unit_parts(problem_.topology, units_, domain, tree_);
    const int64_t touch =
        counted ? weights_.domain[at(problem_.topology.level_of(domain))] + broken(domain) : 0;
    if (below.inner.empty()) return solve_units(std::move(below.units), touch);
    Part part;
    for (const DomainId inner : below.inner)
      if (units_.room(inner) > 0) part.parts.push_back(solve(inner, true));
    if (!below.units.empty()) part.parts.push_back(solve_units(std::move(below.units), 0));
    Steps sum{Step{}};
    for (const Part& inner : part.parts) {
      sum = merge(sum, inner.steps);
      part.merges.push_back(sum);
    }
    part.steps = sum;
    for (std::size_t i = 1; i < part.steps.size(); ++i) part.steps[i].cost += touch;
    return part;
  }

  // Fewest units' domains: the roomiest first; among equals those in use, then depth-first.
  Part solve_units(std::vector<DomainId> units, int64_t touch) {
    std::erase_if(units, [&](DomainId unit) { return units_.room(unit) == 0; });
    std::stable_sort(units.begin(), units.end(), [&](DomainId a, DomainId b) {
      if (units_.room(a) != units_.room(b)) return units_.room(a) > units_.room(b);
      return busy(a) > busy(b);
    });
    Part part;
    part.steps.push_back(Step{});
    Step step;
    step.cost = touch;
    for (const DomainId unit : units) {
      if (step.holds >= count_) break;
      step.holds = static_cast<uint32_t>(std::min<int64_t>(count_, step.holds + units_.room(unit)));
      step.cost += weights_.unit + broken(unit);
      part.steps.push_back(step);
    }
    part.units = std::move(units);
    return part;
  }

  Steps merge(const Steps& a, const Steps& b) const {
    std::vector<Step> best(count_ + 1, Step{0, 0, 0, kNever});
    for (uint32_t i = 0; i < a.size(); ++i) {
      for (uint32_t j = 0; j < b.size(); ++j) {
        const uint32_t holds = std::min(count_, a[i].holds + b[j].holds);
        const int64_t cost = a[i].cost + b[j].cost;
        if (cost < best[holds].cost) best[holds] = {holds, i, j, cost};
        if (a[i].holds + b[j].holds >= count_) break;
      }
    }
    // What holds more for no more is kept alone.
    Steps kept;
    int64_t least = kNever;
    for (std::size_t m = best.size(); m-- > 0;) {
      if (best[m].cost >= least) continue;
      least = best[m].cost;
      kept.push_back(best[m]);
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
  }

  void emit(const Part& part, uint32_t index, uint32_t count, std::vector<UnitCount>& out) const {
    if (count == 0) return;
    if (part.parts.empty()) {
      emit_units(part, index, count, out);
      return;
    }
    std::vector<uint32_t> picks(part.parts.size());
    std::vector<uint32_t> holds(part.parts.size());
    uint32_t total = 0;
    for (std::size_t i = part.parts.size(); i-- > 0;) {
      const Step& step = part.merges[i][index];
      picks[i] = step.pick;
      holds[i] = part.parts[i].steps[step.pick].holds;
      total += holds[i];
      index = step.before;
    }
    // The steps may hold a little more than asked for: the part with most gives way.
    for (uint32_t surplus = total - count; surplus > 0;) {
      auto most = std::max_element(holds.begin(), holds.end());
      const uint32_t less = std::min(surplus, *most);
      *most -= less;
      surplus -= less;
    }
    for (std::size_t i = 0; i < part.parts.size(); ++i) emit(part.parts[i], picks[i], holds[i], out);
  }

  // As few as before, the last one replaced by the tightest that suffices (T3).
  void emit_units(const Part& part, uint32_t used, uint32_t count, std::vector<UnitCount>& out) const {
    for (uint32_t i = 0; i < used && count > 0; ++i) {
      const int64_t room = units_.room(part.units[i]);
      if (room < count) {
        out.push_back({part.units[i], static_cast<uint32_t>(room)});
        count -= static_cast<uint32_t>(room);
        continue;
      }
      DomainId tightest = part.units[i];
      for (std::size_t k = i + 1; k < part.units.size(); ++k)
        if (units_.room(part.units[k]) >= count && units_.room(part.units[k]) < units_.room(tightest) &&
            busy(part.units[k]) >= busy(tightest))
          tightest = part.units[k];
      out.push_back({tightest, count});
      return;
    }
  }

  const Problem& problem_;
  const Units& units_;
  std::size_t tree_;
  uint32_t count_;
  Weights weights_;
};

// Work the exact method needs, roughly from above.
uint64_t exact_effort(const Topology& topology, const Units& units, DomainId domain, uint32_t count) {
  const uint64_t all = units.level() == topology.host_level()
                           ? topology.hosts(domain).size()
                           : topology.domains_within(domain, units.level()).size();
  return all * std::min<uint64_t>(count, all) + all * 4;
}

class GreedyPacker {
 public:
  GreedyPacker(const Problem& problem, const Units& units, std::size_t tree, Budget& quality)
      : problem_(problem), units_(units), tree_(tree), quality_(quality) {}

  void pack(DomainId domain, uint32_t count, std::vector<UnitCount>& out) {
    if (count == 0) return;
    const uint64_t effort = exact_effort(problem_.topology, units_, domain, count);
    if (quality_.left(effort)) {
      quality_.spend(effort);
      const Packing packing = ExactPacker(problem_, units_, domain, tree_, count).pack(domain);
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
    if (units_.level() == problem_.topology.host_level()) {
      for (const HostIndex host : problem_.topology.hosts(domain)) {
        const DomainId unit = problem_.topology.host_domain(host);
        if (const int64_t room = units_.room(unit); room > 0)
          out.push_back({unit, static_cast<uint32_t>(room)});
      }
      return;
    }
    const UnitParts parts = unit_parts(problem_.topology, units_, domain, tree_);
    for (const DomainId unit : parts.units)
      if (const int64_t room = units_.room(unit); room > 0)
        out.push_back({unit, static_cast<uint32_t>(room)});
    for (const DomainId inner : parts.inner)
      if (units_.room(inner) > 0) take_all(inner, out);
  }

  const Problem& problem_;
  const Units& units_;
  std::size_t tree_;
  Budget& quality_;
};

// The cost of the exact packing of a domain whose parts are hosts, or which is one of the units' domains,
// without the packing.
class PlainCost {
 public:
  // `like`: any domain of the level.
  PlainCost(const Problem& problem, const Units& units, DomainId like, std::size_t tree, uint32_t count)
      : problem_(problem),
        units_(units),
        count_(count),
        weights_(weigh(problem.topology, units, like, tree, count)) {}

  // REQUIRES: the domain has room for the count.
  int64_t of(DomainId domain) {
    if (problem_.topology.level_of(domain) == units_.level())
      return weights_.unit + (problem_.state.busy_hosts(domain) == 0 ? weights_.broken : 0);
    order_.clear();
    for (const HostIndex host : problem_.topology.hosts(domain)) {
      const DomainId unit = problem_.topology.host_domain(host);
      if (const int64_t room = units_.room(unit); room > 0)
        order_.push_back(room * 2 + (problem_.state.busy(host) ? 1 : 0));
    }
    std::sort(order_.begin(), order_.end(), std::greater<>());
    int64_t cost = 0;
    int64_t left = count_;
    for (std::size_t i = 0; i < order_.size() && left > 0; ++i) {
      left -= order_[i] / 2;
      cost += weights_.unit + (order_[i] % 2 == 0 ? weights_.broken : 0);
    }
    return cost;
  }

 private:
  const Problem& problem_;
  const Units& units_;
  uint32_t count_;
  Weights weights_;
  std::vector<int64_t> order_;  // room and whether busy, in one number
};

// Whether hosts are what is packed and the domain is of the finest level above them, or the domain is itself
// what units are packed into.
bool has_plain_cost(const Topology& topology, const Units& units, DomainId domain, std::size_t tree) {
  const LevelId own = topology.level_of(domain);
  if (units.level() == own) return true;
  if (units.level() != topology.host_level()) return false;
  const auto levels = topology.tree_levels(tree);
  return levels.size() > 2 && own != kClusterLevel && own == levels[levels.size() - 2];
}

// Domains by room, the smallest first, then by number; sorted only as far as they are asked for.
class TightestFirst {
 public:
  TightestFirst(const Units& units, const std::vector<DomainId>& domains) {
    items_.reserve(domains.size());
    for (const DomainId domain : domains) items_.emplace_back(units.room(domain), domain);
    std::make_heap(items_.begin(), items_.end(), std::greater<>());
  }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  DomainId pop() {
    std::pop_heap(items_.begin(), items_.end(), std::greater<>());
    const DomainId domain = items_.back().second;
    items_.pop_back();
    return domain;
  }

 private:
  std::vector<std::pair<int64_t, DomainId>> items_;
};

}  // namespace

Packing pack_units(const Problem& problem, const Units& units, DomainId domain, uint32_t count,
                   Budget& quality) {
  const std::size_t tree = tree_of(problem.topology, domain, unit_tree(problem.topology, units));
  const uint64_t effort = exact_effort(problem.topology, units, domain, count);
  if (quality.left(effort)) {
    quality.spend(effort);
    return ExactPacker(problem, units, domain, tree, count).pack(domain);
  }
  Packing packing;
  GreedyPacker(problem, units, tree, quality).pack(domain, count, packing.units);
  return packing;
}

BestDomain best_domain(const Problem& problem, const Units& units, std::vector<DomainId> candidates,
                       uint32_t count, Budget& quality) {
  BestDomain best;
  if (candidates.empty()) return best;
  const std::size_t tree = tree_of(problem.topology, candidates.front(), unit_tree(problem.topology, units));
  std::optional<PlainCost> plain_cost;
  if (has_plain_cost(problem.topology, units, candidates.front(), tree))
    plain_cost.emplace(problem, units, candidates.front(), tree, count);
  // The budget ends after a few hundred, so the order of the others is never needed.
  TightestFirst queue(units, candidates);
  std::optional<int64_t> least;
  while (!queue.empty()) {
    const DomainId domain = queue.pop();
    const uint64_t effort = exact_effort(problem.topology, units, domain, count);
    const bool affordable = quality.left(effort);
    if (best.domain != kNoDomain && !affordable) break;
    if (plain_cost && affordable) {
      quality.spend(effort);
      const int64_t cost = plain_cost->of(domain);
      if (least && cost >= *least) continue;
      least = cost;
      best.domain = domain;
      continue;
    }
    Packing packing = pack_units(problem, units, domain, count, quality);
    const bool better =
        best.domain == kNoDomain || (packing.cost && best.packing.cost && *packing.cost < *best.packing.cost);
    if (!better) continue;
    best.domain = domain;
    best.packing = std::move(packing);
    if (!best.packing.cost) break;
  }
  if (least) best.packing = ExactPacker(problem, units, best.domain, tree, count).pack(best.domain);
  return best;
}

}  // namespace muster::placement
