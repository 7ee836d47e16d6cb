// Base64 as kubeconfig files use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace muster::kube {

// The bytes of standard base64 with padding; line breaks and spaces are skipped. Nothing for other input.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace muster::kube
