// Reports as text for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "offline/planner.h"

namespace muster::offline {

// The picture of the domains used, one line a member. With `explain` also every near miss and remedy of a
// «no».
[[nodiscard]] std::string render_text(const std::vector<GroupReport>& reports, bool explain);

// {"groups":[…]}, see docs/reference.md; one line and a newline.
[[nodiscard]] std::string render_json(const std::vector<GroupReport>& reports);

}  // namespace muster::offline
