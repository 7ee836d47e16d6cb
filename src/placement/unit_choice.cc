#include "placement/unit_choice.h"

#include <algorithm>
#include <compare>
#include <optional>

#include "placement/unit_candidates.h"

namespace muster::placement {
namespace {

constexpr uint32_t kMostMembers = 64;
constexpr std::size_t kMostOptions = 64;  // ways to place the members in one domain

class UnitChoice {
 public:
  UnitChoice(Search& search, Mix& mix, Outcome& outcome)
      : problem_(search.problem), mix_(mix), outcome_(outcome) {}

  [[nodiscard]] bool worthwhile() {
    if (!problem_.flat() || problem_.plainly_sliced() || !problem_.bound_hosts.empty() ||
        problem_.pending > kMostMembers)
      return false;
    // With levels between, members of one domain could touch more of them than before.
    const Topology& topology = problem_.topology;
    const LevelId hosts_level = topology.host_level();
    if (mix_.level() != hosts_level &&
        topology.coarser(hosts_level, topology.tree(mix_.level())) != mix_.level())
      return false;
    const Node& group = problem_.nodes[0];
    if (group.strategy != Strategy::kPack || group.exclusive != kClusterLevel) return false;
    uint32_t placed = 0;
    std::vector<HostIndex> hosts;
    for (const Slot& slot : outcome_.slots) {
      placed += slot.count;
      hosts.push_back(slot.host);
    }
    if (placed != problem_.pending) return false;
    std::sort(hosts.begin(), hosts.end());
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    most_hosts_ = hosts.size();
    present_ = unit_of(hosts.front());
    return present_ != kNoDomain &&
           std::all_of(hosts.begin(), hosts.end(), [&](HostIndex it) { return unit_of(it) == present_; });
  }

  void run() {
    compile();
    look_at(present_);
    const LevelId within = problem_.topology.level_of(outcome_.domain);
    for (const DomainId unit : unit_candidates(problem_, within, mix_.level(), {kinds_, rooms_}))
      if (unit != present_) look_at(unit);
    if (!best_) return;
    outcome_.slots = std::move(best_slots_);
    outcome_.in_rank_order = false;
    const LevelId level = problem_.topology.level_of(outcome_.domain);
    outcome_.domain = level == problem_.topology.host_level()
                          ? problem_.topology.host_domain(outcome_.slots.front().host)
                          : problem_.topology.domain_of(outcome_.slots.front().host, level);
  }

 private:
  // Less is better.
  struct Key {
    int64_t growth = 0;
    int64_t idle_above = 0;    // domains around it that were entirely free
    double devices = 0;        // left over in it
    double devices_there = 0;  // and on the hosts used
    int64_t room_around = 0;   // in the domain right above, in members
    double others = 0;         // other room left over, in shares of what a host has
    auto operator<=>(const Key&) const = default;
  };
  struct Need {
    std::size_t column = 0;
    int64_t amount = 0;
  };

  [[nodiscard]] DomainId unit_of(HostIndex host) const {
    return mix_.level() == problem_.topology.host_level() ? problem_.topology.host_domain(host)
                                                          : problem_.topology.domain_of(host, mix_.level());
  }

  // Columns: what the mix sees first, then other devices, then what the members alone ask for.
  void compile() {
    columns_.assign(mix_.resources().begin(), mix_.resources().end());
    for (std::size_t r = 0; r < problem_.state.resource_count(); ++r)
      if (const auto resource = static_cast<ResourceId>(r); problem_.state.is_device(resource))
        static_cast<void>(column_of(resource));
    std::vector<std::pair<double, uint32_t>> order;
    needs_.resize(problem_.kinds.size());
    for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind) {
      rooms_.push_back(&problem_.rooms(kind));
      if (problem_.kinds[kind].count == 0) continue;
      double devices = 0;
      for (const ResourceAmount& need : problem_.demand(problem_.kinds[kind])) {
        if (need.amount <= 0) continue;
        needs_[kind].push_back({column_of(need.resource), need.amount});
        if (problem_.state.is_device(need.resource)) devices += static_cast<double>(need.amount);
      }
      order.emplace_back(-devices, kind);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [devices, kind] : order) kinds_.push_back(kind);
    for (const ResourceId resource : columns_) device_.push_back(problem_.state.is_device(resource));
  }

  std::size_t column_of(ResourceId resource) {
    const auto found = std::find(columns_.begin(), columns_.end(), resource);
    if (found != columns_.end()) return static_cast<std::size_t>(found - columns_.begin());
    columns_.push_back(resource);
    return columns_.size() - 1;
  }

  void look_at(DomainId unit) {
    hosts_ = problem_.topology.hosts(unit);
    rows_.clear();
    for (const HostIndex host : hosts_) {
      const std::size_t start = rows_.size();
      rows_.resize(start + width());
      mix_.read(problem_.state, host, rows_.data() + start);
      for (std::size_t c = mix_.resources().size(); c < columns_.size(); ++c)
        rows_[start + 1 + c] = std::max<int64_t>(0, problem_.state.free(host, columns_[c]));
    }
    before_ = fragmentation();
    look_around(unit);
    options_ = 0;
    slots_.clear();
    place(0);
  }

  void look_around(DomainId unit) {
    const DomainId above = problem_.topology.parent(unit);
    room_around_ = above == kNoDomain ? 0 : rooms_[kinds_.front()]->domain(above);
    idle_above_ = 0;
    for (DomainId it = above; it != kNoDomain && it != kClusterDomain; it = problem_.topology.parent(it))
      idle_above_ += problem_.state.busy_hosts(it) == 0 ? 1 : 0;
  }

