// Identical members (T1, T3, T4, T5): which hosts of a domain take how many, touching as few domains as
// possible.
//
// Order of what is better: fewer domains at the coarsest level below the given one, then at the next finer,
// …, then fewer hosts, then fewer domains and hosts that were entirely free, then less room left on the hosts
// used.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "muster/ids.h"
#include "placement/problem.h"

namespace muster::placement {

// What is packed: members onto hosts, or (T2) slices into domains of their level.
class Units {
 public:
  // Members of a kind on hosts.
  explicit Units(const Topology& topology, const KindRooms& rooms)
      : level_(topology.host_level()), members_(&rooms) {}
  // Slices in domains of `level`; rooms by DomainId, those of coarser levels added up, finer ones not looked
  // at.
  Units(LevelId level, const std::vector<int64_t>& rooms) : level_(level), slices_(&rooms) {}

  [[nodiscard]] LevelId level() const { return level_; }
  [[nodiscard]] int64_t room(DomainId domain) const {
    return members_ != nullptr ? members_->domain(domain) : (*slices_)[at(domain)];
  }
  // No domain of the level has room for more.
  [[nodiscard]] int64_t most() const { return members_ != nullptr ? members_->most() : kMaxRoom; }
  // No more domains of the level are busy and have room.
  [[nodiscard]] int64_t in_use() const { return members_ != nullptr ? members_->in_use() : kMaxRoom; }

 private:
  LevelId level_;
  const KindRooms* members_ = nullptr;
  const std::vector<int64_t>* slices_ = nullptr;
};

struct UnitCount {
  DomainId domain = kNoDomain;  // of the units' level
  uint32_t count = 0;
};

struct Packing {
  // Lexicographic cost as above in one number; comparable between domains of one level for one request.
  // Absent when the packing was found greedily.
  std::optional<int64_t> cost;
  std::vector<UnitCount> units;
};

// Packs exactly `count` units into the domain; optimal while `quality` lasts, else greedy.
// REQUIRES: 0 < count <= units.room(domain); the domain's level is that of the units or coarser.
[[nodiscard]] Packing pack_units(const Problem& problem, const Units& units, DomainId domain, uint32_t count,
                                 Budget& quality);

// The packing of the domain where it is certain that no other domain of its level has a better one, which
// takes no look at any of them: all members on as few hosts as the roomiest ones would be. Absent otherwise.
// REQUIRES: as for pack_units().
[[nodiscard]] std::optional<Packing> pack_at_best(const Problem& problem, const Units& units, DomainId domain,
                                                  uint32_t count, Budget& quality);

// Of the domains given, all with room for `count`, the best one and its packing. The tightest comes first
// among equals.
struct BestDomain {
  DomainId domain = kNoDomain;
  Packing packing;
};
[[nodiscard]] BestDomain best_domain(const Problem& problem, const Units& units,
                                     const std::vector<DomainId>& candidates, uint32_t count,
                                     Budget& quality);

}  // namespace muster::placement
