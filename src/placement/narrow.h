// Mixed kinds in as few parts of a domain as a quick packer manages.
#pragma once

#include <optional>

#include "placement/local_hosts.h"

namespace muster::placement {

struct NarrowPacking {
  std::vector<HostIndex> hosts;  // what Take::host counts
  Takes takes;
};

// Places all wanted members: level by level below the domain, in the fewest parts (the most useful first) for
// which the quick packer succeeds. Nothing when it fails even on the whole domain, which proves nothing.
[[nodiscard]] std::optional<NarrowPacking> pack_narrowly(Problem& problem, DomainId domain,
                                                         const Wanted& wanted, Budget& budget);

}  // namespace muster::placement
