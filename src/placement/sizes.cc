#include "placement/sizes.h"

#include <algorithm>
#include <map>

namespace muster::placement {

std::optional<Sizes> Sizes::of(Problem& problem) {
  const ClusterState& state = problem.state;
  std::optional<ResourceId> device;
  std::map<int64_t, int64_t, std::greater<>> members;  // size → members, largest first
  for (const Kind& kind : problem.kinds) {
    const bool plain = kind.restriction == 0 && kind.refused.empty();
    const bool same_set =
        problem.request.roles[kind.role].node_set == problem.request.roles[problem.kinds[0].role].node_set;
    if (!plain || !same_set) return std::nullopt;
    int64_t size = 0;
    for (const ResourceAmount& need : problem.demand(kind)) {
      if (need.amount <= 0 || !state.is_device(need.resource)) continue;
      if (device && *device != need.resource) return std::nullopt;
      device = need.resource;
      size = std::min(need.amount, kMaxAmount);
    }
    if (size > 0) members[size] += kind.count;
  }
  if (!device || members.size() > 16) return std::nullopt;
  Sizes sizes;
  int64_t above = 0;
  int64_t larger = 0;
  for (const auto& [size, count] : members) {
    if (larger != 0 && larger % size != 0) return std::nullopt;
    larger = size;
    int64_t volume = 0;
    if (__builtin_mul_overflow(size, count, &volume) || __builtin_add_overflow(above, volume, &above))
      return std::nullopt;
    const Rooms& units = problem.state.shapes().rooms(state, {{*device, size}},
                                                      problem.request.roles[problem.kinds[0].role].node_set);
    sizes.sizes_.push_back({size, above, &units});
  }
  sizes.inner_domains_ = problem.topology.domain_count() - problem.topology.host_count();
  return sizes;
}

int64_t Sizes::units_in(DomainId domain, const Rooms& units) const {
  return at(domain) < inner_domains_ ? units.domain[at(domain)] : units.host[at(domain) - inner_domains_];
}

std::optional<int64_t> Sizes::violated(DomainId domain) const {
  for (const Size& it : sizes_)
    // units × size < need, without overflow
    if (units_in(domain, *it.units) < (it.from_here + it.size - 1) / it.size) return it.size;
  return std::nullopt;
}

int64_t Sizes::shares(DomainId domain, int64_t of) const {
  int64_t most = of;
  for (const Size& it : sizes_) {
    const int64_t each = it.from_here / of / it.size;  // whole units of the size, rounded down
    if (each > 0) most = std::min(most, units_in(domain, *it.units) / each);
  }
  return most;
}

}  // namespace muster::placement
