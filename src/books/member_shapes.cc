#include "books/member_shapes.h"

#include <algorithm>
#include <tuple>

namespace muster::books {

bool MemberShapes::Less::operator()(const std::pair<ResourceList, NodeSetId>& a,
                                    const std::pair<ResourceList, NodeSetId>& b) const {
  return std::tie(a.second, a.first.entries()) < std::tie(b.second, b.first.entries());
}

void MemberShapes::hold(const std::string& uid, const ResourceList& demand, NodeSetId node_set) {
  const auto before = of_.find(uid);
  if (before != of_.end() && before->second->first.second == node_set &&
      before->second->first.first == demand)
    return;
  drop(uid);
  const auto shape = counts_.try_emplace({demand, node_set}, 0).first;
  ++shape->second;
  ++changes_;
  of_.emplace(uid, shape);
}

void MemberShapes::drop(const std::string& uid) {
  const auto found = of_.find(uid);
  if (found == of_.end()) return;
  if (--found->second->second == 0) counts_.erase(found->second);
  ++changes_;
  of_.erase(found);
}

std::vector<MemberShapes::Counted> MemberShapes::by_members() const {
  std::vector<Counted> all;
  for (const auto& [shape, members] : counts_) all.push_back({&shape.first, shape.second, members});
  std::stable_sort(all.begin(), all.end(),
                   [](const Counted& a, const Counted& b) { return a.members > b.members; });
  return all;
}

}  // namespace muster::books
