// What a projection says, in 16 bytes: of two objects that differ in more than their resource version the
// fingerprints differ. A cryptographic digest, since who may write an object could otherwise look for two
// that agree and hide a change.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <cstdint>

#include "kube/types.h"

namespace muster::kube {

using Fingerprint = std::array<uint8_t, 16>;

// O(size of the projection).
[[nodiscard]] Fingerprint fingerprint_of(const Node& node);
[[nodiscard]] Fingerprint fingerprint_of(const Pod& pod);
[[nodiscard]] Fingerprint fingerprint_of(const NodeSet& set);

}  // namespace muster::kube
