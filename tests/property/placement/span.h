// How many domains a placement touches, and the fewest there can be, by going through sets of hosts.
#pragma once

#include <optional>
#include <vector>

#include "muster/cluster.h"
#include "muster/request.h"
#include "muster/verdict.h"

namespace muster::test {

// Touched domains per level of the first tree from the required level down, hosts last: the least possible,
// lexicographic, over all placements of all members. For identical members without structure but the group's
// levels.
[[nodiscard]] std::optional<std::vector<uint32_t>> least_span(const PlacementRequest& request,
                                                              const ClusterState& state);
// The same for any request, by exhaustive search on every set of hosts, the best set first. Slow.
[[nodiscard]] std::optional<std::vector<uint32_t>> least_span_by_search(const PlacementRequest& request,
                                                                        const ClusterState& state);
[[nodiscard]] std::vector<uint32_t> span_of(const std::vector<Assignment>& placement,
                                            const PlacementRequest& request, const ClusterState& state);

}  // namespace muster::test
