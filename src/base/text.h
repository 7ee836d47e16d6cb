// Small helpers for messages about text that other people wrote.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace muster {

// `value` in double quotes for a one-line message: control characters, quotes and backslashes escaped, cut
// after `limit` bytes with an ellipsis, so that a hostile value can neither forge a log line nor flood it.
[[nodiscard]] std::string quoted(std::string_view value, std::size_t limit = 80);

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`, letter case ignored.
// Both are cut at 64 bytes. O(|a| · |b|).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The known word with the smallest edit distance to `word`, the first of equals; empty when `known` is empty.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace muster
