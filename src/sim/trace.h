// A trace: which groups arrive when, how large they are and for how long they run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "kube/types.h"

namespace muster::sim {

struct Arrival {
  Duration at{};         // since the beginning of the trace
  uint32_t members = 1;  // all of them are needed
  int64_t gpus = 1;      // of each member
  Duration duration{};   // from the binding of the last member on
  int32_t priority = 0;
  kube::StringMap asks = {};  // further annotations of the members
  std::string ns = "default";
  std::size_t line = 0;  // in the file, from 1
};
using Trace = std::vector<Arrival>;  // by time

// CSV whose first line names the columns, in any order: time, members, gpus and duration, and where wanted
// priority, constraint and namespace. Times are seconds. A constraint is a list of KEY=VALUE apart by blanks,
// with the keys of the annotations muster.dev/*, as "topology-required=rack". Blank lines and lines that
// begin with # are passed over. kInvalid names source, line, column and value. O(n log n).
[[nodiscard]] Result<Trace> read_trace(std::string_view text, std::string_view source);

}  // namespace muster::sim
