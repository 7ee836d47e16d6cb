// The calls of extender/v1 as kube-scheduler sends them, read no further than needed: of filter's call the
// pod (2 to 10 KB) is parsed, the node names (megabytes in a large cluster) are only looked over. Keys come
// in any order; unknown ones are ignored.
//
// Results point into the body, which has to outlive them. Errors are kInvalid with the field and its value.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "extender/decisions.h"
#include "extender/node_names.h"

namespace muster::extender {

// filter's call without the node names: they have only been found, not looked at.
struct FilterHead {
  PodIdentity pod;
  std::string_view pod_json;
  std::string_view list;  // with its brackets
  std::string_view body;
  bool guessed = false;  // the list is taken to go on to the body's end
};

// The nodes that filter's call offers.
struct Offer {
  NodeNames names;
  std::shared_ptr<const std::string> rewritten;  // what names points into when the list was not plain
  bool has_wanted = false;
};

struct Candidate {
  std::string_view node;          // as written in the body, escapes and all
  std::string_view victims_json;  // MetaVictims as it came
  std::vector<std::string> victim_uids;
};

struct PreemptCall {
  PodIdentity pod;
  std::vector<Candidate> candidates;
};

// O(length of the pod) when the names are the last thing in the body.
[[nodiscard]] Result<FilterHead> read_filter_head(std::string_view body);
// Looks for the node `wanted` on the way. One memory scan; a full parse when the list is not as
// kube-scheduler writes it.
[[nodiscard]] Result<Offer> read_offer(const FilterHead& head, std::string_view wanted = {});
[[nodiscard]] Result<BindCall> read_bind_call(std::string_view body);
[[nodiscard]] Result<PreemptCall> read_preempt_call(std::string_view body);

}  // namespace muster::extender
