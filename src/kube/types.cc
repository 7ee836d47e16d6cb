#include "kube/types.h"

#include "kube/fingerprint.h"

namespace muster::kube {

bool Node::same_as(const Node& other) const { return fingerprint_of(*this) == fingerprint_of(other); }
bool Pod::same_as(const Pod& other) const { return fingerprint_of(*this) == fingerprint_of(other); }

}  // namespace muster::kube
