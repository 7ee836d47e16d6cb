#include "sim/occupancy.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace muster::sim {
namespace {

// How many of the rooms, the largest first, have the sum; 0 when all together have not. Reorders them.
uint32_t largest_that_reach(int64_t sum, std::vector<int64_t>& rooms) {
  std::make_heap(rooms.begin(), rooms.end());
  uint32_t used = 0;
  for (auto end = rooms.end(); sum > 0 && end != rooms.begin(); ++used) {
    std::pop_heap(rooms.begin(), end);
    sum -= *--end;
  }
  return sum > 0 ? 0 : used;
}

}  // namespace

Occupancy::Occupancy(Topology topology, std::vector<int64_t> capacity, std::vector<int64_t> sizes)
    : topology_(std::move(topology)),
      capacity_(std::move(capacity)),
      free_(capacity_),
      sizes_(std::move(sizes)) {
  total_ = std::accumulate(capacity_.begin(), capacity_.end(), int64_t{0});
  hosts_ = static_cast<uint32_t>(
      std::count_if(capacity_.begin(), capacity_.end(), [](int64_t gpus) { return gpus > 0; }));
  for (std::size_t level = 0; level + 1 < topology_.level_count(); ++level)
    levels_.push_back(static_cast<LevelId>(level));
  const std::size_t domains = topology_.domain_count() - topology_.host_count();
  for (const int64_t size : sizes_) {
    std::vector<int64_t>& room = room_.emplace_back(domains);
    for (std::size_t host = 0; host < free_.size(); ++host) {
      for (const LevelId level : levels_) {
        const DomainId domain = topology_.domain_of(static_cast<HostIndex>(host), level);
        if (domain != kNoDomain) room[at(domain)] += free_[host] / size;
      }
    }
  }
}

void Occupancy::take(HostIndex host, int64_t gpus) {
  int64_t& free = free_[at(host)];
  const int64_t before = free;
  const auto partly = [&] { return free > 0 && free < capacity_[at(host)]; };
  partly_used_ -= partly();
  free -= gpus;
  taken_ += gpus;
  partly_used_ += partly();
  MUSTER_CHECK(free >= 0 && free <= capacity_[at(host)]);
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    const int64_t difference = free / sizes_[i] - before / sizes_[i];
    if (difference == 0) continue;
    for (const LevelId level : levels_) {
      const DomainId domain = topology_.domain_of(host, level);
      if (domain != kNoDomain) room_[i][at(domain)] += difference;
    }
  }
}

const std::vector<int64_t>& Occupancy::room_of(int64_t gpus) const {
  const auto size = std::find(sizes_.begin(), sizes_.end(), gpus);
  MUSTER_CHECK(size != sizes_.end());
  return room_[static_cast<std::size_t>(size - sizes_.begin())];
}

std::optional<uint32_t> Occupancy::fewest(LevelId level, const Shape& shape) const {
  const std::vector<int64_t>& room = room_of(shape.gpus);
  const LevelId within = topology_.nests(shape.within, level) ? shape.within : kClusterLevel;
  const DomainRange outer = topology_.domains(within);
  std::optional<uint32_t> best;
  std::vector<int64_t> rooms;
  for (uint32_t domain = outer.first; domain < outer.last; ++domain) {
    if (room[domain] < shape.members) continue;
    const DomainRange inner = topology_.domains_within(static_cast<DomainId>(domain), level);
    rooms.assign(room.begin() + inner.first, room.begin() + inner.last);
    const uint32_t used = largest_that_reach(shape.members, rooms);
    if (used > 0 && (!best || used < *best)) best = used;
    if (best == 1U) break;
  }
  return best;
}

Occupancy::Scraps Occupancy::scraps(LevelId level, const Shape& shape) const {
  const std::vector<int64_t>& room = room_of(shape.gpus);
  const DomainRange domains = topology_.domains(level);
  Scraps scraps;
  for (uint32_t domain = domains.first; domain < domains.last; ++domain) {
    scraps.room += static_cast<double>(room[domain]);
    scraps.waste += static_cast<double>(room[domain] % shape.members);  // all of it where there are too few
  }
  return scraps;
}

}  // namespace muster::sim
