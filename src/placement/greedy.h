// The portfolio of greedy packers: kind after kind, host after host. Fast, and right most of the time; a
// failure proves nothing.
#pragma once

#include <optional>

#include "placement/local_hosts.h"

namespace muster::placement {

// Several orders of kinds × several orders of hosts, until one holds all members; else the one that holds
// most, if it reaches wanted.least.
[[nodiscard]] std::optional<Takes> pack_greedily(const LocalHosts& hosts, const Wanted& wanted,
                                                 Budget& budget);

}  // namespace muster::placement