  [[nodiscard]] std::size_t width() const { return 1 + columns_.size(); }
  [[nodiscard]] int64_t* row(std::size_t h) { return rows_.data() + h * width(); }

  [[nodiscard]] int64_t fragmentation() {
    seen_.clear();
    for (std::size_t h = 0; h < hosts_.size(); ++h) seen_.insert(seen_.end(), row(h), row(h) + mix_.width());
    return mix_.fragmentation(seen_);
  }

  [[nodiscard]] int64_t room(std::size_t h, uint32_t kind, int64_t most) {
    if (rooms_[kind]->host(hosts_[h]) == 0) return 0;
    for (const Need& need : needs_[kind]) most = std::min(most, row(h)[1 + need.column] / need.amount);
    return most;
  }

  void take(std::size_t h, uint32_t kind, int64_t count) {
    for (const Need& need : needs_[kind]) row(h)[1 + need.column] -= need.amount * count;
    slots_.push_back({0, kind, hosts_[h], static_cast<uint32_t>(count)});
  }
  void give_back(std::size_t h) {
    const Slot& slot = slots_.back();
    for (const Need& need : needs_[slot.kind]) row(h)[1 + need.column] += need.amount * slot.count;
    slots_.pop_back();
  }

  // Kinds from the `depth`th on: a single member tries all hosts that differ, several go to as few as hold
  // them.
  void place(std::size_t depth) {
    if (depth == kinds_.size()) {
      weigh();
      return;
    }
    const uint32_t kind = kinds_[depth];
    if (problem_.kinds[kind].count > 1) {
      place_together(depth, kind);
      return;
    }
    for (std::size_t h = 0; h < hosts_.size() && options_ < kMostOptions; ++h) {
      if (room(h, kind, 1) == 0 || is_repeated(h)) continue;
      take(h, kind, 1);
      place(depth + 1);
      give_back(h);
    }
  }

  // Whether an earlier host of the domain has the same room. Nothing else tells them apart but refusals.
  [[nodiscard]] bool is_repeated(std::size_t h) {
    for (std::size_t i = 0; i < h; ++i)
      if (std::equal(row(h), row(h) + width(), row(i)) && rooms_alike(i, h)) return true;
    return false;
  }
  [[nodiscard]] bool rooms_alike(std::size_t a, std::size_t b) const {
    return std::all_of(kinds_.begin(), kinds_.end(), [&](uint32_t kind) {
      return rooms_[kind]->host(hosts_[a]) == rooms_[kind]->host(hosts_[b]);
    });
  }

  // The tightest host that takes all that are left, else the roomiest.
  void place_together(std::size_t depth, uint32_t kind) {
    std::vector<std::size_t> taken;
    int64_t left = problem_.kinds[kind].count;
    while (left > 0) {
      std::size_t chosen = hosts_.size();
      int64_t chosen_room = 0;
      for (std::size_t h = 0; h < hosts_.size(); ++h) {
        const int64_t here = room(h, kind, INT64_MAX);
        if (here == 0) continue;
        const bool better = here >= left ? chosen_room < left || here < chosen_room : here > chosen_room;
        if (!better) continue;
        chosen = h;
        chosen_room = here;
      }
      if (chosen == hosts_.size()) break;
      take(chosen, kind, std::min(left, chosen_room));
      taken.push_back(chosen);
      left -= std::min(left, chosen_room);
    }
    if (left == 0) place(depth + 1);
    for (; !taken.empty(); taken.pop_back()) give_back(taken.back());
  }

  void weigh() {
    ++options_;
    std::vector<HostIndex> used;
    for (const Slot& slot : slots_)
      if (std::find(used.begin(), used.end(), slot.host) == used.end()) used.push_back(slot.host);
    if (used.size() > most_hosts_) return;
    Key key;
    key.growth = fragmentation() - before_;
    key.idle_above = idle_above_;
    key.room_around = room_around_;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      const bool here = std::find(used.begin(), used.end(), hosts_[h]) != used.end();
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        const auto left = static_cast<double>(row(h)[1 + c]);
        if (!device_[c]) {
          const int64_t all = problem_.state.allocatable(hosts_[h], columns_[c]);
          key.others += left / static_cast<double>(std::max<int64_t>(all, 1));
          continue;
        }
        key.devices += left;
        if (here) key.devices_there += left;
      }
    }
    if (best_ && !(key < *best_)) return;
    best_ = key;
    best_slots_ = slots_;
  }

  Problem& problem_;
  Mix& mix_;
  Outcome& outcome_;
  std::size_t most_hosts_ = 0;
  DomainId present_ = kNoDomain;
  std::vector<ResourceId> columns_;
  std::vector<bool> device_;              // by column
  std::vector<uint32_t> kinds_;           // wanted ones, most devices first
  std::vector<std::vector<Need>> needs_;  // by kind
  std::vector<const KindRooms*> rooms_;   // by kind

  std::span<const HostIndex> hosts_;  // of the domain looked at
  std::vector<int64_t> rows_;         // what they have left
  std::vector<int64_t> seen_;         // of it what the mix sees
  int64_t before_ = 0;                // its fragmentation
  int64_t idle_above_ = 0;
  int64_t room_around_ = 0;
  std::size_t options_ = 0;
  std::vector<Slot> slots_;
  std::optional<Key> best_;
  std::vector<Slot> best_slots_;
};

}  // namespace

void choose_unit(Search& search, Mix& mix, Outcome& outcome) {
  UnitChoice choice(search, mix, outcome);
  if (choice.worthwhile()) choice.run();
}

}  // namespace muster::placement
