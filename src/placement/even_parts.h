// Domains that are to be filled evenly, and how far they are while members go to hosts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "placement/host_domains.h"
#include "placement/problem.h"
#include "placement/state_print.h"

namespace muster::placement {

// Bounds on the members (bound ones included) in each domain of a level that is of use; hosts in no domain of
// it count as one.
struct Evenness {
  LevelId level = kClusterLevel;
  uint32_t least = 0;  // where a domain has the room
  uint32_t most = UINT32_MAX;
  uint32_t subgroup = 0;  // of which the bound members count
};

class EvenParts {
 public:
  EvenParts() = default;  // no wish: everything is even
  EvenParts(Problem& problem, const LocalHosts& hosts, HostDomains& domains, const Evenness& even);

  // Of `most` members, those that the host's part may still take.
  [[nodiscard]] uint32_t allowed(std::size_t h, uint32_t most) const {
    if (of_.empty()) return most;
    const uint32_t here = count_[of_[h]];
    return std::min(most, most_ > here ? most_ - here : 0);
  }
  void add(std::size_t h, uint32_t count) { change(h, count, true); }
  void remove(std::size_t h, uint32_t count) { change(h, count, false); }
  // Members that are missing from the least, over all parts.
  [[nodiscard]] uint64_t owed() const { return owed_; }
  void print(StatePrint& print) const;
  // What tells the host's part from others, appended.
  void describe(std::size_t h, std::string& key) const;

 private:
  void change(std::size_t h, uint32_t count, bool up);

  std::vector<uint32_t> of_;     // per host
  std::vector<uint32_t> least_;  // per part
  std::vector<uint32_t> count_;
  uint32_t most_ = UINT32_MAX;
  uint64_t owed_ = 0;
};

}  // namespace muster::placement
