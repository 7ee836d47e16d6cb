// The least costs of holding units in a domain, for every number of units, and which parts of the domain that
// takes. Knows nothing of hosts or rooms: those who make the tables of the smallest parts do.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "muster/ids.h"

namespace muster::placement {

// "Holds that many at that cost."
struct CostStep {
  uint32_t holds = 0;
  uint32_t before = 0;  // step of the merge before; of a group: step of the part
  uint32_t pick = 0;    // step of the part merged in
  int64_t cost = 0;
};
using CostSteps = std::vector<CostStep>;  // grows in both; the first step is nothing for nothing

struct CostTable {
  CostSteps steps;
  std::vector<DomainId> units;  // leaf: in the order in which they are taken
  std::vector<CostTable> parts;
  std::vector<CostSteps> merges;  // merges[i]: after parts 0..i
  uint32_t group = 1;             // one unit here is so many of the only part
};

// Disjoint parts together. Units beyond `most` are of no use; `touch` is paid once something is held.
[[nodiscard]] CostTable sum_of(std::vector<CostTable> parts, int64_t touch, uint32_t most);

// The same domain counted in groups of so many units. REQUIRES: size >= 1.
[[nodiscard]] CostTable grouped(CostTable part, uint32_t size);

// The cheapest step that holds so many. REQUIRES: there is one.
[[nodiscard]] uint32_t step_for(const CostTable& table, uint32_t count);

// Hands `count` units, which the step holds, out to the leaves: each gets its share and how many of its units
// it may use.
using LeafVisitor = std::function<void(const CostTable& leaf, uint32_t used, uint32_t count)>;
void hand_out(const CostTable& table, uint32_t step, uint32_t count, const LeafVisitor& leaf);

}  // namespace muster::placement
