// JSON text of one API object → types.h. Keeps what Muster looks at and drops the rest; unknown fields are
// skipped, null counts as absent, and the defaults which the API server would fill in are filled in, so that
// hand-written manifests decode like live objects.
//
// Thread rule: every thread may call these; each has a parser of its own, whose buffers stay as large as the
// largest object it has seen. Nothing in the results points into the input. O(length of the text).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "kube/types.h"

namespace muster::kube {

// The two pod labels that Pod::labels keeps; they order the members of a group. Job controllers older than
// Kubernetes 1.28 write the first one as an annotation only: it is taken from there then.
inline constexpr std::string_view kJobCompletionIndex = "batch.kubernetes.io/job-completion-index";
inline constexpr std::string_view kPodIndex = "apps.kubernetes.io/pod-index";

// kInvalid with the path and the value for malformed JSON, wrong types, quantities and times that cannot be
// read, a missing metadata.name, or another kind than the expected one ("kind" itself may be missing, as in
// lists). A pod without a namespace is in "default".
[[nodiscard]] Result<Pod> decode_pod(std::string_view json);
[[nodiscard]] Result<Node> decode_node(std::string_view json);

// One object of a type known at compile time: decode<Pod>, decode<Node>.
template <typename T>
[[nodiscard]] Result<T> decode(std::string_view json);
template <>
[[nodiscard]] inline Result<Pod> decode<Pod>(std::string_view json) {
  return decode_pod(json);
}
template <>
[[nodiscard]] inline Result<Node> decode<Node>(std::string_view json) {
  return decode_node(json);
}

// Seconds since 1970 of "2026-01-31T12:00:00Z"; fractions are cut, offsets (+02:00) applied.
[[nodiscard]] Result<int64_t> parse_time(std::string_view rfc3339);

}  // namespace muster::kube
