// Who is in the domains of exclusive levels while members go to hosts: subgroups that use one alone keep all
// others out of it.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/host_domains.h"
#include "placement/problem.h"
#include "placement/state_print.h"

namespace muster::placement {

class ExclusiveClaims {
 public:
  // Per exclusive level: the nearest node above that claims it, the node itself included; 0 none.
  using Claimants = std::vector<uint32_t>;

  ExclusiveClaims(const Problem& problem, HostDomains& domains);

  [[nodiscard]] Claimants claimants(const Problem& problem, uint32_t node) const;
  [[nodiscard]] bool allow(const Claimants& of, std::size_t h) const {
    for (std::size_t c = 0; c < levels_.size(); ++c) {
      const Level& it = levels_[c];
      // Where a host is in no domain of the level there is nothing to share.
      if ((*it.domains)[h] == kNoDomain) continue;
      const uint32_t domain = it.domain[h];
      if (it.users[domain] > 0 && it.owner[domain] != of[c]) return false;
    }
    return true;
  }
  void enter(const Claimants& of, std::size_t h, uint32_t count);
  void leave(std::size_t h, uint32_t count);
  void print(StatePrint& print) const;

 private:
  struct Level {
    LevelId level = kClusterLevel;
    const std::vector<DomainId>* domains = nullptr;  // per host
    std::vector<uint32_t> domain;                    // per host, dense
    std::vector<uint32_t> owner;                     // per dense domain
    std::vector<uint32_t> users;
  };
  std::vector<Level> levels_;
};

}  // namespace muster::placement
