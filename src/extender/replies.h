// The answers of extender/v1, written as text. Field names and shapes are those of the Go types; nodes that
// are not offered back stand in FailedAndUnresolvableNodes, so that kube-scheduler does not try to make room
// on them by evicting pods.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extender/codec.h"
#include "extender/node_names.h"
#include "extender/short_hosts.h"

namespace muster::extender {

// An answer's text: the pieces, then `end`. Pieces are parts of the call's body or text that always exists,
// so that megabytes of node names go back without being copied.
struct Reply {
  std::vector<std::string_view> pieces;
  std::string end;
  bool gives_none = false;  // nodes were offered, and each of them was left out

  Reply() = default;
  Reply(std::string text) : end(std::move(text)) {}
  // All of it in one. One copy.
  [[nodiscard]] std::string text() const;
};

// This node and no other. Must be one of the offered ones.
[[nodiscard]] std::string one_node_reply(std::string_view node);
// Everything that was offered. O(1). names' text outlives the reply.
[[nodiscard]] Reply all_nodes_reply(const NodeNames& names);
// Everything but these hosts, each of which gets the reason. One pass; what lies between two of them is one
// piece. names' text outlives the reply.
[[nodiscard]] Reply some_nodes_reply(const NodeNames& names, const ShortHosts& without,
                                     std::string_view reason);
// None, each with the reason.
[[nodiscard]] std::string no_node_reply(const NodeNames& names, std::string_view reason);

// {"Error":"…"}: bind's answer, "" for success, and the body of every refused call.
[[nodiscard]] std::string error_reply(std::string_view message);

// The candidates that are left, as they came.
[[nodiscard]] std::string preempt_reply(const std::vector<const Candidate*>& candidates);

}  // namespace muster::extender
