#include "books/node_sets.h"

#include <utility>

namespace muster::books {

NodeSets::Interned NodeSets::intern(const kube::NodeSet& set) {
  const kube::Fingerprint fingerprint = kube::fingerprint_of(set);
  if (const auto found = numbers_.find(fingerprint); found != numbers_.end())
    return {found->second, false, false};
  const bool is_added = free_.empty();
  if (is_added) {
    sets_.emplace_back();
    free_.push_back(static_cast<NodeSetId>(sets_.size()));
  }
  const NodeSetId id = free_.back();
  free_.pop_back();
  sets_[index(id)] = {set, fingerprint, 0};
  numbers_.emplace(fingerprint, id);
  return {id, true, is_added};
}

NodeSetId NodeSets::hold(Use& use, const std::string& ns, NodeSetId id) {
  if (use.id_ == id && use.of_->first == ns) return kEveryHost;
  ++sets_[index(id)].pods;
  const NodeSetId freed = drop(use);
  use.id_ = id;
  use.of_ = of_namespace_.try_emplace(ns).first;
  ++use.of_->second[id];
  return freed;
}

NodeSetId NodeSets::drop(Use& use) {
  const NodeSetId id = std::exchange(use.id_, kEveryHost);
  if (id == kEveryHost) return kEveryHost;
  auto& of_ns = use.of_->second;
  if (const auto set = of_ns.find(id); --set->second == 0) of_ns.erase(set);
  if (of_ns.empty()) of_namespace_.erase(use.of_);
  Entry& entry = sets_[index(id)];
  if (--entry.pods > 0) return kEveryHost;
  numbers_.erase(entry.fingerprint);
  entry = {};
  free_.push_back(id);
  return id;
}

std::size_t NodeSets::held_by(const std::string& ns) const {
  const auto found = of_namespace_.find(ns);
  return found == of_namespace_.end() ? 0 : found->second.size();
}

NodeSetId NodeSets::held_by(const std::string& ns, const kube::NodeSet& set) const {
  const auto number = numbers_.find(kube::fingerprint_of(set));
  const auto found = of_namespace_.find(ns);
  const bool held =
      number != numbers_.end() && found != of_namespace_.end() && found->second.contains(number->second);
  return held ? number->second : kEveryHost;
}

}  // namespace muster::books
