// Depth first over hosts, each taking one of its maximal mixes (a smaller mix is never needed: what is too
// much is dropped at the end). Alike hosts are neighbours and take mixes in the order of the list, so that
// permutations are seen once. Cut by: what the hosts still to come can hold of each kind and of each
// resource; states (host, lowest mix, members left) that failed before.
#include "placement/exact.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "placement/host_options.h"

namespace muster::placement {
namespace {

class ExactSearch {
 public:
  ExactSearch(const LocalHosts& hosts, const Wanted& wanted, Budget& budget)
      : hosts_(hosts), wanted_(wanted), budget_(budget) {
    for (std::size_t kind = 0; kind < hosts.kinds(); ++kind) {
      if (wanted.count[kind] == 0) continue;
      kinds_.push_back(kind);
      left_.push_back(wanted.count[kind]);
    }
    slack_ = wanted.sum() - wanted.least;
  }

  Answer run(Takes& takes) {
    constexpr std::size_t kMaxHosts = 2000;  // one stack frame each
    if (hosts_.size() > kMaxHosts || !order_hosts()) return Answer::kOpen;
    sum_rooms();
    chosen_.assign(order_.size(), 0);
    const Answer answer = descend(0, 0);
    if (answer != Answer::kFits) return answer;
    write(takes);
    return answer;
  }

 private:
  // Hosts with the same list of mixes side by side; the lists with fewest mixes first.
  bool order_hosts() {
    HostOptions options(hosts_, kinds_, left_);
    std::vector<std::pair<const Vectors*, std::size_t>> all;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      const Vectors* list = options.of(h, budget_);
      if (list == nullptr) return false;
      all.emplace_back(list, h);
    }
    for (const auto& [list, h] : all) {
      std::size_t type = 0;
      while (type < lists_.size() && lists_[type].data != list->data) ++type;
      if (type == lists_.size()) {
        if (lists_.size() == 256) return false;
        lists_.push_back(*list);
      }
      order_.push_back({type, h});
    }
    std::stable_sort(order_.begin(), order_.end(), [&](const Place& a, const Place& b) {
      if (lists_[a.type].size() != lists_[b.type].size())
        return lists_[a.type].size() < lists_[b.type].size();
      return a.type < b.type;
    });
    return true;
  }

  void sum_rooms() {
    room_after_.assign((order_.size() + 1) * kinds_.size(), 0);
    free_after_.assign((order_.size() + 1) * hosts_.resources(), 0);
    for (std::size_t i = order_.size(); i-- > 0;) {
      const Vectors& list = lists_[order_[i].type];
      for (std::size_t d = 0; d < kinds_.size(); ++d) {
        uint32_t most = 0;
        for (std::size_t o = 0; o < list.size(); ++o) most = std::max(most, list[o][d]);
        room_after_[i * kinds_.size() + d] = room_after_[(i + 1) * kinds_.size() + d] + most;
      }
      // Of a resource a host gives no more than its best mix uses.
      for (std::size_t r = 0; r < hosts_.resources(); ++r) {
        int64_t most = 0;
        for (std::size_t o = 0; o < list.size(); ++o) most = std::max(most, used(list[o], r));
        int64_t& sum = free_after_[i * hosts_.resources() + r];
        if (__builtin_add_overflow(free_after_[(i + 1) * hosts_.resources() + r], most, &sum))
          sum = INT64_MAX;
      }
    }
  }

  [[nodiscard]] int64_t used(const uint32_t* mix, std::size_t resource) const {
    int64_t sum = 0;
    for (std::size_t d = 0; d < kinds_.size(); ++d)
      sum += static_cast<int64_t>(mix[d]) * hosts_.demand(kinds_[d])[resource];
    return sum;
  }

