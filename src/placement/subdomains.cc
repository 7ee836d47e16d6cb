#include "placement/subdomains.h"

namespace muster::placement {

std::size_t tree_of(const Topology& topology, DomainId domain, std::size_t fallback) {
  const LevelId level = topology.level_of(domain);
  return level == kClusterLevel || level == topology.host_level() ? fallback : topology.tree(level);
}

Parts parts_of(const Topology& topology, DomainId domain, std::size_t tree) {
  Parts parts;
  const auto hosts = topology.hosts(domain);
  std::size_t covered = 0;
  const LevelId own = topology.level_of(domain);
  for (const LevelId level : topology.tree_levels(tree)) {
    if (covered == hosts.size()) return parts;
    if (level == kClusterLevel || level == own || level == topology.host_level()) continue;
    const DomainRange range = topology.domains_within(domain, level);
    for (uint32_t i = range.first; i < range.last; ++i) {
      const auto part = static_cast<DomainId>(i);
      if (topology.parent(part) != domain) continue;
      parts.domains.push_back(part);
      covered += topology.hosts(part).size();
    }
  }
  if (covered == hosts.size()) return parts;
  const DomainId leaf = own == topology.host_level() ? kNoDomain : domain;
  for (const HostIndex host : hosts)
    if (leaf == kNoDomain || topology.leaf_domain(host, tree) == leaf) parts.hosts.push_back(host);
  return parts;
}

}  // namespace muster::placement
