// Hosts by name: a table of numbers with open addressing.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::topology {

inline constexpr uint32_t kNobody = UINT32_MAX;

// For so many names. More than half of the places stay free, so that searches are short.
[[nodiscard]] inline std::vector<uint32_t> empty_index(std::size_t names) {
  return std::vector<uint32_t>(std::bit_ceil(2 * names + 1), kNobody);
}

// The place that has the number of this name, or is free for it. O(1) expected.
[[nodiscard]] inline std::size_t place_of(std::string_view name, const std::vector<uint32_t>& index,
                                          const std::vector<std::string>& names) {
  const std::size_t last = index.size() - 1;
  std::size_t place = std::hash<std::string_view>{}(name)&last;
  while (index[place] != kNobody && names[index[place]] != name) place = (place + 1) & last;
  return place;
}

}  // namespace muster::topology
