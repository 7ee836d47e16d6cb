// Time that a test moves on.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace muster::kube::test {

class MovingClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return steady_.now() + Duration(ahead_.load()); }
  void move_on(Duration by) { ahead_ += by.count(); }

 private:
  SteadyClock steady_;
  std::atomic<int64_t> ahead_{0};
};

}  // namespace muster::kube::test
