// Slices of a request: counted where they are all alike, nodes of their own elsewhere.
#include <algorithm>

#include "placement/problem.h"

namespace muster::placement {

bool Problem::slices_are_alike() const {
  if (request.subgroups.size() != 1 || request.subgroups[0].slices.empty() || request.members.empty() ||
      !bound_hosts.empty() || !request.refusals.empty() || request.subgroups[0].placement != Strategy::kPack)
    return false;
  const Slice& outer = request.subgroups[0].slices[0];
  const LevelId slice_level = level_named(outer.level);
  for (const LevelId level : ladder)
    if (!topology.nests(level, slice_level)) return false;
  const Role& role = request.roles[request.members[0].role];
  for (const Member& member : request.members) {
    const Role& other = request.roles[member.role];
    if (&other != &role && (other.node_set != role.node_set || !(other.demand == role.demand))) return false;
  }
  if (request.members.size() % outer.size != 0) return false;
  std::vector<int64_t> ranks;
  ranks.reserve(request.members.size());
  for (const Member& member : request.members) ranks.push_back(member.rank);
  if (!std::is_sorted(ranks.begin(), ranks.end())) std::sort(ranks.begin(), ranks.end());
  const bool by_rank = ranks.front() >= 0 && std::adjacent_find(ranks.begin(), ranks.end()) == ranks.end();
  // So many different ranks of one slice are all it has.
  for (std::size_t i = 0; by_rank && i < ranks.size(); i += outer.size)
    if (ranks[i] / outer.size != ranks[i + outer.size - 1] / outer.size) return false;
  return true;
}

// Every slice becomes a node of its own below its subgroup.
void Problem::add_slices() {
  std::vector<std::vector<uint32_t>> members_of;
  for (uint32_t subgroup = 0; subgroup < request.subgroups.size(); ++subgroup) {
    const auto& slices = request.subgroups[subgroup].slices;
    if (slices.empty()) continue;
    if (members_of.empty()) {
      members_of.resize(request.subgroups.size());
      if (members_of.size() == 1) members_of[0].reserve(request.members.size());
      for (uint32_t i = 0; i < request.members.size(); ++i)
        members_of[request.members[i].subgroup].push_back(i);
    }
    auto& members = members_of[subgroup];
    const auto by_rank = [&](uint32_t a, uint32_t b) {
      return request.members[a].rank < request.members[b].rank;
    };
    if (!std::is_sorted(members.begin(), members.end(), by_rank))
      std::stable_sort(members.begin(), members.end(), by_rank);
    const auto same_rank = [&](uint32_t a, uint32_t b) {
      return request.members[a].rank == request.members[b].rank;
    };
    const bool distinct = std::adjacent_find(members.begin(), members.end(), same_rank) == members.end() &&
                          (members.empty() || request.members[members.front()].rank >= 0);
    std::vector<LevelId> levels;
    for (const Slice& slice : slices) levels.push_back(level_named(slice.level));
    std::vector<int64_t> open_key(slices.size(), -1);
    std::vector<uint32_t> open_node(slices.size(), 0);
    for (std::size_t position = 0; position < members.size(); ++position) {
      const int64_t rank =
          distinct ? request.members[members[position]].rank : static_cast<int64_t>(position);
      uint32_t parent = subgroup;
      for (std::size_t depth = 0; depth < slices.size(); ++depth) {
        const int64_t key = rank / slices[depth].size;
        if (open_key[depth] != key) {
          open_key[depth] = key;
          open_node[depth] = static_cast<uint32_t>(nodes.size());
          Node& node = nodes.emplace_back();
          node.subgroup = subgroup;
          node.parent = parent;
          node.is_slice = true;
          node.level = levels[depth];
          nodes[parent].children.push_back(open_node[depth]);
        }
        parent = open_node[depth];
      }
      member_node_[members[position]] = parent;
    }
  }
}

}  // namespace muster::placement
