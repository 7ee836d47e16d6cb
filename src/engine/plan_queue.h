// The groups that wait for a plan, in the order of their turns: priority first, then age, then name.
//
// Thread rule: one thread. O(log n) for each change, O(n) for each list.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "group/group.h"

namespace muster::engine {

class PlanQueue {
 public:
  // In the place of where the group stood before. `refused`: it is asked again only when room was gained. The
  // group stays where it is in memory until it is removed. O(members of the group).
  void put(group::Group& group, bool refused);
  void remove(const group::GroupKey& key);

  [[nodiscard]] std::vector<group::Group*> all() const;
  [[nodiscard]] std::vector<group::Group*> not_refused() const;

 private:
  // The smallest is first.
  struct Turn {
    int64_t less_priority;
    int64_t creation_seconds;
    group::GroupKey key;
    friend auto operator<=>(const Turn&, const Turn&) = default;
  };
  using Turns = std::map<Turn, group::Group*>;

  struct Place {
    Turn turn;
    bool refused;
  };

  std::map<group::GroupKey, Place> places_;
  Turns all_;
  Turns not_refused_;
};

}  // namespace muster::engine
