// Members of equal demand on different node sets: a transport problem, decided exactly by max-flow (T8).
#pragma once

#include "placement/decision.h"
#include "placement/local_hosts.h"

namespace muster::placement {

// Whether all kinds wanted ask for the same amounts.
[[nodiscard]] bool equal_demands(const LocalHosts& hosts, const Wanted& wanted);

// kFits with as many members as possible, or kNo. Hosts that are open to the same kinds are one vertex, so
// the graph has kinds + 2^kinds vertices at most. REQUIRES: equal_demands().
[[nodiscard]] Answer decide_by_flow(const LocalHosts& hosts, const Wanted& wanted, Takes& takes);

}  // namespace muster::placement
