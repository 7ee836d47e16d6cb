// Better placements for members that are not all alike, once one is known.
#pragma once

#include "placement/decision.h"

namespace muster::placement {

// Fewer domains on every level below the chosen one, coarsest first, then fewer hosts, then fewer hosts that
// were free, then less left over on devices: the best there is where the domain has few hosts and the budget
// lasts, else the best that leaving out one domain after another leads to. All members stay placed.
enum class Effort : uint8_t {
  kSmall,  // nothing where the domain has many hosts: the placement has few domains already
  kFull
};
void use_fewer_domains(Search& search, Outcome& outcome, Effort effort);

// As even as possible over the domains of the level below the one that the subgroup is held to (the group
// itself: the chosen one), all of its members counted together: first the fullest as empty as can be, then
// the emptiest as full as can be. REQUIRES: where it is not the group itself, all other members are bound.
// False when nothing was found; the outcome is as before then.
bool spread_evenly(Search& search, Outcome& outcome, uint32_t subgroup = 0);

}  // namespace muster::placement
