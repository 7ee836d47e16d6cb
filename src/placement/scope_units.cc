#include "placement/scope_units.h"

#include <algorithm>

namespace muster::placement {
namespace {

// The largest share of what all hosts have free.
double size_of(const LocalHosts& hosts, uint32_t kind) {
  double size = 0;
  for (std::size_t r = 0; r < hosts.resources(); ++r) {
    double free = 1;
    for (std::size_t h = 0; h < hosts.size(); ++h) free += static_cast<double>(hosts.free(h)[r]);
    size = std::max(size, static_cast<double>(hosts.demand(kind)[r]) / free);
  }
  return size;
}

}  // namespace

std::vector<ScopeUnit> units_of(const Problem& problem, const LocalHosts& hosts) {
  std::vector<ScopeUnit> units;
  std::vector<double> size;
  for (uint32_t kind = 0; kind < problem.kinds.size(); ++kind) size.push_back(size_of(hosts, kind));
  std::vector<uint32_t> top(problem.nodes.size(), 0);
  std::vector<double> volume(problem.nodes.size(), 0);
  for (uint32_t node = 1; node < problem.nodes.size(); ++node)
    top[node] = problem.nodes[node].parent == 0 ? node : top[problem.nodes[node].parent];
  for (uint32_t node = 0; node < problem.nodes.size(); ++node) {
    for (const auto& direct : problem.nodes[node].direct) {
      const auto count = static_cast<uint32_t>(direct.members.size());
      units.push_back({node, direct.kind, count, 0, {}, {}});
      volume[top[node]] += size[direct.kind] * count;
    }
  }
  std::stable_sort(units.begin(), units.end(), [&](const ScopeUnit& a, const ScopeUnit& b) {
    const uint32_t of_a = top[a.node];
    const uint32_t of_b = top[b.node];
    if (of_a != of_b) {
      const bool must_a = problem.nodes[of_a].minimum.has_value();
      const bool must_b = problem.nodes[of_b].minimum.has_value();
      if (must_a != must_b) return must_a;
      return volume[of_a] != volume[of_b] ? volume[of_a] > volume[of_b] : of_a < of_b;
    }
    return a.node != b.node ? a.node < b.node : size[a.kind] > size[b.kind];
  });
  return units;
}

}  // namespace muster::placement
