#include <algorithm>

#include "placement/unit_packer.h"

namespace muster::placement {
namespace {

// Room (descending), whether idle, and the place among the units, in one number to sort by.
constexpr uint64_t kMost = (uint64_t{1} << 31) - 1;
uint64_t key_of(int64_t room, bool busy, uint32_t index) {
  return (kMost - std::min<uint64_t>(static_cast<uint64_t>(room), kMost)) << 33 |
         (busy ? uint64_t{0} : uint64_t{1} << 32) | index;
}
int64_t room_in(uint64_t key) { return static_cast<int64_t>(kMost - (key >> 33)); }
bool busy_in(uint64_t key) { return (key >> 32 & 1) == 0; }
uint32_t index_in(uint64_t key) { return static_cast<uint32_t>(key); }

}  // namespace

LeafPacker::LeafPacker(const Problem& problem, const Units& units, std::size_t tree)
    : problem_(problem), units_(units) {
  const Topology& topology = problem.topology;
  if (units.level() == kClusterLevel) return;
  above_ = topology.coarser(units.level(), tree).value_or(kClusterLevel);
}

bool LeafPacker::is_leaf(DomainId domain) const {
  const LevelId own = problem_.topology.level_of(domain);
  return own == units_.level() || (own == above_ && own != kClusterLevel);
}

void LeafPacker::list_units(DomainId domain) {
  const Topology& topology = problem_.topology;
  order_.clear();
  uniform_ = true;
  busy_ = 0;
  const auto add = [&](DomainId unit) {
    const int64_t room = units_.room(unit);
    if (room == 0) return;
    const bool busy = problem_.state.busy_hosts(unit) > 0;
    order_.push_back(key_of(room, busy, static_cast<uint32_t>(unit)));
    uniform_ = uniform_ && room_in(order_.back()) == room_in(order_.front());
    busy_ += busy ? 1 : 0;
  };
  if (topology.level_of(domain) == units_.level()) {
    add(domain);
  } else if (units_.level() == topology.host_level()) {
    for (const HostIndex host : topology.hosts(domain)) add(topology.host_domain(host));
  } else {
    const DomainRange range = topology.domains_within(domain, units_.level());
    for (uint32_t i = range.first; i < range.last; ++i) add(static_cast<DomainId>(i));
  }
}

int64_t LeafPacker::cost(DomainId domain, uint32_t count, const Weights& weights) {
  list_units(domain);
  if (uniform_) {
    const int64_t room = room_in(order_.front());
    const int64_t needs = (count + room - 1) / room;
    return needs * weights.unit + std::max<int64_t>(0, needs - busy_) * weights.broken;
  }
  std::sort(order_.begin(), order_.end());
  int64_t cost = 0;
  int64_t left = count;
  for (std::size_t i = 0; i < order_.size() && left > 0; ++i) {
    left -= room_in(order_[i]);
    cost += weights.unit + (busy_in(order_[i]) ? 0 : weights.broken);
  }
  return cost;
}

void LeafPacker::pack(DomainId domain, uint32_t count, std::vector<UnitCount>& out) {
  list_units(domain);
  std::sort(order_.begin(), order_.end());
  int64_t left = count;
  for (std::size_t i = 0; i < order_.size() && left > 0; ++i) {
    uint64_t last = order_[i];
    if (room_in(last) < left) {
      out.push_back({static_cast<DomainId>(index_in(last)), static_cast<uint32_t>(room_in(last))});
      left -= room_in(last);
      continue;
    }
    for (std::size_t k = i + 1; k < order_.size() && room_in(order_[k]) >= left; ++k)
      if (room_in(order_[k]) < room_in(last) && busy_in(order_[k]) >= busy_in(last)) last = order_[k];
    out.push_back({static_cast<DomainId>(index_in(last)), static_cast<uint32_t>(left)});
    left = 0;
  }
}

}  // namespace muster::placement
