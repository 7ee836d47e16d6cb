// The order of a group's members. Ranks are what processes of a collective use to find each other, so a
// member that says its index keeps it; the others fill the gaps.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "group/members.h"

namespace muster::group {

using Ranks = std::map<std::string, int64_t>;  // by uid

// The ranks of all members that have neither ended nor been lost with their node.
//
// When no two members name the same index, an index is the rank, and members without one get the smallest
// unused ranks by age and name. When indices repeat (two Jobs in one group both count from 0), the ranks are
// the positions in the order of controller, index, age, name; bound members keep the rank they were bound
// with. O(n log n).
[[nodiscard]] Ranks assign_ranks(const Members& members);

// By subgroup: the lowest rank in it, also one that an ended or lost member was bound with and that nobody
// has now: slices are cut from there, whoever of the first ones is still here. `past`: uids of an earlier
// life of the group's name, which have no part in it. O(n log n).
[[nodiscard]] std::map<std::string, int64_t> first_ranks(const Members& members, const Ranks& ranks,
                                                         const std::set<std::string>& past = {});

}  // namespace muster::group
