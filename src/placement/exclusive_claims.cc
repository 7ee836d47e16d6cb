#include "placement/exclusive_claims.h"

#include <algorithm>
#include <map>

namespace muster::placement {

ExclusiveClaims::ExclusiveClaims(const Problem& problem, HostDomains& domains) {
  for (uint32_t node = 1; node < problem.nodes.size(); ++node) {
    const LevelId level = problem.nodes[node].exclusive;
    const auto same = [&](const Level& it) { return it.level == level; };
    if (level == kClusterLevel || std::any_of(levels_.begin(), levels_.end(), same)) continue;
    Level& it = levels_.emplace_back();
    it.level = level;
    it.domains = &domains.of(level);
    std::map<DomainId, uint32_t> dense;
    for (const DomainId domain : *it.domains)
      it.domain.push_back(dense.emplace(domain, static_cast<uint32_t>(dense.size())).first->second);
    it.owner.assign(dense.size(), 0);
    it.users.assign(dense.size(), 0);
  }
}

ExclusiveClaims::Claimants ExclusiveClaims::claimants(const Problem& problem, uint32_t node) const {
  Claimants result;
  for (const Level& it : levels_) {
    uint32_t up = node;
    while (up != 0 && problem.nodes[up].exclusive != it.level) up = problem.nodes[up].parent;
    result.push_back(up);
  }
  return result;
}

void ExclusiveClaims::enter(const Claimants& of, std::size_t h, uint32_t count) {
  for (std::size_t c = 0; c < levels_.size(); ++c) {
    levels_[c].owner[levels_[c].domain[h]] = of[c];
    levels_[c].users[levels_[c].domain[h]] += count;
  }
}

void ExclusiveClaims::leave(std::size_t h, uint32_t count) {
  for (Level& it : levels_) it.users[it.domain[h]] -= count;
}

void ExclusiveClaims::print(StatePrint& print) const {
  for (std::size_t c = 0; c < levels_.size(); ++c)
    for (std::size_t d = 0; d < levels_[c].users.size(); ++d)
      if (levels_[c].users[d] > 0)
        print.toggle((uint64_t{3} << 40) + (uint64_t{c} << 32 | d), levels_[c].owner[d]);
}

}  // namespace muster::placement
