#include "engine/node_health.h"

namespace muster::engine {

using group::NodeFate;

bool NodeHealth::saw(const std::string& node, Sighting sighting, TimePoint now) {
  const NodeFate before = fate(node);
  const auto known = troubled_.find(node);
  if (known != troubled_.end() && known->second.sighting == sighting) return false;
  if (sighting == Sighting::kReady) {
    forget(node);
  } else {
    troubled_[node] = {sighting, false, before >= NodeFate::kLost};
    graces_.set(node, now + (sighting == Sighting::kAbsent ? absent_grace_ : not_ready_grace_));
  }
  return fate(node) != before;
}

NodeFate NodeHealth::fate(const std::string& node) const {
  const auto known = troubled_.find(node);
  if (known == troubled_.end()) return NodeFate::kFine;
  if (!known->second.over) return known->second.lost ? NodeFate::kLost : NodeFate::kNotReady;
  return known->second.sighting == Sighting::kAbsent ? NodeFate::kGone : NodeFate::kLost;
}

std::vector<std::string> NodeHealth::take_due(TimePoint now) {
  std::vector<std::string> due = graces_.take_due(now);
  for (const std::string& node : due) troubled_.at(node).over = true;
  return due;
}

void NodeHealth::forget(const std::string& node) {
  troubled_.erase(node);
  graces_.set(node, std::nullopt);
}

std::vector<std::string> NodeHealth::troubled() const {
  std::vector<std::string> names;
  for (const auto& [node, trouble] : troubled_) names.push_back(node);
  return names;
}

}  // namespace muster::engine
