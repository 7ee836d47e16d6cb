// Exponential backoff with full jitter, bounded. Randomness comes in as an argument.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace muster {

// A number in [0, 1).
using Random = std::function<double()>;

struct Backoff {
  Duration first{50};
  Duration cap{2'000};

  // The pause before attempt number `attempt` (1 is the first repetition): between half and all of
  // min(cap, first · 2^(attempt-1)).
  [[nodiscard]] Duration pause(uint32_t attempt, const Random& random) const {
    const int64_t factor = int64_t{1} << std::min<uint32_t>(attempt > 0 ? attempt - 1 : 0, 30);
    const int64_t full = std::min<int64_t>(cap.count(), first.count() * factor);
    return Duration(static_cast<int64_t>(static_cast<double>(full) * (0.5 + 0.5 * random())));
  }
};

}  // namespace muster
