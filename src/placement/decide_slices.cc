// Identical members in nested slices (T2). A domain of the innermost slice level holds floor(members / size)
// slices; one of the next level as many as its inner slices make up, rounded down; and so on. Attainable
// counts are downward closed and add up over disjoint domains, so comparing one number decides.
#include <algorithm>

#include "placement/decision.h"
#include "placement/explain.h"
#include "placement/identical.h"
#include "placement/subdomains.h"

namespace muster::placement {
namespace {

class SliceDecision {
 public:
  explicit SliceDecision(Search& search) : search_(search), problem_(search.problem) {
    for (const Slice& slice : problem_.request.subgroups[0].slices) {
      sizes_.push_back(slice.size);
      levels_.push_back(*problem_.topology.find_level(slice.level));
    }
    count_rooms();
  }

  Outcome run() {
    const auto all = problem_.pending / sizes_[0];
    const uint32_t least = (problem_.needed + sizes_[0] - 1) / sizes_[0];
    const Units outer(levels_[0], rooms_[0]);
    DomainId roomiest = kNoDomain;
    for (const LevelId level : problem_.ladder) {
      std::vector<DomainId> domains = candidates(problem_, level);
      for (const DomainId domain : domains)
        if (roomiest == kNoDomain || outer.room(domain) > outer.room(roomiest)) roomiest = domain;
      std::erase_if(domains, [&](DomainId domain) { return outer.room(domain) < all; });
      if (domains.empty()) continue;
      const BestDomain best = best_domain(problem_, outer, domains, all, search_.quality);
      return write(best.domain, best.packing);
    }
    Outcome none;
    none.code = NoCode::kSlices;
    if (roomiest == kNoDomain || outer.room(roomiest) < least) {
      explain_misses(outer, least, none);
      return none;
    }
    const auto count = static_cast<uint32_t>(outer.room(roomiest));
    return write(roomiest, pack_units(problem_, outer, roomiest, count, search_.quality));
  }

 private:
  // rooms_[k][d]: slices k that domain d holds, for d of the slice's level and coarser ones.
  void count_rooms() {
    const Topology& topology = problem_.topology;
    const KindRooms& members = problem_.rooms(0);
    rooms_.assign(sizes_.size(), {});
    // Hosts have the largest numbers and are of use to slices of the host level only.
    const std::size_t inner = topology.domain_count() - topology.host_count();
    for (std::size_t k = sizes_.size(); k-- > 0;) {
      const bool innermost = k + 1 == sizes_.size();
      auto& rooms = rooms_[k];
      rooms.assign(levels_[k] == topology.host_level() ? topology.domain_count() : inner, 0);
      const DomainRange range = topology.domains(levels_[k]);
      for (uint32_t i = range.first; i < range.last; ++i) {
        const auto domain = static_cast<DomainId>(i);
        rooms[i] =
            innermost ? members.domain(domain) / sizes_[k] : rooms_[k + 1][i] / (sizes_[k] / sizes_[k + 1]);
        if (rooms[i] == 0) continue;
        for (DomainId up = above(domain); up != kNoDomain; up = topology.parent(up))
          rooms[at(up)] += rooms[i];
      }
    }
  }

  void explain_misses(const Units& outer, uint32_t least, Outcome& outcome) {
    for (std::size_t i = problem_.ladder.size(); i-- > 0;) {
      DomainId best = kNoDomain;
      for (const DomainId domain : candidates(problem_, problem_.ladder[i]))
        if (best == kNoDomain || outer.room(domain) > outer.room(best)) best = domain;
      if (best == kNoDomain) continue;
      Miss miss = miss_in(problem_, best);
      miss.slices = true;
      miss.holds = static_cast<uint32_t>(std::min<int64_t>(outer.room(best), least));
      miss.wanted = least;
      outcome.nearest.push_back(miss);
    }
  }

  // Hosts climb in the tree of the outer slices.
  [[nodiscard]] DomainId above(DomainId domain) const {
    const Topology& topology = problem_.topology;
    if (topology.level_of(domain) != topology.host_level()) return topology.parent(domain);
    const LevelId outer = levels_[0];
    const LevelId ladder = problem_.ladder.back();
    std::size_t tree = 0;
    for (const LevelId level : {ladder, outer})
      if (level != kClusterLevel && level != topology.host_level()) tree = topology.tree(level);
    return topology.leaf_domain(topology.hosts(domain).front(), tree);
  }

  Outcome write(DomainId domain, const Packing& packing) {
    Outcome outcome;
    outcome.answer = Answer::kFits;
    outcome.domain = domain;
    outcome.in_rank_order = true;
    place(0, packing.units, outcome.slots);
    return outcome;
  }

  // Slices of depth k into the domains of a packing, depth first, so that consecutive ranks stay together.
  void place(std::size_t depth, std::vector<UnitCount> units, std::vector<Slot>& slots) {
    std::sort(units.begin(), units.end(),
              [](const UnitCount& a, const UnitCount& b) { return a.domain < b.domain; });
    for (const UnitCount& unit : units) {
      if (depth == sizes_.size()) {
        slots.push_back({0, 0, problem_.topology.hosts(unit.domain).front(), unit.count});
        continue;
      }
      const bool innermost = depth + 1 == sizes_.size();
      const uint32_t each = innermost ? sizes_[depth] : sizes_[depth] / sizes_[depth + 1];
      const Units inner = innermost ? Units(problem_.topology, problem_.rooms(0))
                                    : Units(levels_[depth + 1], rooms_[depth + 1]);
      place(depth + 1, pack_units(problem_, inner, unit.domain, unit.count * each, search_.quality).units,
            slots);
    }
  }

  Search& search_;
  Problem& problem_;
  std::vector<uint32_t> sizes_;
  std::vector<LevelId> levels_;
  std::vector<std::vector<int64_t>> rooms_;
};

}  // namespace

Outcome decide_slices(Search& search) { return SliceDecision(search).run(); }

}  // namespace muster::placement
