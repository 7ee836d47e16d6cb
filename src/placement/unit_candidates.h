// The domains of one level that could hold a small group in place of the one found.
#pragma once

#include <vector>

#include "placement/problem.h"

namespace muster::placement {

// What a candidate has to hold, each kind alone. By kind; `order` has the kinds wanted, the one to tell rooms
// apart by first.
struct UnitNeeds {
  const std::vector<uint32_t>& order;
  const std::vector<const KindRooms*>& rooms;
};

// Domains of `level` inside the candidates of the level `within`, by which the request was decided; of each
// room the first ones, and in a large cluster not all rooms. O(domains × kinds).
[[nodiscard]] std::vector<DomainId> unit_candidates(const Problem& problem, LevelId within, LevelId level,
                                                    const UnitNeeds& needs);

}  // namespace muster::placement
