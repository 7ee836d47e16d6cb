// Hosts that are closed to some members: bound members fix a domain, or a domain is used exclusively.
#include <algorithm>
#include <map>

#include "placement/problem.h"

namespace muster::placement {

void Problem::fix_domains() {
  fixed_.resize(nodes.size());
  if (bound_hosts.empty()) return;
  for (uint32_t i = 0; i < request.members.size(); ++i) {
    if (request.members[i].bound == kNoHost) continue;
    for (uint32_t node = member_node_[i]; node != 0; node = nodes[node].parent) {
      if (nodes[node].level == kClusterLevel) continue;
      const DomainId domain = topology.domain_of(request.members[i].bound, nodes[node].level);
      if (domain == kNoDomain || (fixed_[node] && *fixed_[node] != domain)) broken_node = node;
      fixed_[node] = domain;
    }
  }
}

bool Problem::within(uint32_t node, uint32_t ancestor) const {
  while (node != ancestor && node != 0) node = nodes[node].parent;
  return node == ancestor;
}

void Problem::close_domain(std::vector<Exclusion>& mask, HostIndex host, LevelId level) const {
  const DomainId domain = topology.domain_of(host, level);
  if (domain == kNoDomain) return;
  if (level == topology.host_level()) {
    mask[at(host)] = Exclusion::kOwned;
    return;
  }
  for (const HostIndex other : topology.hosts(domain)) mask[at(other)] = Exclusion::kOwned;
}

// Domains that other owners claim.
void Problem::mask_claims(std::vector<Exclusion>& mask, uint32_t node) const {
  for (const ClusterState::Claim& claim : state.claims()) {
    bool own = false;
    for (uint32_t up = nodes[node].subgroup;; up = request.subgroups[up].parent) {
      own = own || owners_[up] == claim.owner;
      if (up == 0) break;
    }
    if (own) continue;
    for (std::size_t host = 0; host < state.host_count(); ++host)
      for (const auto& tenant : state.tenants(static_cast<HostIndex>(host)))
        if (tenant.owner == claim.owner) close_domain(mask, static_cast<HostIndex>(host), claim.level);
  }
}

// Domains that a subgroup above `node` may not share, and those that exclusive subgroups elsewhere hold.
void Problem::mask_exclusive(std::vector<Exclusion>& mask, uint32_t node) const {
  for (uint32_t scope = 0; scope < nodes.size(); ++scope) {
    const LevelId level = nodes[scope].exclusive;
    if (level == kClusterLevel) continue;
    const bool inside = within(node, scope);
    for (uint32_t i = 0; i < request.members.size(); ++i) {
      const HostIndex host = request.members[i].bound;
      if (host != kNoHost && within(member_node_[i], scope) != inside) close_domain(mask, host, level);
    }
    if (!inside) continue;
    std::vector<OwnerId> own;
    for (uint32_t other = 0; other < request.subgroups.size(); ++other)
      if (within(other, scope)) own.push_back(owners_[other]);
    for (std::size_t i = 0; i < state.host_count(); ++i) {
      const auto host = static_cast<HostIndex>(i);
      if (topology.domain_of(host, level) == kNoDomain) mask[i] = Exclusion::kOwned;
      for (const auto& tenant : state.tenants(host))
        if (std::find(own.begin(), own.end(), tenant.owner) == own.end()) close_domain(mask, host, level);
    }
  }
}

void Problem::mask_restriction(std::vector<Exclusion>& mask, uint32_t node) const {
  mask_claims(mask, node);
  mask_exclusive(mask, node);
  for (uint32_t up = node; up != 0; up = nodes[up].parent) {
    if (!fixed_[up] || *fixed_[up] == kNoDomain) continue;
    for (std::size_t i = 0; i < mask.size(); ++i)
      if (topology.domain_of(static_cast<HostIndex>(i), nodes[up].level) != *fixed_[up])
        mask[i] = Exclusion::kOutside;
  }
}

// Nodes get a mask of hosts only where one is needed: bound members fix a domain, or something is exclusive.
void Problem::add_restrictions() {
  restrictions_.emplace_back();
  node_restriction_.assign(nodes.size(), 0);
  const bool any_exclusive =
      std::any_of(nodes.begin(), nodes.end(), [](const Node& n) { return n.exclusive != kClusterLevel; });
  const bool any_fixed =
      std::any_of(fixed_.begin(), fixed_.end(), [](const auto& f) { return f.has_value(); });
  if (!any_exclusive && !any_fixed && state.claims().empty()) return;
  // The scope of a node is what its mask depends on: the nearest node above that is exclusive, fixed or has
  // an owner of its own.
  std::map<uint32_t, uint32_t> by_scope;
  for (uint32_t node = 0; node < nodes.size(); ++node) {
    uint32_t scope = node;
    while (scope != 0 && nodes[scope].exclusive == kClusterLevel && !fixed_[scope] &&
           (nodes[scope].is_slice || request.subgroups[scope].owner == kNoOwner))
      scope = nodes[scope].parent;
    const auto [it, fresh] = by_scope.emplace(scope, static_cast<uint32_t>(restrictions_.size()));
    if (fresh) {
      std::vector<Exclusion> mask(state.host_count(), Exclusion::kNone);
      mask_restriction(mask, scope);
      // Equal masks are one restriction, so that subgroups that differ in nothing stay alike.
      const auto known = std::find(restrictions_.begin() + 1, restrictions_.end(), mask);
      if (std::all_of(mask.begin(), mask.end(), [](Exclusion e) { return e == Exclusion::kNone; }))
        it->second = 0;
      else if (known != restrictions_.end())
        it->second = static_cast<uint32_t>(known - restrictions_.begin());
      else
        restrictions_.push_back(std::move(mask));
    }
    node_restriction_[node] = it->second;
  }
  for (uint32_t node = 1; node < nodes.size(); ++node)
    if (fixed_[node]) nodes[node].level = kClusterLevel;  // the mask says it from here on
}

}  // namespace muster::placement
