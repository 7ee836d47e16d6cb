// Which nodes members can still be counted on: a node that is not ready, or that is not there, may come back
// within a grace; afterwards what is bound to it is lost.
//
// Thread rule: one thread. O(log troubled nodes).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/timetable.h"
#include "group/member.h"

namespace muster::engine {

enum class Sighting { kReady, kNotReady, kAbsent };

class NodeHealth {
 public:
  NodeHealth(Duration not_ready_grace, Duration absent_grace)
      : not_ready_grace_(not_ready_grace), absent_grace_(absent_grace) {}

  // True when the node's fate is another one than before.
  bool saw(const std::string& node, Sighting sighting, TimePoint now);
  [[nodiscard]] group::NodeFate fate(const std::string& node) const;
  // Nodes whose grace is over; each is named once.
  [[nodiscard]] std::vector<std::string> take_due(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_timer() const { return graces_.next(); }
  // Nothing is bound to an absent node any more.
  void forget(const std::string& node);
  [[nodiscard]] std::vector<std::string> troubled() const;

 private:
  struct Trouble {
    Sighting sighting = Sighting::kNotReady;
    bool over = false;  // its grace is
    bool lost = false;  // it was lost before its trouble became another one
  };

  const Duration not_ready_grace_;
  const Duration absent_grace_;
  std::map<std::string, Trouble> troubled_;
  Timetable<std::string> graces_;  // when those that are not over end
};

}  // namespace muster::engine
