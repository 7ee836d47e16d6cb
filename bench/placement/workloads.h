// Clusters and requests of the placement benchmark. Everything follows from the seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "muster/cluster.h"
#include "muster/mix.h"
#include "muster/request.h"

namespace muster::bench {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  uint32_t in(uint32_t low, uint32_t high) { return low + static_cast<uint32_t>(next() % (high - low + 1)); }

 private:
  uint64_t state_;
};

struct Cluster {
  ClusterState state;
  ResourceId gpu{};
  ResourceId cpu{};
  ResourceId memory{};
  ResourceId pods{};
  NodeSetId few{};  // every ninth host: two of each rack
};

// Racks of 18 hosts with 8 GPUs, 16 racks a block; every host busy with a chance of 55 %, then with 1 to 8
// GPUs.
[[nodiscard]] Cluster make_cluster(uint32_t hosts, uint64_t seed);

// One pod with devices comes or goes on a random host.
void disturb(Cluster& cluster, Random& random);

enum class Family : uint8_t {
  kIdentical,      // 8 GPUs each; a single member: 1
  kSizes,          // GPU 1, 2, 4, 8
  kLeaderWorkers,  // one leader for 64 workers
  kThreeRoles,
  kSlices,     // 16 in a block, in them 4 in a rack
  kSubGroups,  // replicas of eight, each in a rack
  kNested,     // subgroups of up to eight such replicas, each in a block
};
inline constexpr std::size_t kFamilies = 7;
[[nodiscard]] std::string to_string(Family family);

// Pods of 1, 2, 4 and 8 GPUs with 8 cores for each, many of the first and the last.
[[nodiscard]] Mix make_mix(const Cluster& cluster);

// `yes`: asks for less than there usually is. Otherwise for what no rack or block can hold together: for few
// members on the hosts of Cluster::few, else in one rack or block.
[[nodiscard]] PlacementRequest make_request(const Cluster& cluster, Family family, uint32_t members,
                                            bool yes);

}  // namespace muster::bench
