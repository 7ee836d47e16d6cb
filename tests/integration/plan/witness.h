// An independent check of what `muster plan` promises: written against the case alone, with nothing of the
// program's own code.
#pragma once

#include <string>
#include <vector>

#include "case_file.h"

namespace muster::plan_cases {

// Every promise that the groups of the output break, each as a sentence; empty when all is well. Looked at:
// members exist, wait and are placed once; nodes have the room for all pods on them and admit the members;
// required levels, slices and exclusive use hold; minima are reached; a group that is not placed holds
// nothing; the domains told are those of the nodes.
[[nodiscard]] std::vector<std::string> objections(const Case& it, const Json& groups);

}  // namespace muster::plan_cases
