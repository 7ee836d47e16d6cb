#include "topology/natural_order.h"

#include <cstddef>

namespace muster::topology {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The run of digits at `from`, without leading zeros; moves `from` behind it.
std::string_view take_number(std::string_view text, std::size_t& from) {
  while (from < text.size() && text[from] == '0') ++from;
  const std::size_t start = from;
  while (from < text.size() && is_digit(text[from])) ++from;
  return text.substr(start, from - start);
}

}  // namespace

int natural_compare(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto x = take_number(a, i);
      const auto y = take_number(b, j);
      if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
      if (const int order = x.compare(y); order != 0) return order;
      continue;
    }
    if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]) ? -1 : 1;
    ++i;
    ++j;
  }
  if (i < a.size()) return 1;
  if (j < b.size()) return -1;
  return a.compare(b);
}

}  // namespace muster::topology
