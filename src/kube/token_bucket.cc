#include "kube/token_bucket.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace muster::kube {

TokenBucket::TokenBucket(double qps, double burst)
    : per_millisecond_(qps / 1000), burst_(burst), tokens_(burst) {
  MUSTER_CHECK(qps > 0 && burst >= 1);
}

Duration TokenBucket::take(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (started_ && now > filled_at_) {
    const auto elapsed = static_cast<double>((now - filled_at_).count());
    tokens_ = std::min(burst_, tokens_ + elapsed * per_millisecond_);
  }
  if (!started_ || now > filled_at_) filled_at_ = now;
  started_ = true;
  tokens_ -= 1;
  if (tokens_ >= 0) return Duration(0);
  return Duration(static_cast<int64_t>(std::ceil(-tokens_ / per_millisecond_)));
}

}  // namespace muster::kube
