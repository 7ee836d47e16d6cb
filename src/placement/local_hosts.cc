#include "placement/local_hosts.h"

#include <algorithm>
#include <numeric>

namespace muster::placement {

uint32_t Wanted::sum() const { return std::accumulate(count.begin(), count.end(), 0U); }

LocalHosts::LocalHosts(Problem& problem, std::span<const HostIndex> hosts, const Wanted& wanted)
    : kinds_(problem.kinds.size()) {
  const ClusterState& state = problem.state;
  for (std::size_t kind = 0; kind < kinds_; ++kind) {
    if (wanted.count[kind] == 0) continue;
    for (const ResourceAmount& need : problem.demand(problem.kinds[kind]))
      if (need.amount > 0 &&
          std::find(resources_.begin(), resources_.end(), need.resource) == resources_.end())
        resources_.push_back(need.resource);
  }
  for (const ResourceId resource : resources_) device_.push_back(state.is_device(resource) ? 1 : 0);
  demand_.assign(kinds_ * resources_.size(), 0);
  asked_.assign(resources_.size(), 0);
  std::vector<const KindRooms*> rooms;
  std::vector<std::size_t> active;
  for (std::size_t kind = 0; kind < kinds_; ++kind) {
    rooms.push_back(&problem.rooms(static_cast<uint32_t>(kind)));
    if (wanted.count[kind] == 0) continue;
    active.push_back(kind);
    for (const ResourceAmount& need : problem.demand(problem.kinds[kind])) {
      if (need.amount <= 0) continue;
      const auto r = static_cast<std::size_t>(std::find(resources_.begin(), resources_.end(), need.resource) -
                                              resources_.begin());
      const int64_t amount = std::min(need.amount, kMaxAmount);
      demand_[kind * resources_.size() + r] = amount;
      // Saturates: kMaxMembers members of kMaxAmount would not fit into 63 bits.
      if (__builtin_add_overflow(
              asked_[r], amount * static_cast<int64_t>(std::min(wanted.count[kind], 4096U)), &asked_[r]) ||
          wanted.count[kind] > 4096)
        asked_[r] = INT64_MAX / 2;
    }
  }
  std::vector<const int64_t*> columns;
  for (const ResourceId resource : resources_) columns.push_back(state.free_column(resource).data());
  hosts_.reserve(hosts.size());
  busy_.reserve(hosts.size());
  may_.reserve(hosts.size() * kinds_);
  free_.reserve(hosts.size() * resources_.size());
  std::vector<uint8_t> may(kinds_, 0);
  for (const HostIndex host : hosts) {
    bool useful = false;
    for (const std::size_t kind : active) {
      may[kind] = rooms[kind]->host(host) > 0 ? 1 : 0;
      useful = useful || may[kind] != 0;
    }
    if (!useful) continue;
    hosts_.push_back(host);
    busy_.push_back(state.busy(host) ? 1 : 0);
    may_.insert(may_.end(), may.begin(), may.end());
    for (std::size_t r = 0; r < columns.size(); ++r)
      free_.push_back(std::clamp<int64_t>(columns[r][at(host)], 0, asked_[r]));
  }
}

uint32_t LocalHosts::room(const int64_t* free, std::size_t kind, uint32_t most) const {
  int64_t room = most;
  const int64_t* need = demand(kind);
  for (std::size_t r = 0; r < resources_.size() && room > 0; ++r) {
    if (need[r] == 0) continue;
    if (free[r] < need[r]) return 0;
    int64_t product = 0;
    if (__builtin_mul_overflow(room, need[r], &product) || product > free[r]) room = free[r] / need[r];
  }
  return static_cast<uint32_t>(room);
}

bool LocalHosts::alike(std::size_t a, std::size_t b) const {
  return std::equal(free(a), free(a) + resources(), free(b)) &&
         std::equal(may_.begin() + static_cast<std::ptrdiff_t>(a * kinds_),
                    may_.begin() + static_cast<std::ptrdiff_t>((a + 1) * kinds_),
                    may_.begin() + static_cast<std::ptrdiff_t>(b * kinds_));
}

}  // namespace muster::placement
