// The domains that the hosts of a search are in, per level that was asked for.
#pragma once

#include <map>
#include <vector>

#include "muster/topology.h"
#include "placement/local_hosts.h"

namespace muster::placement {

class HostDomains {
 public:
  HostDomains(const Topology& topology, const LocalHosts& hosts) : topology_(topology), hosts_(hosts) {}

  // By host; kNoDomain for one that is in none. Stays where it is.
  const std::vector<DomainId>& of(LevelId level) {
    auto& domains = by_level_[level];
    if (domains.empty())
      for (std::size_t h = 0; h < hosts_.size(); ++h)
        domains.push_back(topology_.domain_of(hosts_.host(h), level));
    return domains;
  }
  [[nodiscard]] const std::map<LevelId, std::vector<DomainId>>& asked_for() const { return by_level_; }
  [[nodiscard]] const Topology& topology() const { return topology_; }

 private:
  const Topology& topology_;
  const LocalHosts& hosts_;
  std::map<LevelId, std::vector<DomainId>> by_level_;
};

}  // namespace muster::placement
