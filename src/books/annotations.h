// From a pod's annotations to the group it belongs to and what that group asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "group/member.h"
#include "group/spec.h"
#include "kube/types.h"

namespace muster::books {

// The group the pod is a member of: it carries the annotation muster.dev/group-name, its schedulerName is one
// of ours, and kube-scheduler's own gang scheduling does not have it. Nothing else about the pod matters
// here; a malformed name is still a group, whose spec is an error.
[[nodiscard]] std::optional<group::GroupKey> group_of(const kube::Pod& pod,
                                                      const std::vector<std::string>& scheduler_names);

// Why a pod that carries the annotation `key`, muster.dev/…, but no muster.dev/group-name may not be placed
// as a pod of no group: most likely the group's name is misspelt.
[[nodiscard]] std::string without_group(std::string_view key);

// kInvalid names the annotation and its value; an annotation muster.dev/* that Muster does not know is an
// error too, since dropping it might drop a constraint.
[[nodiscard]] Result<group::GroupSpec> parse_spec(const kube::StringMap& annotations);

// parse_spec() for the pods of one group. They repeat the group's request, and an event mostly leaves a pod's
// annotations alone, so what was parsed last is kept: the same request again costs a comparison.
class SpecReader {
 public:
  [[nodiscard]] group::SharedSpec read(const kube::StringMap& annotations);

 private:
  [[nodiscard]] bool has_read(const kube::StringMap& annotations) const;

  kube::StringMap asked_;                     // what the group was asked for last
  std::optional<group::SharedSpec> request_;  // its meaning
};

// All of the member but its node set, which the books intern. `spec` is the meaning of its annotations.
[[nodiscard]] group::Member member_of(kube::Pod&& pod, group::SharedSpec spec);

}  // namespace muster::books
