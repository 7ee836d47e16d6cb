// Who holds which GPUs, counted apart from the engine's own books: what the figures of a run are taken from.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "muster/ids.h"
#include "muster/topology.h"

namespace muster::sim {

// Members of equal demand that have to be in one domain of `within`.
struct Shape {
  int64_t gpus = 1;  // of each member
  uint32_t members = 1;
  LevelId within = kClusterLevel;
};

class Occupancy {
 public:
  // `capacity`: GPUs of each host that may be used. `sizes`: the GPUs per member that will be asked about.
  Occupancy(Topology topology, std::vector<int64_t> capacity, std::vector<int64_t> sizes);

  [[nodiscard]] const Topology& topology() const { return topology_; }
  // One member of `gpus` comes to the host, or goes with a negative number. Aborts when the host has not as
  // many. O(sizes · levels).
  void take(HostIndex host, int64_t gpus);

  [[nodiscard]] int64_t capacity() const { return total_; }
  [[nodiscard]] int64_t taken() const { return taken_; }
  // Hosts that have GPUs and are neither empty nor full, and all that have GPUs.
  [[nodiscard]] uint32_t partly_used() const { return partly_used_; }
  [[nodiscard]] uint32_t hosts() const { return hosts_; }

  // In how few domains of a level the shape could be placed now, everything but room left aside; nothing when
  // it could not. O(domains of the level).
  [[nodiscard]] std::optional<uint32_t> fewest(LevelId level, const Shape& shape) const;
  // Of the members of this size that the domains of the level could take, those that no whole group can use.
  struct Scraps {
    double room = 0;  // members
    double waste = 0;
  };
  [[nodiscard]] Scraps scraps(LevelId level, const Shape& shape) const;

 private:
  [[nodiscard]] const std::vector<int64_t>& room_of(int64_t gpus) const;

  const Topology topology_;
  const std::vector<int64_t> capacity_;  // by host
  std::vector<int64_t> free_;            // by host
  const std::vector<int64_t> sizes_;
  std::vector<LevelId> levels_;             // all but the host
  std::vector<std::vector<int64_t>> room_;  // [size][domain]: members that fit
  int64_t total_ = 0;
  int64_t taken_ = 0;
  uint32_t partly_used_ = 0;
  uint32_t hosts_ = 0;
};

}  // namespace muster::sim
