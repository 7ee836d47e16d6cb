// The reason of a «no»: per level the domain that came closest, in numbers.
#pragma once

#include "muster/verdict.h"
#include "placement/problem.h"

namespace muster::placement {

// How many members the domain holds when each kind is looked at alone; exact for one kind, an upper bound for
// several. Bound members are included.
[[nodiscard]] Miss miss_in(Problem& problem, DomainId domain);

// The same for the members of one subgroup or slice.
[[nodiscard]] Miss miss_of(Problem& problem, uint32_t node, DomainId domain);

// A subgroup or slice that no domain of its level can hold even alone, if there is one, becomes the reason.
void blame_subgroup(Problem& problem, Reason& reason);

// The nearest misses of all levels of the ladder, loosest first, and the code of the loosest.
[[nodiscard]] Reason explain(Problem& problem, NoCode fallback);

// The reason for bound members that contradict a required level.
[[nodiscard]] Reason explain_bound(Problem& problem, uint32_t node);

}  // namespace muster::placement
