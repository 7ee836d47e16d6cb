#include "harness/bars.h"

#include <fmt/format.h>

namespace muster::bench {

void Bars::below(const std::string& what, double measured, double limit) {
  const bool held = measured < limit;
  if (!held) fmt::print("NOT HELD: {}: {:.3f}, not below {}\n", what, measured, limit);
  held_ += held ? 1 : 0;
  json_.push_back({{"what", what}, {"measured", measured}, {"below", limit}, {"held", held}});
}

void Bars::sum_up() const { fmt::print("{} of {} bars held\n", held_, json_.size()); }

}  // namespace muster::bench
