// The parts a domain falls into: the domains directly below it and the hosts that hang below it directly.
#pragma once

#include <vector>

#include "muster/topology.h"

namespace muster::placement {

struct Parts {
  std::vector<DomainId> domains;  // by level, then depth-first
  std::vector<HostIndex> hosts;   // in no domain below; for a finest domain all of its hosts
};

// The tree matters for the cluster only; other domains have one. O(parts), if no host lacks a label.
[[nodiscard]] Parts parts_of(const Topology& topology, DomainId domain, std::size_t tree);

// The tree in which a domain's parts are looked up: its own, or `fallback` for cluster and hosts.
[[nodiscard]] std::size_t tree_of(const Topology& topology, DomainId domain, std::size_t fallback = 0);

}  // namespace muster::placement
