#include "placement/minima.h"

#include <algorithm>

namespace muster::placement {

Minima::Minima(const Problem& problem)
    : problem_(problem), placed_(problem.nodes.size(), 0), out_(problem.nodes.size(), 0) {}

bool Minima::reached() const { return satisfied(false); }
bool Minima::hopeful() const { return satisfied(true); }

// A node that holds a member, and the group itself, has to reach its own minimum, to have enough subgroups
// that stand, and, unless it says how many, all subgroups with minima reached. Others hold nothing.
bool Minima::satisfied(bool at_best) const {
  const auto& nodes = problem_.nodes;
  std::vector<uint32_t> standing(nodes.size(), 0);
  std::vector<uint8_t> obliged_ok(nodes.size(), 1);
  for (auto i = static_cast<uint32_t>(nodes.size()); i-- > 0;) {
    const Node& node = nodes[i];
    const uint32_t counted = at_best ? node.total - out_[i] : placed_[i] + node.bound;
    const uint32_t minimum = node.minimum.value_or(i == 0 && !node.min_subgroups ? node.total : 0);
    const bool reached = counted >= minimum && standing[i] >= node.min_subgroups.value_or(0);
    const bool must = holds(i) || i == 0;
    if (must && (!reached || (!node.min_subgroups && obliged_ok[i] == 0))) return false;
    if (i == 0) break;
    const bool obliged = !node.is_slice && (node.minimum || node.min_subgroups);
    if (obliged && !reached) obliged_ok[node.parent] = 0;
    if (reached && counted >= node.minimum.value_or(std::max(node.total, 1U))) ++standing[node.parent];
  }
  const uint32_t placed = at_best ? problem_.pending - out_[0] : placed_[0];
  return placed >= problem_.needed;
}

}  // namespace muster::placement
