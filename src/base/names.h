// Kubernetes' grammars of names that more than one folder checks.
#pragma once

#include <string_view>

#include "base/error.h"

namespace muster {

// RFC 1123: lower case letters, digits and '-', alphanumeric at both ends, 1 to 63.
[[nodiscard]] bool is_dns_label(std::string_view text);

// kInvalid shows the text and says what a DNS label is.
[[nodiscard]] Result<void> check_dns_label(std::string_view text);

}  // namespace muster
