// Kubeconfig files, as kubectl reads them: clusters, users and contexts by name, current-context; in several
// files the first mention of a name wins.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "kube/access.h"

namespace muster::kube {

// The access that current-context describes. Relative paths count from their kubeconfig's folder. Of several
// files those that do not exist are left out, as long as one exists; one that cannot be read for another
// reason is an error, for what stands in the others may lead to another cluster. kInvalid names the file, the
// entry, the field and the kind of its value, never the value, which may be a secret; it is also the answer
// to what is not supported: auth-provider, interactive plugins, basic authentication, impersonation, proxies.
[[nodiscard]] Result<Access> access_from_kubeconfig(const std::vector<std::string>& files,
                                                    const Environment& environment);

}  // namespace muster::kube
