// Where the members of a group are, in the words of the story. Pure.
#pragma once

#include <map>
#include <string>

#include "cmd/muster_demo/cluster_view.h"

namespace muster::demo {

[[nodiscard]] int bound_members(const ClusterView& view, const std::string& group);

// Member name → host, of the bound ones.
[[nodiscard]] std::map<std::string, std::string> hosts_of(const ClusterView& view, const std::string& group);

// "b1/r2" → number of bound members there.
[[nodiscard]] std::map<std::string, int> racks_of(const ClusterView& view, const std::string& group);
// "b1" → number of bound members there.
[[nodiscard]] std::map<std::string, int> blocks_of(const ClusterView& view, const std::string& group);

// "b1/r2", "b2/r1: 5, b2/r2: 7", "nowhere"
[[nodiscard]] std::string listed(const std::map<std::string, int>& counts);

}  // namespace muster::demo
