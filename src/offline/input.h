// What `muster plan` reads: nodes and pods as kubectl prints them, and the manifests of groups, in YAML or
// JSON.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "kube/types.h"

namespace muster::offline {

struct PassedOver {
  std::string source;
  std::string kind;
  std::size_t line = 0;
  std::size_t object = 0;  // 1: the source's first
  std::size_t count = 0;
};

struct Input {
  std::vector<kube::Node> nodes;
  std::vector<kube::Pod> pods;  // in the order of their appearance; every uid is set
  // Kinds that were passed over, once a source and kind, with the place of the first object.
  std::vector<PassedOver> passed_over;
};

// Reads a file, every *.yaml, *.yml and *.json of a directory (by name), or "-" through `read_stdin`. Other
// kinds than Node, Pod and the workloads of workloads.h are passed over, and noted. kInvalid names file, line
// and field, also for a node or pod that is there twice, and for a source or an input that has nothing to
// plan with.
[[nodiscard]] Result<Input> read_input(const std::vector<std::string>& paths,
                                       const std::function<Result<std::string>()>& read_stdin);

// Adds the objects of one text; one without any, but for an empty list, is kInvalid.
[[nodiscard]] Result<void> add_text(std::string_view text, const std::string& source, Input& input);

// There is a node or a pod, and each of them once; pods without a uid get one.
[[nodiscard]] Result<void> finish(Input& input);

// What may not be as the user thinks, a line each: kinds passed over, pods on nodes that are not there.
[[nodiscard]] std::vector<std::string> warnings(const Input& input);

}  // namespace muster::offline
