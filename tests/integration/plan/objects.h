// Kubernetes objects as the witness sees them: plain JSON, read with as little knowledge as a check needs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "case_file.h"

namespace muster::plan_cases {

using Amounts = std::map<std::string, int64_t>;  // in thousandths

// "500m", "4", "2Gi", "1.5k". Throws std::invalid_argument for others.
[[nodiscard]] int64_t thousandths(const std::string& quantity);

// Allocatable, or capacity where that is absent.
[[nodiscard]] Amounts room_of(const Json& node);
// The sum of the containers' requests, and one pod.
[[nodiscard]] Amounts demand_of(const Json& pod);
// Selector, required affinity, taints, unschedulable, readiness.
[[nodiscard]] bool admits(const Json& node, const Json& pod);

[[nodiscard]] std::string annotation(const Json& pod, const std::string& key);  // without the prefix
[[nodiscard]] bool has_ended(const Json& pod);
// A member that waits for a place: no node, not ended, not going.
[[nodiscard]] bool waits(const Json& pod);

}  // namespace muster::plan_cases
