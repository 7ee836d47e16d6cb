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

struct FilterCall {
  PodIdentity pod;
  std::string_view pod_json;
  NodeNames names;
  std::shared_ptr<const std::string> names_rewritten;  // what names points into when it was not plain
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

[[nodiscard]] Result<FilterCall> read_filter_call(std::string_view body);
[[nodiscard]] Result<BindCall> read_bind_call(std::string_view body);
[[nodiscard]] Result<PreemptCall> read_preempt_call(std::string_view body);

}  // namespace muster::extender
