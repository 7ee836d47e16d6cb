// What a search over subgroups places one after another: the members of one node and kind.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/local_hosts.h"
#include "placement/problem.h"

namespace muster::placement {

struct ScopeUnit {
  uint32_t node = 0;
  uint32_t kind = 0;
  uint32_t count = 0;
  uint32_t held_back = 0;           // of the node's members of the kind, not in `count`
  std::vector<uint32_t> scopes;     // nodes above that are held to a level, the unit's own first
  std::vector<uint32_t> claimants;  // see ExclusiveClaims
};

// Subgroups that have to stand come before those that need not, large ones before small ones; inside each the
// kinds that take the largest share of what the hosts have free come first.
[[nodiscard]] std::vector<ScopeUnit> units_of(const Problem& problem, const LocalHosts& hosts);

}  // namespace muster::placement
