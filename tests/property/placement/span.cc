#include "span.h"

#include <algorithm>
#include <set>
#include <utility>

#include "oracle.h"

namespace muster::test {

std::vector<uint32_t> span_of(const std::vector<Assignment>& placement, const PlacementRequest& request,
                              const ClusterState& state) {
  std::vector<uint32_t> span;
  const std::string& required = request.subgroups[0].required;
  const LevelId from = required.empty() ? kClusterLevel : *state.topology().find_level(required);
  const auto levels = state.topology().tree_levels(0);
  for (std::size_t i = 1; i < levels.size(); ++i) {
    if (!state.topology().nests(from, levels[i])) continue;
    std::set<DomainId> touched;
    for (const Assignment& it : placement)
      if (const DomainId d = state.topology().domain_of(it.host, levels[i]); d != kNoDomain)
        touched.insert(d);
    span.push_back(static_cast<uint32_t>(touched.size()));
  }
  return span;
}

// Every subset of hosts with enough room, of those in one domain of the required level.
std::optional<std::vector<uint32_t>> least_span(const PlacementRequest& request, const ClusterState& state) {
  const Topology& topology = state.topology();
  const std::string& required = request.subgroups[0].required;
  const LevelId level = required.empty() ? kClusterLevel : *topology.find_level(required);
  std::optional<std::vector<uint32_t>> best;
  for (uint32_t set = 1; set < (1U << state.host_count()); ++set) {
    int64_t room = 0;
    DomainId common = kNoDomain;
    bool one = true;
    std::vector<Assignment> touched;
    for (uint32_t h = 0; h < state.host_count(); ++h) {
      if ((set >> h & 1U) == 0) continue;
      const HostIndex host{h};
      const Role& role = request.roles[0];
      int64_t fits = 1 << 20;
      for (const ResourceAmount& need : role.demand)
        if (need.amount > 0)
          fits = std::min(fits, std::max<int64_t>(0, state.free(host, need.resource)) / need.amount);
      if (state.exclusion(role.node_set, host) != Exclusion::kNone) fits = 0;
      one = one && fits > 0;
      room += fits;
      const DomainId domain = topology.domain_of(host, level);
      one = one && domain != kNoDomain && (common == kNoDomain || common == domain);
      common = domain;
      touched.push_back({0, host});
    }
    if (!one || room < static_cast<int64_t>(request.members.size()) ||
        touched.size() > request.members.size())
      continue;
    const auto span = span_of(touched, request, state);
    if (!best || span < *best) best = span;
  }
  return best;
}

std::optional<std::vector<uint32_t>> least_span_by_search(const PlacementRequest& request,
                                                          const ClusterState& state) {
  const Topology& topology = state.topology();
  const std::string& required = request.subgroups[0].required;
  const LevelId level = required.empty() ? kClusterLevel : *topology.find_level(required);
  std::vector<std::pair<std::vector<uint32_t>, uint32_t>> sets;
  for (uint32_t set = 1; set < (1U << state.host_count()); ++set) {
    std::vector<Assignment> touched;
    std::set<DomainId> domains;
    for (uint32_t h = 0; h < state.host_count(); ++h) {
      if ((set >> h & 1U) == 0) continue;
      touched.push_back({0, HostIndex{h}});
      domains.insert(topology.domain_of(HostIndex{h}, level));
    }
    if (touched.size() > request.members.size() || domains.size() > 1 || *domains.begin() == kNoDomain)
      continue;
    sets.emplace_back(span_of(touched, request, state), set);
  }
  std::sort(sets.begin(), sets.end());
  for (const auto& [span, set] : sets) {
    ClusterState only = state;
    for (uint32_t h = 0; h < state.host_count(); ++h)
      if ((set >> h & 1U) == 0) only.set_status(HostIndex{h}, Exclusion::kNotReady);
    if (exhaustive(request, only).placement) return span;
  }
  return std::nullopt;
}

}  // namespace muster::test
