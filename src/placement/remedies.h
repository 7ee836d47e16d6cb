// The smallest changes that would make a request fit, where they are cheap to find.
#pragma once

#include <vector>

#include "muster/verdict.h"
#include "placement/problem.h"

namespace muster::placement {

// Looks for: room on one host (one kind of member only), the finest coarser level, the largest minimum. Each
// is the outcome of a decision of its own, so what is said is true; what is not found in `steps` is not said.
[[nodiscard]] std::vector<Remedy> find_remedies(const PlacementRequest& request, ClusterState& state,
                                                const Reason& reason, uint64_t steps);

}  // namespace muster::placement
