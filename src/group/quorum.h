// Whether the members at hand are enough for the group to stand: its minimum, and the minimum of each
// subgroup that has one (or of as many of them as minSubgroups says).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "group/spec.h"

namespace muster::group {

// Members by the path of their subgroup ("" for the group itself, "prefill/replica-0"); those of subgroups
// below a path are not in its own number.
struct Tally {
  std::map<std::string, uint32_t> have;  // bound, completed, promised or available: what counts at the moment
  std::map<std::string, uint32_t>
      exist;  // all that exist; a subgroup without a minimum stands with all of them
  // Those of them that only wait while the group has stood already: they join, and are needed by a subgroup
  // of which there is nobody else alone.
  std::map<std::string, uint32_t> late;
};

// Nothing when the group stands; else what is missing first, as "3 of 4 members" or "subgroup prefill: 1 of 2
// members". O(subgroups · log paths).
[[nodiscard]] std::optional<std::string> missing(const GroupSpec& spec, const Tally& tally);

// By subgroup, how many more members would make the group stand; nothing when it stands. O(subgroups² · log
// paths).
[[nodiscard]] std::map<std::string, uint32_t> shortfall(const GroupSpec& spec, Tally tally);

// Whether each subgroup on the path that has a minimum reaches it. O(depth · log paths).
[[nodiscard]] bool reaches_minima(const GroupSpec& spec, const Tally& tally, const std::string& path);

// The deepest subgroup on the path that asks for exclusive use, and the level it asks for; the group itself
// and no level when none does.
struct Tenure {
  std::string subgroup;  // path
  std::string level;
};
[[nodiscard]] Tenure tenure_of(const GroupSpec& spec, const std::string& path);

// Whether the path names a subgroup of the spec, or the spec names none at all (then paths are only labels).
[[nodiscard]] bool knows(const GroupSpec& spec, const std::string& path);

}  // namespace muster::group