  // Whether the hosts from `from` on may still hold what is left, as far as sums tell.
  [[nodiscard]] bool hopeful(std::size_t from) const {
    uint64_t missing = 0;
    for (std::size_t d = 0; d < kinds_.size(); ++d) {
      const uint64_t room = room_after_[from * kinds_.size() + d];
      if (left_[d] > room) missing += left_[d] - room;
    }
    if (missing > slack_) return false;
    if (slack_ > 0) return true;
    for (std::size_t r = 0; r < hosts_.resources(); ++r) {
      int64_t need = 0;
      for (std::size_t d = 0; d < kinds_.size(); ++d) {
        int64_t part = 0;
        if (__builtin_mul_overflow(static_cast<int64_t>(left_[d]), hosts_.demand(kinds_[d])[r], &part) ||
            __builtin_add_overflow(need, part, &need))
          need = INT64_MAX / 2;
      }
      if (need > free_after_[from * hosts_.resources() + r]) return false;
    }
    return true;
  }

  [[nodiscard]] std::string state_key(std::size_t place, std::size_t lowest) const {
    std::string key;
    const auto add = [&](uint64_t value) { key.append(reinterpret_cast<const char*>(&value), 4); };
    add(place);
    add(lowest);
    for (const uint32_t left : left_) add(left);
    return key;
  }

  Answer descend(std::size_t place, std::size_t lowest) {
    if (std::accumulate(left_.begin(), left_.end(), uint64_t{0}) <= slack_) {
      used_places_ = place;
      return Answer::kFits;
    }
    if (place == order_.size() || !hopeful(place)) return Answer::kNo;
    if (!budget_.spend(8 + kinds_.size() * 2)) return Answer::kOpen;
    const std::string key = state_key(place, lowest);
    if (dead_.count(key) > 0) return Answer::kNo;
    const Vectors& list = lists_[order_[place].type];
    std::vector<uint32_t> before = left_;
    bool open = false;
    for (std::size_t o = lowest; o < list.size(); ++o) {
      for (std::size_t d = 0; d < kinds_.size(); ++d) left_[d] = before[d] - std::min(before[d], list[o][d]);
      chosen_[place] = o;
      const bool same_next = place + 1 < order_.size() && order_[place + 1].type == order_[place].type;
      const Answer answer = descend(place + 1, same_next ? o : 0);
      if (answer == Answer::kFits) return answer;
      if (answer == Answer::kOpen) {
        open = true;
        break;
      }
    }
    left_ = before;
    if (open) return Answer::kOpen;
    constexpr std::size_t kMemory = 1 << 20;
    if (dead_.size() < kMemory) dead_.insert(key);
    return Answer::kNo;
  }

  void write(Takes& takes) {
    std::vector<uint32_t> left;
    for (const std::size_t kind : kinds_) left.push_back(wanted_.count[kind]);
    for (std::size_t i = 0; i < used_places_; ++i) {
      const uint32_t* mix = lists_[order_[i].type][chosen_[i]];
      for (std::size_t d = 0; d < kinds_.size(); ++d) {
        const uint32_t count = std::min(left[d], mix[d]);
        if (count == 0) continue;
        takes.push_back({static_cast<uint32_t>(order_[i].host), static_cast<uint32_t>(kinds_[d]), count});
        left[d] -= count;
      }
    }
  }

  struct Place {
    std::size_t type;
    std::size_t host;
  };

  const LocalHosts& hosts_;
  const Wanted& wanted_;
  Budget& budget_;
  std::vector<std::size_t> kinds_;
  std::vector<uint32_t> left_;
  uint64_t slack_ = 0;
  std::vector<Vectors> lists_;
  std::vector<Place> order_;
  std::vector<uint64_t> room_after_;
  std::vector<int64_t> free_after_;
  std::vector<std::size_t> chosen_;
  std::size_t used_places_ = 0;
  std::unordered_set<std::string> dead_;
};

}  // namespace

Answer decide_by_search(const LocalHosts& hosts, const Wanted& wanted, Budget& budget, Takes& takes) {
  return ExactSearch(hosts, wanted, budget).run(takes);
}

}  // namespace muster::placement
