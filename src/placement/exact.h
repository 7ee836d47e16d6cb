// The last resort: exact search over hosts, alike ones grouped, with bounds and a memory of dead ends.
#pragma once

#include "placement/decision.h"
#include "placement/local_hosts.h"

namespace muster::placement {

// kFits (at least wanted.least members), kNo when the whole space was seen, kOpen when the budget ended.
[[nodiscard]] Answer decide_by_search(const LocalHosts& hosts, const Wanted& wanted, Budget& budget,
                                      Takes& takes);

}  // namespace muster::placement
