// Identical members (T1, T3, T4, T5): which hosts of a domain take how many, touching as few domains as
// possible.
//
// Order of what is better: fewer domains at the coarsest level below the given one, then at the next finer,
// …, then fewer hosts, then fewer domains and hosts that were entirely free, then less room left on the hosts
// used.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "muster/ids.h"
#include "placement/problem.h"

namespace muster::placement {

struct HostCount {
  HostIndex host = kNoHost;
  uint32_t count = 0;
};

struct Packing {
  // Lexicographic cost as above in one number; comparable between domains of one level for one request.
  // Absent when the packing was found greedily.
  std::optional<int64_t> cost;
  std::vector<HostCount> hosts;
};

// Packs exactly `count` members of the kind into the domain; optimal while `quality` lasts, else greedy.
// REQUIRES: 0 < count <= rooms(kind).domain(domain).
[[nodiscard]] Packing pack_identical(Problem& problem, uint32_t kind, DomainId domain, uint32_t count,
                                     Budget& quality);

// Of the domains given, all with room for `count`, the best one and its packing. The tightest comes first
// among equals.
struct BestDomain {
  DomainId domain = kNoDomain;
  Packing packing;
};
[[nodiscard]] BestDomain best_domain(Problem& problem, uint32_t kind, std::vector<DomainId> candidates,
                                     uint32_t count, Budget& quality);

}  // namespace muster::placement
