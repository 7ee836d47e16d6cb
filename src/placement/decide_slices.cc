// Identical members in nested slices (T2): a domain of the innermost slice level holds floor(members / size)
// slices.
#include <algorithm>
#include <utility>

#include "placement/decision.h"
#include "placement/explain.h"
#include "placement/identical.h"
#include "placement/nested_rooms.h"
#include "placement/slice_packer.h"
#include "placement/subdomains.h"
#include "placement/unit_packer.h"

namespace muster::placement {
namespace {

class SliceDecision {
 public:
  explicit SliceDecision(Search& search) : search_(search), problem_(search.problem), rooms_(count_rooms()) {}

  Outcome run() {
    const auto all = problem_.pending / size();
    const uint32_t least = (problem_.needed + size() - 1) / size();
    const Units outer = rooms_.outer();
    DomainId roomiest = kNoDomain;
    for (const LevelId level : problem_.ladder) {
      std::vector<DomainId> domains = candidates(problem_, level);
      for (const DomainId domain : domains)
        if (roomiest == kNoDomain || outer.room(domain) > outer.room(roomiest)) roomiest = domain;
      std::erase_if(domains, [&](DomainId domain) { return outer.room(domain) < all; });
      if (domains.empty()) continue;
      return write(domains, all);
    }
    Outcome none;
    none.code = NoCode::kSlices;
    if (roomiest == kNoDomain || outer.room(roomiest) < least) {
      explain_misses(outer, least, none);
      return none;
    }
    return write({roomiest}, static_cast<uint32_t>(outer.room(roomiest)));
  }

 private:
  // Members of an outer slice.
  [[nodiscard]] uint32_t size() const { return problem_.request.subgroups[0].slices[0].size; }

  [[nodiscard]] NestedRooms count_rooms() const {
    const Topology& topology = problem_.topology;
    const auto& slices = problem_.request.subgroups[0].slices;
    std::vector<Tier> tiers;
    for (std::size_t k = 0; k < slices.size(); ++k)
      tiers.push_back({*topology.find_level(slices[k].level),
                       k + 1 < slices.size() ? slices[k].size / slices[k + 1].size : 1});
    const DomainRange range = topology.domains(tiers.back().level);
    std::vector<int64_t> innermost(range.last, 0);
    const KindRooms& members = problem_.rooms(0);
    for (uint32_t i = range.first; i < range.last; ++i)
      innermost[i] = members.domain(static_cast<DomainId>(i)) / slices.back().size;
    return {problem_, std::move(tiers), innermost};
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

  // Consecutive ranks stay together: the slots are in the order of the domains, hosts inside each in their
  // own.
  Outcome write(const std::vector<DomainId>& domains, uint32_t slices) {
    Outcome outcome;
    outcome.answer = Answer::kFits;
    outcome.in_rank_order = true;
    outcome.slots.reserve(problem_.pending);
    const Units members(problem_.topology, problem_.rooms(0));
    if (const auto best = best_for_slices(problem_, members, domains, slices * size(), search_.quality)) {
      outcome.domain = best->domain;
      add_slots(best->packing.units, outcome);
      return outcome;
    }
    const BestDomain best = best_domain(problem_, rooms_.outer(), domains, slices, search_.quality);
    outcome.domain = best.domain;
    write_by_domains(best.packing, members, outcome);
    return outcome;
  }

  // Slices to domains is decided; members go to hosts in each of these alone.
  void write_by_domains(const Packing& packing, const Units& members, Outcome& outcome) {
    const uint32_t size = problem_.request.subgroups[0].slices.back().size;
    const std::vector<UnitCount> innermost = rooms_.innermost(packing.units, search_.quality);
    LeafPacker leaf(problem_, members, tree_of(problem_.topology, innermost.front().domain));
    std::vector<UnitCount> hosts;
    for (const UnitCount& slices : innermost) {
      hosts.clear();
      if (leaf.is_leaf(slices.domain))
        leaf.pack(slices.domain, slices.count * size, hosts);
      else
        hosts = pack_units(problem_, members, slices.domain, slices.count * size, search_.quality).units;
      std::sort(hosts.begin(), hosts.end(),
                [](const UnitCount& a, const UnitCount& b) { return a.domain < b.domain; });
      add_slots(hosts, outcome);
    }
  }

  void add_slots(const std::vector<UnitCount>& hosts, Outcome& outcome) const {
    for (const UnitCount& it : hosts)
      outcome.slots.push_back({0, 0, problem_.topology.hosts(it.domain).front(), it.count});
  }

  Search& search_;
  Problem& problem_;
  NestedRooms rooms_;
};

}  // namespace

Outcome decide_slices(Search& search) { return SliceDecision(search).run(); }

}  // namespace muster::placement
