// The hot-shape index: for demands seen lately, how many members of that demand each host and each domain can
// hold. A member's shape is its demand and node set.
//
// A change to a host is noted in a log in constant time; a shape catches up with the log when it is asked
// for. A shape asked for the first time costs one pass over all hosts, a shape asked again the changes since.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "muster/cluster.h"
#include "muster/ids.h"

namespace muster {

// Members of one shape; a host's room is capped at kMaxRoom, so sums stay exact in int64.
inline constexpr int32_t kMaxRoom = 1 << 20;

struct Rooms {
  std::vector<int32_t> host;    // by HostIndex
  std::vector<int64_t> domain;  // by DomainId, host level excluded
  int32_t most = 0;             // no host has more; some host had as much
  int64_t in_use = 0;           // busy hosts that have room
};

// Members of this demand that fit into the free room of a host, whatever its exclusion.
[[nodiscard]] int32_t room_for(const ClusterState& state, const Demand& demand, HostIndex host);

class ShapeIndex {
 public:
  static constexpr std::size_t kHotShapes = 32;

  // Forgets all but the shapes used last. Call it once per decision.
  void begin();
  // Up to date with the state. The reference stays good until begin() or a change of the state.
  [[nodiscard]] const Rooms& rooms(const ClusterState& state, const Demand& demand, NodeSetId node_set);

  // Its room, its exclusion or whether it is busy has changed.
  void touched(HostIndex host);

 private:
  struct Shape {
    Demand demand;
    NodeSetId node_set{};
    Rooms rooms;
    std::vector<uint8_t> in_use;  // by HostIndex: counted in rooms.in_use
    uint64_t seen = 0;            // position in the log
    uint64_t used = 0;
    bool stale = true;
  };

  Shape& find(const Demand& demand, NodeSetId node_set);
  void recount(const ClusterState& state, Shape& shape) const;
  void catch_up(const ClusterState& state, Shape& shape) const;

  std::vector<std::unique_ptr<Shape>> shapes_;
  std::vector<HostIndex> log_;
  uint64_t log_start_ = 0;  // position of log_[0]
  uint64_t read_ = 0;       // no shape has read this position or a later one
  uint64_t clock_ = 0;
};

}  // namespace muster
