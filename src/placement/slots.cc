#include "placement/slots.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace muster::placement {

namespace {

// One pass of a radix sort by a number, a byte at a time; bytes in which all agree cost one look.
template <typename Number>
void sort_by(std::vector<Slot>& slots, std::vector<Slot>& spare, Number number) {
  uint32_t differ = 0;
  for (const Slot& slot : slots) differ |= number(slot) ^ number(slots.front());
  for (uint32_t shift = 0; shift < 32; shift += 8) {
    if ((differ >> shift & 0xFF) == 0) continue;
    std::array<std::size_t, 256> start{};
    for (const Slot& slot : slots) ++start[number(slot) >> shift & 0xFF];
    std::size_t sum = 0;
    for (std::size_t& it : start) sum += std::exchange(it, sum);
    for (const Slot& slot : slots) spare[start[number(slot) >> shift & 0xFF]++] = slot;
    slots.swap(spare);
  }
}

}  // namespace

void sort_slots(std::vector<Slot>& slots) {
  constexpr std::size_t kFew = 256;
  const auto before = [](const Slot& a, const Slot& b) {
    return std::tuple(a.node, a.kind, a.host) < std::tuple(b.node, b.kind, b.host);
  };
  if (std::is_sorted(slots.begin(), slots.end(), before)) return;
  if (slots.size() < kFew) {
    std::sort(slots.begin(), slots.end(), before);
    return;
  }
  std::vector<Slot> spare(slots.size());
  const auto by_host = [](const Slot& a, const Slot& b) { return a.host < b.host; };
  if (!std::is_sorted(slots.begin(), slots.end(), by_host))
    sort_by(slots, spare, [](const Slot& slot) { return static_cast<uint32_t>(slot.host); });
  sort_by(slots, spare, [](const Slot& slot) { return slot.kind; });
  sort_by(slots, spare, [](const Slot& slot) { return slot.node; });
}

std::vector<Assignment> assign_members(const Problem& problem, const std::vector<Slot>& slots) {
  std::vector<Assignment> result;
  result.reserve(problem.pending);
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
