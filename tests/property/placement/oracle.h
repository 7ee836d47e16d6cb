// Exhaustive search: tries every way to put members on hosts, one member after another. The truth for small
// instances; shares nothing with the solver but the words of the request and the checker.
#pragma once

#include <optional>
#include <vector>

#include "muster/cluster.h"
#include "muster/request.h"
#include "muster/verdict.h"

namespace muster::test {

// A placement, nothing when there is none. `most`: with as many members as possible (slow). Absent answer
// (nullopt of the outer optional) when `limit` nodes did not suffice.
struct OracleAnswer {
  bool known = false;
  std::optional<std::vector<Assignment>> placement;
};
[[nodiscard]] OracleAnswer exhaustive(const PlacementRequest& request, const ClusterState& state,
                                      uint64_t limit = 2'000'000);

}  // namespace muster::test
