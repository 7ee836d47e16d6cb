#include "placement/frontier.h"

#include <algorithm>
#include <numeric>

#include "placement/fold.h"
#include "placement/host_options.h"

namespace muster::placement {
namespace {

// What can be remembered for the way back: parts × cells.
constexpr uint64_t kMaxMemory = 64U << 20;

}  // namespace

Answer decide_by_frontier(const LocalHosts& hosts, const Wanted& wanted, Budget& budget, Takes& takes) {
  std::vector<std::size_t> kinds;
  std::vector<uint32_t> caps;
  uint32_t upper = 0;
  for (std::size_t kind = 0; kind < hosts.kinds(); ++kind) {
    if (wanted.count[kind] == 0) continue;
    uint64_t room = 0;
    for (std::size_t h = 0; h < hosts.size() && room < wanted.count[kind]; ++h)
      if (hosts.may(h, kind)) room += hosts.room(hosts.free(h), kind, wanted.count[kind]);
    const auto cap = static_cast<uint32_t>(std::min<uint64_t>(room, wanted.count[kind]));
    upper += cap;
    if (cap == 0) continue;
    kinds.push_back(kind);
    caps.push_back(cap);
  }
  if (upper < wanted.least) return Answer::kNo;
  if (upper == 0) return Answer::kFits;
  Fold fold(caps);
  if (fold.cells() > Fold::kMaxCells || fold.cells() * hosts.size() * 2 > kMaxMemory) return Answer::kOpen;
  if (!budget.left(fold.cells() * hosts.size() * 2)) return Answer::kOpen;
  HostOptions options(hosts, kinds, caps);
  const bool all = wanted.least == wanted.sum();
  std::vector<std::size_t> used;
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    const Vectors* offer = options.of(h, budget);
    if (offer == nullptr || !fold.add(*offer, budget)) return Answer::kOpen;
    used.push_back(h);
    if (fold.reaches(caps)) break;
  }
  std::vector<uint32_t> target = caps;
  if (!fold.reaches(target)) {
    if (all) return Answer::kNo;
    uint32_t most = 0;
    const Vectors ends = fold.maximal();
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const uint32_t sum = std::accumulate(ends[i], ends[i] + ends.width, 0U);
      if (sum <= most) continue;
      most = sum;
      target.assign(ends[i], ends[i] + ends.width);
    }
    if (most < wanted.least) return Answer::kNo;
  }
  const auto taken = fold.take_back(target);
  for (std::size_t p = 0; p < taken.size(); ++p)
    for (std::size_t d = 0; d < kinds.size(); ++d)
      if (taken[p][d] > 0)
        takes.push_back({static_cast<uint32_t>(used[p]), static_cast<uint32_t>(kinds[d]), taken[p][d]});
  return Answer::kFits;
}

}  // namespace muster::placement
