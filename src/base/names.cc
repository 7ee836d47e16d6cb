#include "base/names.h"

#include <algorithm>

#include "base/text.h"

namespace muster {

bool is_dns_label(std::string_view text) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return alphanumeric(c) || c == '-'; });
}

Result<void> check_dns_label(std::string_view text) {
  if (is_dns_label(text)) return {};
  return invalid("{} is not a DNS label (lower case letters, digits and '-', at most 63)", quoted(text));
}

}  // namespace muster
