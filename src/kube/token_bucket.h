// How many calls a second: `burst` at once, then one every 1/qps. Callers are served in the order of take().
//
// Thread rule: take() may be called from any thread.
#pragma once

#include <mutex>

#include "base/clock.h"

namespace muster::kube {

class TokenBucket {
 public:
  // qps > 0, burst ≥ 1.
  TokenBucket(double qps, double burst);

  // Takes a token, one that is yet to come if need be, and returns how long to wait for it.
  [[nodiscard]] Duration take(TimePoint now);

 private:
  const double per_millisecond_;
  const double burst_;
  std::mutex mutex_;  // guards the rest
  double tokens_;
  TimePoint filled_at_{};
  bool started_ = false;
};

}  // namespace muster::kube
