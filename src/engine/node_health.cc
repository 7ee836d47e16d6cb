#include "engine/node_health.h"

#include <algorithm>

namespace muster::engine {

using group::NodeFate;

bool NodeHealth::saw(const std::string& node, Sighting sighting, TimePoint now) {
  const NodeFate before = fate(node);
  const auto known = troubled_.find(node);
  if (known != troubled_.end() && known->second.sighting == sighting) return false;
  if (sighting == Sighting::kReady) {
    if (known != troubled_.end()) troubled_.erase(known);
  } else {
    const Duration grace = sighting == Sighting::kAbsent ? absent_grace_ : not_ready_grace_;
    troubled_[node] = {sighting, now + grace, false, before >= NodeFate::kLost};
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
  std::vector<std::string> due;
  for (auto& [node, trouble] : troubled_) {
    if (trouble.over || now < trouble.due) continue;
    trouble.over = true;
    due.push_back(node);
  }
  return due;
}

std::optional<TimePoint> NodeHealth::next_timer() const {
  std::optional<TimePoint> next;
  for (const auto& [node, trouble] : troubled_) {
    if (!trouble.over) next = next ? std::min(*next, trouble.due) : trouble.due;
  }
  return next;
}

std::vector<std::string> NodeHealth::troubled() const {
  std::vector<std::string> names;
  for (const auto& [node, trouble] : troubled_) names.push_back(node);
  return names;
}

}  // namespace muster::engine
