#include "placement/slots.h"

#include <algorithm>
#include <tuple>

namespace muster::placement {

std::vector<Assignment> assign_members(const Problem& problem, std::vector<Slot> slots) {
  std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) {
    return std::tuple(a.node, a.kind, a.host) < std::tuple(b.node, b.kind, b.host);
  });
  std::vector<Assignment> result;
  const Node::Direct* direct = nullptr;
  std::size_t next = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& slot = slots[i];
    if (i == 0 || slots[i - 1].node != slot.node || slots[i - 1].kind != slot.kind) {
      const auto& all = problem.nodes[slot.node].direct;
      const auto it =
          std::find_if(all.begin(), all.end(), [&](const Node::Direct& d) { return d.kind == slot.kind; });
      MUSTER_CHECK(it != all.end());
      direct = &*it;
      next = 0;
    }
    for (uint32_t k = 0; k < slot.count; ++k) {
      MUSTER_CHECK(next < direct->members.size());
      result.push_back({direct->members[next++], slot.host});
    }
  }
  const auto& members = problem.request.members;
  const auto by_rank = [&](const Assignment& a, const Assignment& b) {
    return std::tuple(members[a.member].rank, a.member) < std::tuple(members[b.member].rank, b.member);
  };
  if (!std::is_sorted(result.begin(), result.end(), by_rank))
    std::sort(result.begin(), result.end(), by_rank);
  return result;
}

}  // namespace muster::placement
