// The clock for promises between machines: like SteadyClock, but it also runs while the machine sleeps.
#pragma once

#include <ctime>

#include "base/clock.h"

namespace muster {

class BootClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) +
                                                          std::chrono::nanoseconds(time.tv_nsec)));
  }
};

}  // namespace muster
