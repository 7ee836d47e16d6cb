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

NodeSetId NodeSets::hold(const std::string& uid, const std::string& ns, NodeSetId id) {
  if (const auto found = uses_.find(uid);
      found != uses_.end() && found->second.id == id && found->second.ns == ns)
    return kEveryHost;
  ++sets_[index(id)].pods;
  const NodeSetId freed = drop(uid);
  uses_[uid] = {id, ns};
  ++of_namespace_[ns][id];
  return freed;
}

NodeSetId NodeSets::drop(const std::string& uid) {
  const auto found = uses_.find(uid);
  if (found == uses_.end()) return kEveryHost;
  const Use use = std::move(found->second);
  uses_.erase(found);
  const auto of_ns = of_namespace_.find(use.ns);
  if (--of_ns->second.at(use.id) == 0) of_ns->second.erase(use.id);
  if (of_ns->second.empty()) of_namespace_.erase(of_ns);
  Entry& entry = sets_[index(use.id)];
  if (--entry.pods > 0) return kEveryHost;
  numbers_.erase(entry.fingerprint);
  entry = {};
  free_.push_back(use.id);
  return use.id;
}

std::size_t NodeSets::held_by(const std::string& ns) const {
  const auto found = of_namespace_.find(ns);
  return found == of_namespace_.end() ? 0 : found->second.size();
}

bool NodeSets::is_held_by(const std::string& ns, const kube::NodeSet& set) const {
  const auto number = numbers_.find(kube::fingerprint_of(set));
  const auto found = of_namespace_.find(ns);
  return number != numbers_.end() && found != of_namespace_.end() && found->second.contains(number->second);
}

}  // namespace muster::books
