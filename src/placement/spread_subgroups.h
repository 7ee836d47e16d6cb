// Subgroups that are to be spread, once everybody has a place.
#pragma once

#include <vector>

#include "muster/request.h"
#include "muster/verdict.h"
#include "placement/problem.h"

namespace muster::placement {

[[nodiscard]] bool any_subgroup_spreads(const PlacementRequest& request);

// One subgroup after another, inner ones first, is placed anew while all others stay where they are; where
// that does not go within the budget it stays where it is as well. REQUIRES: every member that is not bound
// is placed, and nothing of that is charged. The state is as before on return.
void spread_subgroups(const PlacementRequest& request, ClusterState& state, Budget& quality,
                      std::vector<Assignment>& placement);

}  // namespace muster::placement
