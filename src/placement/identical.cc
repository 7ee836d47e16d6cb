#include "placement/identical.h"

#include <algorithm>
#include <limits>
#include <numeric>

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
  int64_t host = 0;
  int64_t broken = 1;  // touching one that was entirely free
};

// Each level weighs more than everything finer together.
Weights weigh(const Topology& topology, DomainId domain, std::size_t tree, uint32_t count) {
  Weights weights;
  weights.domain.assign(topology.level_count(), 0);
  const auto levels = topology.tree_levels(tree);
  const auto hosts = static_cast<int64_t>(topology.host_count());
  int64_t sum = static_cast<int64_t>(count) * static_cast<int64_t>(levels.size()) + 1;
  weights.host = sum;
  sum *= std::min<int64_t>(count, hosts) + 1;
  for (std::size_t i = levels.size() - 1; i-- > 1;) {
    if (!topology.nests(topology.level_of(domain), levels[i])) break;
    const auto most = std::min<int64_t>(count, topology.domains(levels[i]).size()) + 1;
    if (sum > kNever / 4 / most) break;  // too many levels for one number: the coarser ones go uncounted
    weights.domain[at(levels[i])] = sum;
    sum *= most;
  }
  return weights;
}

// The exact method: the least cost of holding m members, for every m, bottom up (T5).
class ExactPacker {
 public:
  ExactPacker(Problem& problem, const KindRooms& rooms, std::size_t tree, uint32_t count, Weights weights)
      : problem_(problem), rooms_(rooms), tree_(tree), count_(count), weights_(std::move(weights)) {}

  Packing pack(DomainId domain) {
    const Part whole = solve(domain, false);
    const auto last = std::find_if(whole.steps.begin(), whole.steps.end(),
                                   [&](const Step& step) { return step.holds >= count_; });
    MUSTER_CHECK(last != whole.steps.end());
    Packing packing;
    packing.cost = last->cost;
    emit(whole, static_cast<uint32_t>(last - whole.steps.begin()), count_, packing.hosts);
    return packing;
  }

 private:
  struct Part {
    Steps steps;
    std::vector<HostIndex> hosts;  // leaf: in the order in which they are taken
    std::vector<Part> parts;
    std::vector<Steps> merges;  // merges[i]: after parts 0..i
  };

  [[nodiscard]] int64_t broken(DomainId domain) const {
    return problem_.state.busy_hosts(domain) == 0 ? weights_.broken : 0;
  }

  Part solve(DomainId domain, bool counted) {
    Parts below = parts_of(problem_.topology, domain, tree_);
    const int64_t touch =
        counted ? weights_.domain[at(problem_.topology.level_of(domain))] + broken(domain) : 0;
    if (below.domains.empty()) return solve_hosts(std::move(below.hosts), touch);
    Part part;
    for (const DomainId inner : below.domains)
      if (rooms_.domain(inner) > 0) part.parts.push_back(solve(inner, true));
    if (!below.hosts.empty()) part.parts.push_back(solve_hosts(std::move(below.hosts), 0));
    Steps sum{Step{}};
    for (const Part& inner : part.parts) {
      sum = merge(sum, inner.steps);
      part.merges.push_back(sum);
    }
    part.steps = sum;
    for (std::size_t i = 1; i < part.steps.size(); ++i) part.steps[i].cost += touch;
    return part;
  }

