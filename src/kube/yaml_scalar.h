// What a YAML scalar means. Internal to src/kube.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace muster::kube {

// The JSON token of an unquoted scalar (true, null, 8, 0.5, "text"). Nothing for infinity and not-a-number.
[[nodiscard]] std::optional<std::string> json_of_plain_scalar(std::string_view text);

}  // namespace muster::kube
