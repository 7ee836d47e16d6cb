#include "placement/subgroup_bounds.h"

#include <algorithm>

namespace muster::placement {
namespace {

class Bounds {
 public:
  Bounds(Problem& problem, DomainId domain, bool everybody) : problem_(problem), domain_(domain) {
    const auto& nodes = problem.nodes;
    least_.assign(nodes.size(), 0);
    members_.assign(nodes.size(), std::vector<uint32_t>(problem.kinds.size(), 0));
    must_.assign(nodes.size(), everybody ? 1 : 0);
    must_[0] = 1;
    for (uint32_t i = 0; i < nodes.size(); ++i) {
      const Node& node = nodes[i];
      if (i > 0 && !everybody)
        must_[i] = surely_holds(node.parent) && !nodes[node.parent].min_subgroups && !node.is_slice &&
                   (node.minimum || node.min_subgroups);
      const uint32_t minimum = everybody ? node.total : node.minimum.value_or(0);
      if (must_[i] != 0) least_[i] = minimum > node.bound ? minimum - node.bound : 0;
    }
    if (!everybody) least_[0] = problem.needed;
    for (auto i = static_cast<uint32_t>(nodes.size()); i-- > 0;) {
      for (const auto& direct : nodes[i].direct)
        members_[i][direct.kind] += static_cast<uint32_t>(direct.members.size());
      for (std::size_t kind = 0; i > 0 && kind < problem.kinds.size(); ++kind)
        members_[nodes[i].parent][kind] += members_[i][kind];
    }
  }

  bool some_too_large() {
    const Topology& topology = problem_.topology;
    const LevelId own = topology.level_of(domain_);
    for (uint32_t i = 0; i < least_.size(); ++i) {
      if (least_[i] == 0) continue;
      const LevelId level = i == 0 ? kClusterLevel : problem_.nodes[i].level;
      bool fits = false;
      if (level == kClusterLevel) {
        fits = holds(i, domain_) >= least_[i];
      } else {
        const bool nested = level != topology.host_level() && topology.nests(own, level);
        const DomainRange range = nested ? topology.domains_within(domain_, level) : topology.domains(level);
        for (uint32_t d = range.first; d < range.last && !fits; ++d)
          fits = holds(i, static_cast<DomainId>(d)) >= least_[i];
      }
      if (!fits) return true;
    }
    return false;
  }

  bool asks_too_much() {
    for (std::size_t r = 0; r < problem_.state.resource_count(); ++r) {
      const auto resource = static_cast<ResourceId>(r);
      std::vector<std::pair<int64_t, uint32_t>> by_demand;  // amount, kind
      bool any = false;
      for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind) {
        by_demand.emplace_back(amount(kind, resource), kind);
        any = any || by_demand.back().first > 0;
      }
      if (!any) continue;
      std::sort(by_demand.begin(), by_demand.end());
      if (least_amount(by_demand) > free(resource)) return true;
    }
    return false;
  }

 private:
  // A node that holds nothing obliges none of those below.
  [[nodiscard]] bool surely_holds(uint32_t node) const {
    const Node& it = problem_.nodes[node];
    return node == 0 || it.bound > 0 || (must_[node] != 0 && it.minimum.value_or(0) > 0);
  }

  // Members of the node that the domain holds, each kind alone.
  [[nodiscard]] uint64_t holds(uint32_t node, DomainId domain) {
    uint64_t sum = 0;
    for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind)
      if (members_[node][kind] > 0)
        sum += static_cast<uint64_t>(
            std::clamp<int64_t>(problem_.rooms(kind).domain(domain), 0, members_[node][kind]));
    return sum;
  }

  [[nodiscard]] int64_t amount(uint32_t kind, ResourceId resource) const {
    for (const ResourceAmount& need : problem_.demand(problem_.kinds[kind]))
      if (need.resource == resource) return std::min(need.amount, kMaxAmount);
    return 0;
  }

  [[nodiscard]] __int128 free(ResourceId resource) {
    __int128 sum = 0;
    for (const HostIndex host : problem_.topology.hosts(domain_)) {
      bool useful = false;
      for (uint32_t kind = 0; kind < problem_.kinds.size() && !useful; ++kind)
        useful = problem_.rooms(kind).host(host) > 0;
      if (useful) sum += std::max<int64_t>(0, problem_.state.free(host, resource));
    }
    return sum;
  }

  // What the cheapest choice of the members that have to be placed asks for.
  [[nodiscard]] __int128 least_amount(const std::vector<std::pair<int64_t, uint32_t>>& by_demand) const {
    std::vector<__int128> below(least_.size(), 0);
    for (auto i = static_cast<uint32_t>(least_.size()); i-- > 0;) {
      __int128 own = 0;
      uint32_t left = least_[i];
      for (const auto& [amount, kind] : by_demand) {
        const uint32_t count = std::min(left, members_[i][kind]);
        own += static_cast<__int128>(amount) * count;
        left -= count;
      }
      const __int128 sum = must_[i] != 0 ? std::max(own, below[i]) : 0;
      if (i == 0) return sum;
      below[problem_.nodes[i].parent] += sum;
    }
    return 0;
  }

  Problem& problem_;
  DomainId domain_;
  std::vector<uint8_t> must_;    // nodes that have to stand
  std::vector<uint32_t> least_;  // per node: members to be placed at least
  std::vector<std::vector<uint32_t>> members_;
};

}  // namespace

bool plainly_hopeless(Problem& problem, DomainId domain, bool everybody) {
  Bounds bounds(problem, domain, everybody);
  return bounds.some_too_large() || bounds.asks_too_much();
}

}  // namespace muster::placement
