#include "placement/cost_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"

namespace muster::placement {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// What holds more for no more is kept alone. `best`: by what is held.
CostSteps cheapest(const CostSteps& best) {
  CostSteps kept;
  int64_t least = kNever;
  for (std::size_t m = best.size(); m-- > 0;) {
    if (best[m].cost >= least) continue;
    least = best[m].cost;
    kept.push_back(best[m]);
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

CostSteps merge(const CostSteps& a, const CostSteps& b, uint32_t most) {
  CostSteps best(most + 1, CostStep{0, 0, 0, kNever});
  for (uint32_t i = 0; i < a.size(); ++i) {
    for (uint32_t j = 0; j < b.size(); ++j) {
      const uint32_t holds = std::min(most, a[i].holds + b[j].holds);
      const int64_t cost = a[i].cost + b[j].cost;
      if (cost < best[holds].cost) best[holds] = {holds, i, j, cost};
      if (a[i].holds + b[j].holds >= most) break;
    }
  }
  return cheapest(best);
}

}  // namespace

CostTable sum_of(std::vector<CostTable> parts, int64_t touch, uint32_t most) {
  CostTable table;
  table.steps.push_back({});
  for (const CostTable& part : parts) {
    table.steps = merge(table.steps, part.steps, most);
    table.merges.push_back(table.steps);
  }
  for (std::size_t i = 1; i < table.steps.size(); ++i) table.steps[i].cost += touch;
  table.parts = std::move(parts);
  return table;
}

CostTable grouped(CostTable part, uint32_t size) {
  if (size == 1) return part;
  CostTable table;
  table.group = size;
  table.steps.push_back({});
  for (uint32_t i = 1; i < part.steps.size(); ++i)
    if (const uint32_t holds = part.steps[i].holds / size; holds > table.steps.back().holds)
      table.steps.push_back({holds, i, 0, part.steps[i].cost});
  table.parts.push_back(std::move(part));
  return table;
}

uint32_t step_for(const CostTable& table, uint32_t count) {
  const auto step = std::find_if(table.steps.begin(), table.steps.end(),
                                 [&](const CostStep& it) { return it.holds >= count; });
  MUSTER_CHECK(step != table.steps.end());
  return static_cast<uint32_t>(step - table.steps.begin());
}

void hand_out(const CostTable& table, uint32_t step, uint32_t count, const LeafVisitor& leaf) {
  if (count == 0) return;
  if (table.parts.empty()) {
    leaf(table, step, count);
    return;
  }
  if (table.group > 1) {
    hand_out(table.parts.front(), table.steps[step].before, count * table.group, leaf);
    return;
  }
  std::vector<uint32_t> picks(table.parts.size());
  std::vector<uint32_t> holds(table.parts.size());
  uint32_t total = 0;
  for (std::size_t i = table.parts.size(); i-- > 0;) {
    const CostStep& merged = table.merges[i][step];
    picks[i] = merged.pick;
    holds[i] = table.parts[i].steps[merged.pick].holds;
    total += holds[i];
    step = merged.before;
  }
  // The steps may hold a little more than asked for: the part with most gives way.
  for (uint32_t surplus = total - count; surplus > 0;) {
    auto most = std::max_element(holds.begin(), holds.end());
    const uint32_t less = std::min(surplus, *most);
    *most -= less;
    surplus -= less;
  }
  for (std::size_t i = 0; i < table.parts.size(); ++i) hand_out(table.parts[i], picks[i], holds[i], leaf);
}

}  // namespace muster::placement
