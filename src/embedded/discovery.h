// The pages by which clients such as kubectl find out what an API server serves.
#pragma once

#include <optional>
#include <string_view>

#include "embedded/json.h"

namespace muster::embedded {

// Nothing when the path is no such page.
[[nodiscard]] std::optional<Json> discovery_page(std::string_view path);

}  // namespace muster::embedded
