// Small random instances, by class. Equal seeds give equal instances on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "muster/cluster.h"
#include "muster/request.h"

namespace muster::test {

// Splitmix64: the standard distributions differ between libraries.
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
  // In [low, high].
  uint32_t in(uint32_t low, uint32_t high) { return low + static_cast<uint32_t>(next() % (high - low + 1)); }
  bool chance(uint32_t percent) { return in(1, 100) <= percent; }

 private:
  uint64_t state_;
};

enum class Shape : uint8_t {
  kIdentical,
  kSizes,     // GPU 1, 2, 4, 8
  kRoles,     // up to three roles, up to three resources
  kNodeSets,  // equal demand, different node sets
  kSlices,
  kSubGroups,
  kNested,
  kExclusive,
  kAnything,
};
inline constexpr std::size_t kShapes = 9;
[[nodiscard]] std::string_view to_string(Shape shape);

struct Instance {
  ClusterState state;
  PlacementRequest request;
};

// At most 8 hosts, 12 members, three levels with the host.
[[nodiscard]] Instance make_instance(Shape shape, uint64_t seed);

// For people who look into a failure.
[[nodiscard]] std::string dump(const Instance& instance);

}  // namespace muster::test
