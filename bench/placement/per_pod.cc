#include "placement/per_pod.h"

#include <algorithm>
#include <map>
#include <utility>

namespace muster::bench {

PerPod::PerPod(const ClusterState& state) : state_(state), touched_(state.topology().domain_count(), 0) {
  for (std::size_t r = 0; r < state.resource_count(); ++r) {
    const auto column = state.free_column(static_cast<ResourceId>(r));
    free_.emplace_back(column.begin(), column.end());
  }
}

std::optional<std::vector<Assignment>> PerPod::place(const PlacementRequest& request, PerPodRule rule) {
  add_scopes(request);
  const Topology& topology = state_.topology();
  std::vector<Assignment> placement;
  for (uint32_t m = 0; m < request.members.size(); ++m) {
    const Member& member = request.members[m];
    const HostIndex host = choose(request, member, of_member_[m], rule);
    if (host == kNoHost) return std::nullopt;
    take(request.roles[member.role].demand, host);
    for (const uint32_t scope : of_member_[m])
      scopes_[scope].domain = topology.domain_of(host, scopes_[scope].level);
    for (std::size_t level = 1; level < topology.level_count(); ++level)
      if (const DomainId domain = topology.domain_of(host, static_cast<LevelId>(level)); domain != kNoDomain)
        touched_[at(domain)] = 1;
    placement.push_back({m, host});
  }
  return placement;
}

void PerPod::add_scopes(const PlacementRequest& request) {
  scopes_.clear();
  of_member_.assign(request.members.size(), {});
  std::map<std::pair<std::size_t, int64_t>, uint32_t> made;  // (subgroup, -1), or (level of slices, number)
  const auto scope = [&](std::pair<std::size_t, int64_t> key, const std::string& level) {
    const auto [found, fresh] = made.try_emplace(key, static_cast<uint32_t>(scopes_.size()));
    if (fresh) scopes_.push_back({*state_.topology().find_level(level), kNoDomain});
    return found->second;
  };
  for (std::size_t m = 0; m < request.members.size(); ++m) {
    const Member& member = request.members[m];
    for (uint32_t s = member.subgroup;; s = request.subgroups[s].parent) {
      const std::string& level = request.subgroups[s].required;
      if (!level.empty()) of_member_[m].push_back(scope({s, -1}, level));
      if (s == 0) break;
    }
    const auto& slices = request.subgroups[0].slices;
    for (std::size_t i = 0; i < slices.size(); ++i)
      of_member_[m].push_back(scope({i, member.rank / slices[i].size}, slices[i].level));
  }
}

bool PerPod::may(const PlacementRequest& request, const Member& member, HostIndex host,
                 const std::vector<uint32_t>& scopes) const {
  const Role& role = request.roles[member.role];
  for (const ResourceAmount& need : role.demand)
    if (free_[at(need.resource)][at(host)] < need.amount) return false;
  if (state_.exclusion(role.node_set, host) != Exclusion::kNone) return false;
  return std::all_of(scopes.begin(), scopes.end(), [&](uint32_t scope) {
    const DomainId domain = state_.topology().domain_of(host, scopes_[scope].level);
    return domain != kNoDomain && (scopes_[scope].domain == kNoDomain || scopes_[scope].domain == domain);
  });
}

HostIndex PerPod::choose(const PlacementRequest& request, const Member& member,
                         const std::vector<uint32_t>& scopes, PerPodRule rule) const {
  HostIndex best = kNoHost;
  std::pair<int64_t, int64_t> least;
  for (uint32_t h = 0; h < state_.host_count(); ++h) {
    const HostIndex host{h};
    if (!may(request, member, host, scopes)) continue;
    if (rule == PerPodRule::kFirstFit) return host;
    const std::pair key(-nearness(host), devices_left(host, request.roles[member.role].demand));
    if (best != kNoHost && !(key < least)) continue;
    best = host;
    least = key;
  }
  return best;
}

int64_t PerPod::nearness(HostIndex host) const {
  const Topology& topology = state_.topology();
  int64_t levels = 0;
  for (std::size_t level = 1; level < topology.level_count(); ++level)
    if (const DomainId domain = topology.domain_of(host, static_cast<LevelId>(level)); domain != kNoDomain)
      levels += touched_[at(domain)];
  return levels;
}

int64_t PerPod::devices_left(HostIndex host, const Demand& demand) const {
  int64_t left = 0;
  for (const ResourceAmount& need : demand)
    if (state_.is_device(need.resource)) left += free_[at(need.resource)][at(host)] - need.amount;
  return left;
}

void PerPod::take(const Demand& demand, HostIndex host) {
  for (const ResourceAmount& need : demand) free_[at(need.resource)][at(host)] -= need.amount;
}

}  // namespace muster::bench
