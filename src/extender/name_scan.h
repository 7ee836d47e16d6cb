// Passes over a list of names as text ("a","b","c"), megabytes of it in a large cluster, at the speed of
// memory: 32 bytes at a time where the processor can, 16 elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muster::extender {

struct ListScan {
  // The text is names in quotes with single commas between and nothing else: no space, no escape, no control
  // character, nothing beyond ASCII, no comma or quote in a name. Empty text is such a list.
  bool plain = false;
  bool found = false;  // it is plain, and one of the names is `wanted`
};
// How many bytes are taken at once.
enum class ScanWidth { k16, k32 };
// The widest that this processor can.
[[nodiscard]] ScanWidth widest_scan();
// An empty `wanted` is not looked for.
[[nodiscard]] ListScan scan_list(std::string_view text, std::string_view wanted,
                                 ScanWidth width = widest_scan());

// How much text commas_in() takes at once, and the most positions it gives.
inline constexpr std::size_t kCommaBlock = 2048;
// Where the commas in text (at most kCommaBlock bytes) are; returns how many.
std::size_t commas_in(std::string_view text, uint32_t* positions);

}  // namespace muster::extender
