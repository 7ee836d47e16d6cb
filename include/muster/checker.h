// Independent check of a placement: written against the request's words alone, sharing nothing with the
// packers. Always run before a Fits leaves solve().
#pragma once

#include <vector>

#include "base/error.h"
#include "muster/cluster.h"
#include "muster/request.h"
#include "muster/verdict.h"

namespace muster {

// kInternal naming the first violated constraint: a member placed twice or bound already, a host that is
// excluded or refused, a resource exceeded, a required level or slice crossed, an exclusive domain shared, a
// minimum not reached. Preferred levels are wishes and not looked at. O(members × levels) expected.
[[nodiscard]] Result<void> check_placement(const PlacementRequest& request,
                                           const std::vector<Assignment>& placement,
                                           const ClusterState& state);

}  // namespace muster
