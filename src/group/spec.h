// What a group asks for: the meaning of the annotations that all its members repeat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace muster::group {

struct GroupSpec {
  uint32_t min_member = 1;
  std::string topology_required;   // a level's name or label key; empty: none
  std::string topology_preferred;  // empty: none
  std::optional<Duration> hold_timeout;
  friend bool operator==(const GroupSpec&, const GroupSpec&) = default;
};

// The first key on which two members' specs differ, as "muster.dev/min-member: 4 here, 5 there"; empty when
// equal.
[[nodiscard]] std::string difference(const GroupSpec& here, const GroupSpec& there);

}  // namespace muster::group
