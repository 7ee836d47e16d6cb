// Groups made of subgroups that are all alike: so many replicas, each of the same mix of members in one
// domain of a level, perhaps themselves in subgroups that are alike.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "placement/nested_rooms.h"
#include "placement/problem.h"

namespace muster::placement {

struct AlikeSubGroups {
  std::vector<Tier> tiers;      // outer first; only levels that restrict
  uint32_t outer = 0;           // outer units in all
  std::vector<uint32_t> need;   // per kind, of one innermost unit
  std::vector<uint32_t> nodes;  // that members belong to, depth first; alike, units share them out evenly
  uint32_t nodes_each = 1;      // nodes of one innermost unit
};

// Absent when subgroups differ, minima let members stay out of them, something is bound, preferred, exclusive
// or spread below the group, or levels do not nest. O(nodes).
[[nodiscard]] std::optional<AlikeSubGroups> alike_subgroups(const Problem& problem);

}  // namespace muster::placement
