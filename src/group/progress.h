// When plans have last come on, oldest first: while the plans before it come on, a plan waits for its turn at
// the API server and at kube-scheduler, and giving it back would only make them do its work twice.
//
// Thread rule: one thread.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>

#include "base/clock.h"

namespace muster::group {

class Progress {
 public:
  // A plan made then has taken a step. Amortized O(log n). `now` never goes back.
  void step(TimePoint made, TimePoint now) {
    // Who asks for a younger plan gets this answer, whatever younger plans did before.
    const auto later = steps_.lower_bound(made);
    if (later != steps_.end() && later->first == made) {
      later->second = now;
      steps_.erase(std::next(later), steps_.end());
    } else {
      steps_.erase(later, steps_.end());
      steps_.emplace_hint(steps_.end(), made, now);
    }
    while (steps_.begin()->second + kRemembered < now) steps_.erase(steps_.begin());
  }
  // The last step of a plan made then or before; `made` itself when there was none. O(log n).
  [[nodiscard]] TimePoint last(TimePoint made) const {
    const auto after = steps_.upper_bound(made);
    return after == steps_.begin() ? made : std::max(made, std::prev(after)->second);
  }

 private:
  static constexpr Duration kRemembered{3'600'000};  // longer than any plan waits for a step

  std::map<TimePoint, TimePoint> steps_;  // when made → last step of those made then; both ascend
};

}  // namespace muster::group
