// Subgroups, slices, minima and exclusive use by search, where the tables of scope_frontier.h would be too
// large: members go to hosts in turn, those of one subgroup and kind together, with bounds and a memory of
// dead ends. The first descent is greedy, so that easy placements are found at once.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "placement/decision.h"
#include "placement/even_parts.h"

namespace muster::placement {

enum class Leaving : uint8_t {
  kNobody,   // every member is placed
  kAsNeeded  // members stay out where the minima allow it, as few as the first success leaves
};

struct ScopeQuestion {
  std::span<const HostIndex> hosts;
  const std::vector<LevelId>* levels = nullptr;  // per node: the level it is held to, kClusterLevel none
  Leaving leaving = Leaving::kNobody;
  // Subgroups first get no more than their minimum, and what finds room beside afterwards. A «no» is then no
  // proof and becomes kOpen.
  bool frugal = false;
  std::optional<Evenness> even;
};

// kFits with the slots, kNo when the whole space was seen, kOpen when the budget ended or there are too many
// members for a search.
[[nodiscard]] Answer decide_by_scopes(Problem& problem, const ScopeQuestion& question, Budget& budget,
                                      std::vector<Slot>& slots);

}  // namespace muster::placement
