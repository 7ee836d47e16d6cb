// What a packer hands back: how many members of which kind of which node go to which host.
#pragma once

#include <vector>

#include "muster/ids.h"
#include "muster/verdict.h"
#include "placement/problem.h"

namespace muster::placement {

struct Slot {
  uint32_t node = 0;
  uint32_t kind = 0;
  HostIndex host = kNoHost;
  uint32_t count = 0;
};

// By node, then kind, then host: a ring in rank order then crosses the borders of every level as seldom as
// possible (T6).
void sort_slots(std::vector<Slot>& slots);

// Names the members: within a node and kind, the lowest ranks get the first slots. The result is in rank
// order. REQUIRES: slots of one node and kind stand together.
[[nodiscard]] std::vector<Assignment> assign_members(const Problem& problem, const std::vector<Slot>& slots);

}  // namespace muster::placement
