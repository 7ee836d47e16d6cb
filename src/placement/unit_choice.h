// Which of the domains that hold a small group equally well: the one in which room that the mix cannot use
// grows least.
#pragma once

#include "muster/mix.h"
#include "placement/decision.h"

namespace muster::placement {

// For a placement inside one domain of the mix's level (a host, usually): the best of those domains that the
// placement could as well be in, with no more hosts. In this order: growth of fragmentation, domains above
// that were entirely free, devices left over in the domain, devices left over on the hosts used, room around
// it, other room left over, depth-first. Nothing changes for requests that have
// structure below the group, bound members or a wish to be spread, and for those with members left out.
// Looks at a bounded number of domains, so many of each room. O(hosts) for finding them.
void choose_unit(Search& search, Mix& mix, Outcome& outcome);

}  // namespace muster::placement
