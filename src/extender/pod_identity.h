// What filter and preempt need to know of a pod, read from its JSON in one pass without building it.
#pragma once

#include <string_view>

#include "base/error.h"
#include "extender/decisions.h"

namespace muster::extender {

// kInvalid names the field: a missing or empty metadata.name, .namespace or .uid, a value of the wrong type,
// a priority beyond 32 bits, text that is not JSON.
[[nodiscard]] Result<PodIdentity> read_pod_identity(std::string_view pod_json);

}  // namespace muster::extender
