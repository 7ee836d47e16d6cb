#include "placement/greedy.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace muster::placement {
namespace {

enum class HostRule : uint8_t { kLeastStranded, kRoomiest, kMostAligned, kDepthFirst };

class Greedy {
 public:
  Greedy(const LocalHosts& hosts, const Wanted& wanted) : hosts_(hosts), wanted_(wanted) {
    for (std::size_t kind = 0; kind < hosts.kinds(); ++kind)
      if (wanted.count[kind] > 0) kinds_.push_back(kind);
    find_classes();
    for (std::size_t r = 0; r < hosts.resources(); ++r) {
      double total = 0;
      for (uint32_t c = 0; c < classes_.size(); ++c)
        total += static_cast<double>(classes_.row(c)[r]) * classes_.size_of[c];
      total_.push_back(total);
    }
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
      for (uint32_t c = 0; c < classes_.size(); ++c)
        if (hosts_.may(classes_.host[c], kind))
          room[kind] += static_cast<double>(hosts_.room(classes_.row(c), kind, wanted_.count[kind])) *
                        classes_.size_of[c];
    return sorted([&](std::size_t kind) { return room[kind] / static_cast<double>(wanted_.count[kind]); });
  }

  [[nodiscard]] Takes run(const std::vector<std::size_t>& order, HostRule rule, uint32_t& placed) const {
    Classes classes = classes_;
    std::vector<uint32_t> class_of = class_of_;
    Takes takes;
    placed = 0;
    for (const std::size_t kind : order) {
      uint32_t left = wanted_.count[kind];
      const Ranking ranking = rank(kind, rule, classes, class_of, left);
      std::vector<uint32_t> after(classes.size(), kNone);  // the class once as many as fit are taken
      for (const uint32_t h : ranking.hosts) {
        const uint32_t c = class_of[h];
        const uint32_t count = std::min(ranking.room[c], left);
        uint32_t next = count == ranking.room[c] ? after[c] : kNone;
        if (next == kNone) {
          next = classes.add(classes.host[c]);
          for (std::size_t r = 0; r < hosts_.resources(); ++r)
            classes.row(next)[r] = classes.row(c)[r] - hosts_.demand(kind)[r] * static_cast<int64_t>(count);
          if (count == ranking.room[c]) after[c] = next;
        }
        --classes.size_of[c];
        ++classes.size_of[next];
        class_of[h] = next;
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
    for (std::size_t r = 0; r < hosts_.resources(); ++r)
      if (total_[r] > 0) share = std::max(share, static_cast<double>(hosts_.demand(kind)[r]) / total_[r]);
    return share;
  }

  static constexpr uint32_t kNone = UINT32_MAX;

  // Hosts that are the same to every kind, and as busy, are a class: keys are worked out per class.
  struct Classes {
    std::size_t resources = 0;
    std::vector<int64_t> rows;      // free room
    std::vector<uint32_t> host;     // one that stands for the class
    std::vector<uint32_t> size_of;  // hosts in it

    [[nodiscard]] std::size_t size() const { return host.size(); }
    [[nodiscard]] const int64_t* row(uint32_t c) const { return rows.data() + c * resources; }
    [[nodiscard]] int64_t* row(uint32_t c) { return rows.data() + c * resources; }
    uint32_t add(uint32_t like) {
      host.push_back(like);
      size_of.push_back(0);
      rows.resize(rows.size() + resources);
      return static_cast<uint32_t>(host.size() - 1);
    }
  };

  void find_classes() {
    classes_.resources = hosts_.resources();
    class_of_.reserve(hosts_.size());
    std::vector<uint32_t> table(256, kNone);
    std::vector<uint64_t> hashes;
    const auto slot_of = [&](uint64_t hash) { return (hash ^ (hash >> 32)) & (table.size() - 1); };
    for (uint32_t h = 0; h < hosts_.size(); ++h) {
      uint64_t hash = hosts_.busy(h) ? 1 : 0;
      for (std::size_t r = 0; r < hosts_.resources(); ++r) {
        hash = (hash ^ static_cast<uint64_t>(hosts_.free(h)[r])) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 29;
      }
      std::size_t slot = slot_of(hash);
      while (table[slot] != kNone && !same_class(h, hash, table[slot], hashes))
        slot = (slot + 1) & (table.size() - 1);
      if (table[slot] == kNone) {
        const uint32_t c = classes_.add(h);
        std::copy(hosts_.free(h), hosts_.free(h) + hosts_.resources(), classes_.row(c));
        hashes.push_back(hash);
        table[slot] = c;
        if (classes_.size() * 2 > table.size()) {
          table.assign(table.size() * 4, kNone);
          for (uint32_t old = 0; old < classes_.size(); ++old) {
            std::size_t free = slot_of(hashes[old]);
            while (table[free] != kNone) free = (free + 1) & (table.size() - 1);
            table[free] = old;
          }
        }
        class_of_.push_back(c);
      } else {
        class_of_.push_back(table[slot]);
      }
      ++classes_.size_of[class_of_.back()];
    }
  }

  [[nodiscard]] bool same_class(uint32_t h, uint64_t hash, uint32_t c,
                                const std::vector<uint64_t>& hashes) const {
    return hashes[c] == hash && hosts_.busy(h) == hosts_.busy(classes_.host[c]) &&
           hosts_.alike(h, classes_.host[c]);
  }

  struct Ranking {
    std::vector<uint32_t> room;   // per class; at most `left`
    std::vector<uint32_t> hosts;  // with room, best first, in their own order among equals
  };

  // Hosts beyond those that hold `left` together may be missing.
  [[nodiscard]] Ranking rank(std::size_t kind, HostRule rule, const Classes& classes,
                             const std::vector<uint32_t>& class_of, uint32_t left) const {
    Ranking ranking;
    ranking.room.assign(classes.size(), 0);
    std::vector<std::pair<double, uint32_t>> keys;
    for (uint32_t c = 0; c < classes.size(); ++c) {
      if (classes.size_of[c] == 0 || !hosts_.may(classes.host[c], kind)) continue;
      const uint32_t room = hosts_.room(classes.row(c), kind, left);
      if (room == 0) continue;
      ranking.room[c] = room;
      const bool ranked = rule != HostRule::kDepthFirst;
      keys.emplace_back(ranked ? key(kind, rule, classes.row(c), room, hosts_.busy(classes.host[c])) : 0, c);
    }
    std::sort(keys.begin(), keys.end());
    std::vector<uint32_t> bucket(classes.size(), kNone);
    std::vector<std::size_t> start;  // per bucket: classes with one key
    std::size_t hosts = 0;
    uint64_t covered = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const uint32_t c = keys[i].second;
      if (i == 0 || keys[i].first != keys[i - 1].first) {
        if (covered >= left) break;
        start.push_back(hosts);
      }
      bucket[c] = static_cast<uint32_t>(start.size() - 1);
      hosts += classes.size_of[c];
      covered += static_cast<uint64_t>(ranking.room[c]) * classes.size_of[c];
    }
    ranking.hosts.resize(hosts);
    for (uint32_t h = 0; h < class_of.size(); ++h)
      if (const uint32_t b = bucket[class_of[h]]; b != kNone) ranking.hosts[start[b]++] = h;
    return ranking;
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
  Classes classes_;
  std::vector<uint32_t> class_of_;  // per host
  std::vector<double> total_;       // free room of all hosts, per resource
};

}  // namespace

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
