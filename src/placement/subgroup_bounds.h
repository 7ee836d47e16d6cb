// Proofs that subgroups do not fit, by counts alone.
#pragma once

#include "placement/problem.h"

namespace muster::placement {

// True: nothing fits in the domain, because a subgroup that has to stand is too large for every domain of its
// level even alone, or because the members that have to be placed ask for more of a resource than there is.
// `everybody`: all members have to be placed. O(subgroups × domains of their level × kinds).
[[nodiscard]] bool plainly_hopeless(Problem& problem, DomainId domain, bool everybody);

}  // namespace muster::placement