  // Fewest hosts: the roomiest first; among equals those in use, then depth-first.
  Part solve_hosts(std::vector<HostIndex> hosts, int64_t touch) {
    std::erase_if(hosts, [&](HostIndex host) { return rooms_.host(host) == 0; });
    std::stable_sort(hosts.begin(), hosts.end(), [&](HostIndex a, HostIndex b) {
      if (rooms_.host(a) != rooms_.host(b)) return rooms_.host(a) > rooms_.host(b);
      return problem_.state.busy(a) > problem_.state.busy(b);
    });
    Part part;
    part.steps.push_back(Step{});
    Step step;
    step.cost = touch;
    for (const HostIndex host : hosts) {
      if (step.holds >= count_) break;
      step.holds = std::min<uint32_t>(count_, step.holds + static_cast<uint32_t>(rooms_.host(host)));
      step.cost += weights_.host + (problem_.state.busy(host) ? 0 : weights_.broken);
      part.steps.push_back(step);
    }
    part.hosts = std::move(hosts);
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

  void emit(const Part& part, uint32_t index, uint32_t count, std::vector<HostCount>& out) const {
    if (count == 0) return;
    if (part.parts.empty()) {
      emit_hosts(part, index, count, out);
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

  // As few hosts as before, the last one replaced by the tightest that suffices (T3).
  void emit_hosts(const Part& part, uint32_t hosts, uint32_t count, std::vector<HostCount>& out) const {
    for (uint32_t i = 0; i < hosts && count > 0; ++i) {
      const auto room = static_cast<uint32_t>(rooms_.host(part.hosts[i]));
      if (room < count) {
        out.push_back({part.hosts[i], room});
        count -= room;
        continue;
      }
      HostIndex tightest = part.hosts[i];
      for (std::size_t k = i + 1; k < part.hosts.size(); ++k)
        if (static_cast<uint32_t>(rooms_.host(part.hosts[k])) >= count &&
            rooms_.host(part.hosts[k]) < rooms_.host(tightest) &&
            problem_.state.busy(part.hosts[k]) >= problem_.state.busy(tightest))
          tightest = part.hosts[k];
      out.push_back({tightest, count});
      return;
    }
  }

  Problem& problem_;
  const KindRooms& rooms_;
  std::size_t tree_;
  uint32_t count_;
  Weights weights_;
};

// Work the exact method needs, roughly from above.
uint64_t exact_effort(const Topology& topology, DomainId domain, uint32_t count) {
  const uint64_t hosts = topology.hosts(domain).size();
  return hosts * std::min<uint64_t>(count, hosts) + hosts * 4;
}

class GreedyPacker {
 public:
  GreedyPacker(Problem& problem, uint32_t kind, std::size_t tree, Budget& quality)
      : problem_(problem), kind_(kind), rooms_(problem.rooms(kind)), tree_(tree), quality_(quality) {}

  void pack(DomainId domain, uint32_t count, std::vector<HostCount>& out) {
    if (count == 0) return;
    const uint64_t effort = exact_effort(problem_.topology, domain, count);
    if (quality_.left(effort)) {
      quality_.spend(effort);
      ExactPacker exact(problem_, rooms_, tree_, count, weigh(problem_.topology, domain, tree_, count));
      const Packing packing = exact.pack(domain);
      out.insert(out.end(), packing.hosts.begin(), packing.hosts.end());
      return;
    }
    const Parts parts = parts_of(problem_.topology, domain, tree_);
    if (parts.domains.empty()) {
      fill_hosts(parts.hosts, count, out);
      return;
    }
    fill_parts(parts, count, out);
  }

 private:
  struct Item {
    int64_t room = 0;
    DomainId domain = kNoDomain;  // or
    HostIndex host = kNoHost;
  };

  // Fewest parts (T3): the roomiest first, the last one the tightest that suffices.
  void fill_parts(const Parts& parts, uint32_t count, std::vector<HostCount>& out) {
    std::vector<Item> items;
    for (const DomainId domain : parts.domains)
      if (const int64_t room = rooms_.domain(domain); room > 0) items.push_back({room, domain, kNoHost});
    for (const HostIndex host : parts.hosts)
      if (const int64_t room = rooms_.host(host); room > 0) items.push_back({room, kNoDomain, host});
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
      const std::size_t needs = parts_needed(items[i], count);
      if (needs < fewest) {
        fewest = needs;
        best = i;
      }
      if (fewest == 1 || i == first) break;
    }
    return items[best];
  }

  [[nodiscard]] std::size_t parts_needed(const Item& item, uint32_t count) const {
    if (item.host != kNoHost) return 1;
    const Parts parts = parts_of(problem_.topology, item.domain, tree_);
    std::vector<int64_t> room;
    for (const DomainId domain : parts.domains) room.push_back(rooms_.domain(domain));
    for (const HostIndex host : parts.hosts) room.push_back(rooms_.host(host));
    std::sort(room.begin(), room.end(), std::greater<>());
    int64_t left = count;
    std::size_t used = 0;
    while (used < room.size() && left > 0) left -= room[used++];
    return used;
  }

  void take(const Item& item, uint32_t count, std::vector<HostCount>& out) {
    if (item.host != kNoHost) {
      out.push_back({item.host, count});
    } else if (static_cast<int64_t>(count) == item.room) {
      for (const HostIndex host : problem_.topology.hosts(item.domain))
        if (const int32_t room = rooms_.host(host); room > 0)
          out.push_back({host, static_cast<uint32_t>(room)});
    } else {
      pack(item.domain, count, out);
    }
  }

  void fill_hosts(const std::vector<HostIndex>& hosts, uint32_t count, std::vector<HostCount>& out) {
    Parts only;
    only.hosts = hosts;
    fill_parts(only, count, out);
  }

  Problem& problem_;
  uint32_t kind_;
  const KindRooms& rooms_;
  std::size_t tree_;
  Budget& quality_;
};

}  // namespace

Packing pack_identical(Problem& problem, uint32_t kind, DomainId domain, uint32_t count, Budget& quality) {
  const std::size_t tree = tree_of(problem.topology, domain);
  const uint64_t effort = exact_effort(problem.topology, domain, count);
  if (quality.left(effort)) {
    quality.spend(effort);
    ExactPacker exact(problem, problem.rooms(kind), tree, count,
                      weigh(problem.topology, domain, tree, count));
    return exact.pack(domain);
  }
  Packing packing;
  GreedyPacker(problem, kind, tree, quality).pack(domain, count, packing.hosts);
  return packing;
}

BestDomain best_domain(Problem& problem, uint32_t kind, std::vector<DomainId> candidates, uint32_t count,
                       Budget& quality) {
  const KindRooms& rooms = problem.rooms(kind);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](DomainId a, DomainId b) { return rooms.domain(a) < rooms.domain(b); });
  BestDomain best;
  for (const DomainId domain : candidates) {
    if (best.domain != kNoDomain && !quality.left(exact_effort(problem.topology, domain, count))) break;
    Packing packing = pack_identical(problem, kind, domain, count, quality);
    const bool better =
        best.domain == kNoDomain || (packing.cost && best.packing.cost && *packing.cost < *best.packing.cost);
    if (!better) continue;
    best.domain = domain;
    best.packing = std::move(packing);
    if (!best.packing.cost) break;
  }
  return best;
}

}  // namespace muster::placement
