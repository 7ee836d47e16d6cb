// The mix of shapes that the solver leaves room for.
#include <algorithm>
#include <utility>

#include "books/books.h"

namespace muster::books {
namespace {

constexpr std::size_t kMostShapes = 32;  // the most frequent ones
constexpr uint64_t kParts = 8;           // the mix is made again when one member in so many has changed
static_assert(kMostShapes <= Mix::kMaxNodeSets);

}  // namespace

Mix& Books::mix() {
  ClusterState& cluster = state();
  const uint64_t changes = shapes_.changes() - mix_made_at_;
  if (mix_ && changes * kParts <= shapes_.members()) return *mix_;
  mix_made_at_ = shapes_.changes();
  std::vector<MixShape> shapes;
  for (const MemberShapes::Counted& counted : shapes_.by_members()) {
    if (shapes.size() == kMostShapes) break;
    Demand demand = to_demand(*counted.demand);
    const bool device = std::any_of(demand.begin(), demand.end(), [&](const ResourceAmount& need) {
      return cluster.is_device(need.resource);
    });
    // What no decision has been about yet may lack a column.
    if (!device || demand.size() < counted.demand->entries().size()) continue;
    evaluate(counted.node_set);
    shapes.push_back({{{std::move(demand), counted.node_set, 1}}, static_cast<double>(counted.members)});
  }
  return mix_.emplace(cluster, cluster.topology().host_level(), std::move(shapes));
}

}  // namespace muster::books
