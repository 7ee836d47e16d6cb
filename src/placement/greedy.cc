#include "placement/greedy.h"

#include <algorithm>
#include <numeric>

namespace muster::placement {
namespace {

enum class HostRule : uint8_t { kLeastStranded, kRoomiest, kMostAligned, kDepthFirst };

class Greedy {
 public:
  Greedy(const LocalHosts& hosts, const Wanted& wanted) : hosts_(hosts), wanted_(wanted) {
    for (std::size_t kind = 0; kind < hosts.kinds(); ++kind)
      if (wanted.count[kind] > 0) kinds_.push_back(kind);
  }

  // Devices a member takes, then the largest share of what there is of anything.
  [[nodiscard]] std::vector<std::size_t> by_size() const {
    std::vector<double> size(hosts_.kinds(), 0);
    for (const std::size_t kind : kinds_) size[kind] = device_amount(kind) * 1e3 + dominant_share(kind);
    return sorted([&](std::size_t kind) { return -size[kind]; });
  }
  [[nodiscard]] std::vector<std::size_t> by_share() const {
    return sorted([&](std::size_t kind) { return -dominant_share(kind); });
  }
  // The kind with the least choice first.
  [[nodiscard]] std::vector<std::size_t> by_choice() const {
    std::vector<double> room(hosts_.kinds(), 0);
    for (const std::size_t kind : kinds_)
      for (std::size_t h = 0; h < hosts_.size(); ++h)
        if (hosts_.may(h, kind)) room[kind] += hosts_.room(hosts_.free(h), kind, wanted_.count[kind]);
    return sorted([&](std::size_t kind) { return room[kind] / static_cast<double>(wanted_.count[kind]); });
  }

  [[nodiscard]] Takes run(const std::vector<std::size_t>& order, HostRule rule, uint32_t& placed) const {
    std::vector<int64_t> free(hosts_.free(0), hosts_.free(0) + hosts_.size() * hosts_.resources());
    Takes takes;
    placed = 0;
    for (const std::size_t kind : order) {
      uint32_t left = wanted_.count[kind];
      for (const uint32_t h : ranked(kind, rule, free, left)) {
        int64_t* row = free.data() + h * hosts_.resources();
        const uint32_t count = hosts_.room(row, kind, left);
        for (std::size_t r = 0; r < hosts_.resources(); ++r)
          row[r] -= hosts_.demand(kind)[r] * static_cast<int64_t>(count);
        takes.push_back({h, static_cast<uint32_t>(kind), count});
        left -= count;
        if (left == 0) break;
      }
      placed += wanted_.count[kind] - left;
    }
    return takes;
  }

  [[nodiscard]] uint64_t effort() const { return kinds_.size() * (hosts_.size() * 12 + 16); }

 private:
  template <typename Key>
  [[nodiscard]] std::vector<std::size_t> sorted(Key key) const {
    std::vector<std::size_t> order = kinds_;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    return order;
  }

  [[nodiscard]] double device_amount(std::size_t kind) const {
    double amount = 0;
    for (std::size_t r = 0; r < hosts_.resources(); ++r)
      if (hosts_.device(r)) amount += static_cast<double>(hosts_.demand(kind)[r]);
    return amount;
  }

  [[nodiscard]] double dominant_share(std::size_t kind) const {
    double share = 0;
    for (std::size_t r = 0; r < hosts_.resources(); ++r) {
      double total = 0;
      for (std::size_t h = 0; h < hosts_.size(); ++h) total += static_cast<double>(hosts_.free(h)[r]);
      if (total > 0) share = std::max(share, static_cast<double>(hosts_.demand(kind)[r]) / total);
    }
    return share;
  }

  struct Ranked {
    double key = 0;
    uint32_t host = 0;
  };

  // Hosts with room, best first.
  [[nodiscard]] std::vector<uint32_t> ranked(std::size_t kind, HostRule rule,
                                             const std::vector<int64_t>& free, uint32_t left) const {
    std::vector<Ranked> all;
    for (uint32_t h = 0; h < hosts_.size(); ++h) {
      if (!hosts_.may(h, kind)) continue;
      const int64_t* row = free.data() + h * hosts_.resources();
      const uint32_t room = hosts_.room(row, kind, left);
      if (room > 0) all.push_back({key(kind, rule, row, room, hosts_.busy(h)), h});
    }
    if (rule != HostRule::kDepthFirst)
      std::stable_sort(all.begin(), all.end(),
                       [](const Ranked& a, const Ranked& b) { return a.key < b.key; });
    std::vector<uint32_t> order;
    order.reserve(all.size());
    for (const Ranked& it : all) order.push_back(it.host);
    return order;
  }

  [[nodiscard]] double key(std::size_t kind, HostRule rule, const int64_t* row, uint32_t room,
                           bool busy) const {
    if (rule == HostRule::kRoomiest) return -static_cast<double>(room) * 2 + (busy ? 0 : 1);
    double key = 0;
    for (std::size_t r = 0; r < hosts_.resources(); ++r) {
      const auto need = static_cast<double>(hosts_.demand(kind)[r]);
      const auto have = static_cast<double>(row[r]);
      if (rule == HostRule::kMostAligned) {
        if (hosts_.asked(r) > 0) key -= have / static_cast<double>(hosts_.asked(r)) * need;
      } else if (hosts_.device(r)) {
        key += (have - need * room) * 4 + (need == 0 ? have : 0);
      }
    }
    return key + (busy ? 0 : 0.5);
  }

  const LocalHosts& hosts_;
  const Wanted& wanted_;
  std::vector<std::size_t> kinds_;
};

}  // namespace

std::optional<Takes> pack_quickly(const LocalHosts& hosts, const Wanted& wanted, Budget& budget) {
  if (hosts.size() == 0) return std::nullopt;
  const Greedy greedy(hosts, wanted);
  budget.spend(greedy.effort());
  uint32_t placed = 0;
  Takes takes = greedy.run(greedy.by_size(), HostRule::kLeastStranded, placed);
  if (placed < wanted.sum()) return std::nullopt;
  return takes;
}

std::optional<Takes> pack_greedily(const LocalHosts& hosts, const Wanted& wanted, Budget& budget) {
  if (hosts.size() == 0) return std::nullopt;
  const Greedy greedy(hosts, wanted);
  const uint32_t all = wanted.sum();
  uint32_t most = 0;
  std::optional<Takes> best;
  auto smallest_first = greedy.by_size();
  std::reverse(smallest_first.begin(), smallest_first.end());
  for (const auto& order : {greedy.by_size(), greedy.by_choice(), greedy.by_share(), smallest_first}) {
    for (const HostRule rule :
         {HostRule::kLeastStranded, HostRule::kRoomiest, HostRule::kMostAligned, HostRule::kDepthFirst}) {
      if (!budget.spend(greedy.effort())) return best;
      uint32_t placed = 0;
      Takes takes = greedy.run(order, rule, placed);
      if (placed >= wanted.least && placed > most) {
        most = placed;
        best = std::move(takes);
      }
      if (most == all) return best;
    }
  }
  return best;
}

}  // namespace muster::placement
