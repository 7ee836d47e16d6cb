// Roles on the hosts of one domain, exactly (T9): the frontier of all mixes the hosts can hold together.
#pragma once

#include "placement/decision.h"
#include "placement/local_hosts.h"

namespace muster::placement {

// kFits with what goes where (all members, or, when wanted.least is smaller, as many as possible), kNo, or
// kOpen when the table would be too large or the budget ends.
[[nodiscard]] Answer decide_by_frontier(const LocalHosts& hosts, const Wanted& wanted, Budget& budget,
                                        Takes& takes);

}  // namespace muster::placement
