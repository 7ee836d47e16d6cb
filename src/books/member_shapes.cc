#include "books/member_shapes.h"

#include <algorithm>

namespace muster::books {

void MemberShapes::hold(Use& use, const ResourceList& demand, NodeSetId node_set) {
  if (use.shape_ && (*use.shape_)->first.second == node_set && (*use.shape_)->first.first == demand) return;
  drop(use);
  auto shape = counts_.find(std::pair<const ResourceList&, NodeSetId>(demand, node_set));
  if (shape == counts_.end()) shape = counts_.try_emplace({demand, node_set}, 0).first;
  ++shape->second;
  ++members_;
  ++changes_;
  use.shape_ = shape;
}

void MemberShapes::drop(Use& use) {
  if (!use.shape_) return;
  const auto shape = *std::exchange(use.shape_, std::nullopt);
  if (--shape->second == 0) counts_.erase(shape);
  --members_;
  ++changes_;
}

std::vector<MemberShapes::Counted> MemberShapes::by_members() const {
  std::vector<Counted> all;
  for (const auto& [shape, members] : counts_) all.push_back({&shape.first, shape.second, members});
  std::stable_sort(all.begin(), all.end(),
                   [](const Counted& a, const Counted& b) { return a.members > b.members; });
  return all;
}

}  // namespace muster::books
