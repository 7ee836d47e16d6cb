// The exact method for identical members in nested slices: the least cost of holding whole slices in a
// domain, down to the hosts. Cost as in unit_packer.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "placement/identical.h"
#include "placement/unit_packer.h"

namespace muster::placement {

class SlicePacker {
 public:
  // Slices of the request's group; `above`: level of the domains asked about, of which `tree` is the tree;
  // `count`: members, in whole outer slices.
  SlicePacker(const Problem& problem, const Units& members, LevelId above, std::size_t tree, uint32_t count);

  // Work that pack() needs for the domain, roughly from above.
  [[nodiscard]] uint64_t effort(DomainId domain) const { return members_.effort(domain); }
  // Members by host, those of consecutive slices next to each other. REQUIRES: the domain has room.
  [[nodiscard]] Packing pack(DomainId domain) const;

 private:
  struct Tier {
    LevelId level = kClusterLevel;
    uint32_t size = 1;  // members
    uint32_t each = 1;  // slices of the next tier, or members
  };
  [[nodiscard]] CostTable table(DomainId domain, std::size_t tier, bool counted) const;

  const Problem& problem_;
  const Units& units_;
  UnitPacker members_;
  std::size_t tree_;
  uint32_t count_;
  std::vector<Tier> tiers_;
};

// Of the domains given, all with room for `count` members in whole slices, the best one and its packing.
// Absent where going through all of them would take more than what is left of the budget.
[[nodiscard]] std::optional<BestDomain> best_for_slices(const Problem& problem, const Units& members,
                                                        const std::vector<DomainId>& candidates,
                                                        uint32_t count, Budget& quality);

}  // namespace muster::placement
