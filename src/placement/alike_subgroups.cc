#include "placement/alike_subgroups.h"

#include <algorithm>

namespace muster::placement {
namespace {

bool plain(const Node& node) {
  return node.exclusive == kClusterLevel && node.preferred == kClusterLevel &&
         node.strategy == Strategy::kPack && !node.min_subgroups &&
         node.minimum.value_or(node.total) == node.total && (node.direct.empty() || node.children.empty());
}

bool alike(const Node& a, const Node& b) {
  return a.level == b.level && a.children.size() == b.children.size() &&
         std::equal(a.direct.begin(), a.direct.end(), b.direct.begin(), b.direct.end(),
                    [](const Node::Direct& x, const Node::Direct& y) {
                      return x.kind == y.kind && x.members.size() == y.members.size();
                    });
}

// The nodes by depth, each depth in depth-first order; empty when some depth holds nodes that differ.
std::vector<std::vector<uint32_t>> uniform_depths(const Problem& problem) {
  std::vector<std::vector<uint32_t>> depths{{0}};
  for (;;) {
    std::vector<uint32_t> below;
    for (const uint32_t node : depths.back())
      below.insert(below.end(), problem.nodes[node].children.begin(), problem.nodes[node].children.end());
    if (below.empty()) return depths;
    const Node& first = problem.nodes[below.front()];
    for (const uint32_t node : below)
      if (!plain(problem.nodes[node]) || !alike(problem.nodes[node], first)) return {};
    depths.push_back(std::move(below));
  }
}

bool levels_nest(const Problem& problem, const std::vector<Tier>& tiers) {
  const Topology& topology = problem.topology;
  for (const LevelId level : problem.ladder)
    if (!topology.nests(level, tiers.front().level)) return false;
  for (std::size_t k = 1; k < tiers.size(); ++k)
    if (!topology.nests(tiers[k - 1].level, tiers[k].level)) return false;
  return true;
}

}  // namespace

std::optional<AlikeSubGroups> alike_subgroups(const Problem& problem) {
  const Node& group = problem.nodes[0];
  if (!problem.bound_hosts.empty() || !group.direct.empty() || group.exclusive != kClusterLevel ||
      group.strategy != Strategy::kPack)
    return std::nullopt;
  const auto depths = uniform_depths(problem);
  if (depths.size() < 2) return std::nullopt;
  AlikeSubGroups result;
  result.nodes = depths.back();
  std::size_t units = 1;  // of the tier before
  for (std::size_t depth = 1; depth < depths.size(); ++depth) {
    const LevelId level = problem.nodes[depths[depth].front()].level;
    if (level == kClusterLevel) continue;
    const auto each = static_cast<uint32_t>(depths[depth].size() / units);
    (result.tiers.empty() ? result.outer : result.tiers.back().each) = each;
    result.tiers.push_back({level, 1});
    units = depths[depth].size();
  }
  if (result.tiers.empty() || !levels_nest(problem, result.tiers)) return std::nullopt;
  result.nodes_each = static_cast<uint32_t>(result.nodes.size() / units);
  result.need.assign(problem.kinds.size(), 0);
  for (const Node::Direct& direct : problem.nodes[result.nodes.front()].direct)
    result.need[direct.kind] = static_cast<uint32_t>(direct.members.size()) * result.nodes_each;
  return result;
}

}  // namespace muster::placement
