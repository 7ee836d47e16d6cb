// Time as an argument. TimePoint and Duration have millisecond resolution; only adapters read a real clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace muster {

using Duration = std::chrono::milliseconds;

struct MusterClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MusterClock>;
  static constexpr bool is_steady = true;
};

// A point on the monotonic time line of this process (or of a test or simulation).
using TimePoint = MusterClock::time_point;

// Source of the current time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
};

// The process's monotonic clock.
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    return TimePoint(
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
  }
};

}  // namespace muster
