// What is due when. A key has one time at most.
//
// Thread rule: a value. O(log n) for each call, and for each key that take_due() names.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace muster::engine {

template <typename Key>
class Timetable {
 public:
  // In the place of what the key had before; nothing: it is not due at all.
  void set(const Key& key, std::optional<TimePoint> due) {
    const auto known = due_.find(key);
    if (known != due_.end()) {
      if (due == known->second) return;
      order_.erase({known->second, key});
      due_.erase(known);
    }
    if (!due) return;
    due_.emplace(key, *due);
    order_.emplace(*due, key);
  }

  [[nodiscard]] std::optional<TimePoint> next() const {
    return order_.empty() ? std::nullopt : std::optional(order_.begin()->first);
  }

  // Those whose time has come, the earliest first; they are not due any more.
  [[nodiscard]] std::vector<Key> take_due(TimePoint now) {
    std::vector<Key> due;
    while (!order_.empty() && order_.begin()->first <= now) {
      due.push_back(order_.begin()->second);
      due_.erase(due.back());
      order_.erase(order_.begin());
    }
    return due;
  }

 private:
  std::map<Key, TimePoint> due_;
  std::set<std::pair<TimePoint, Key>> order_;
};

}  // namespace muster::engine
