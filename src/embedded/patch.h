// The two patch formats of the Kubernetes API that Muster's client speaks. Pure functions.
#pragma once

#include "embedded/failure.h"
#include "embedded/json.h"

namespace muster::embedded {

// RFC 7396: objects merge, null removes, everything else replaces.
void merge_patch(Json& target, const Json& patch);

// Strategic merge for core/v1 objects: like a merge patch, and lists that core/v1 merges by a key (see
// merge_key in patch.cc) merge element by element. `"$patch": "delete"` and "replace" are known in objects
// and list elements, `$deleteFromPrimitiveList/…` in objects; `$setElementOrder/…` is accepted and the order
// left as it is. Any other directive is a BadRequest that names it. The target is unspecified after a
// failure.
[[nodiscard]] Answer<void> strategic_merge_patch(Json& target, const Json& patch);

}  // namespace muster::embedded
