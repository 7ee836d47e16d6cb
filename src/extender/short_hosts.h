// Which of the hosts with promised room are too full for a pod of no group.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_set>

#include "base/resources.h"
#include "extender/decisions.h"

namespace muster::extender {

// Built for one pod and asked once per offered node, thousands of times: most names are settled by one bit.
class ShortHosts {
 public:
  // promises outlives this. O(promises).
  ShortHosts(const Promises& promises, const ResourceList& requests);

  [[nodiscard]] bool empty() const { return hosts_.empty(); }
  [[nodiscard]] bool contains(std::string_view name) const {
    uint32_t bit = bit_of(name);
    return ((bits_[bit / 64] >> (bit % 64)) & 1u) != 0 && hosts_.contains(name);
  }

 private:
  // A cheap hash of the whole name: clusters whose names differ only in the middle are common.
  [[nodiscard]] static uint32_t bit_of(std::string_view name);

  static constexpr uint32_t kBits = 1u << 14;
  std::array<uint64_t, kBits / 64> bits_ = {};
  std::unordered_set<std::string_view> hosts_;
};

}  // namespace muster::extender
