// The pods that a workload's controller would make, so that the manifests people apply can be planned as they
// are.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "kube/types.h"

namespace muster::offline {

// Job, JobSet's Jobs excepted; Deployment, ReplicaSet, StatefulSet.
[[nodiscard]] bool is_workload(std::string_view kind);

// kInvalid with the path of the field and its value. At most 100,000 pods.
[[nodiscard]] Result<std::vector<kube::Pod>> pods_of(std::string_view kind, std::string_view json);

}  // namespace muster::offline
