// Units within units (T2): so many inner units make up an outer one, each of which stays in one domain of its
// level. A domain of the innermost level holds as many as it is told; one of the next level as many as its
// inner units make up, rounded down; and so on. Attainable counts are downward closed and add up over
// disjoint domains, so comparing one number decides.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/identical.h"
#include "placement/problem.h"

namespace muster::placement {

struct Tier {
  LevelId level = kClusterLevel;
  uint32_t each =
      1;  // units of the next tier that make up one of this; the last tier's are not made of units
};

class NestedRooms {
 public:
  // Outer tiers first, at least one; the levels nest. `innermost`: by DomainId of the last tier's level, how
  // many units it holds.
  NestedRooms(const Problem& problem, std::vector<Tier> tiers, const std::vector<int64_t>& innermost);

  // Outer units.
  [[nodiscard]] Units outer() const { return {tiers_[0].level, rooms_[0]}; }
  // The innermost domain holds fewer than was said. O(levels × tiers).
  void lower(DomainId domain, int64_t room);
  // A packing of outer units, down to domains of the innermost level, in depth-first order; a domain may be
  // repeated.
  [[nodiscard]] std::vector<UnitCount> innermost(std::vector<UnitCount> outer, Budget& quality) const;

 private:
  [[nodiscard]] DomainId above(DomainId domain) const;
  void add(std::size_t tier, DomainId domain, int64_t difference);
  void descend(std::size_t tier, std::vector<UnitCount> units, Budget& quality,
               std::vector<UnitCount>& out) const;

  const Problem& problem_;
  std::vector<Tier> tiers_;
  std::size_t tree_ = 0;  // in which hosts climb
  // rooms_[k][d]: units k that domain d holds, for d of the tier's level and coarser ones.
  std::vector<std::vector<int64_t>> rooms_;
};

}  // namespace muster::placement
