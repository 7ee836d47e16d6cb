// Order of names as people read them: digits count as numbers, so "r2" comes before "r10".
#pragma once

#include <string_view>

namespace muster::topology {

// Negative, zero or positive. A total order: names that differ only in leading zeros are told apart last.
[[nodiscard]] int natural_compare(std::string_view a, std::string_view b);

}  // namespace muster::topology
