// Kubernetes quantities: "500m", "1.5Gi", "2e3". Parsed exactly (decimal digits, no floating point) and kept
// to a thousandth, which is the precision the API server stores; anything finer is rounded up to it.
//
// Pure functions, no shared state: every thread may call them.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace muster::kube {

// An amount of at least zero: units + millis/1000 with millis in 0…999. Sums and parsed values above
// INT64_MAX units stay there (Kubernetes caps binary quantities at the same value): a hostile number can only
// become too large to fit anywhere, never small.
class Quantity {
 public:
  Quantity() = default;
  Quantity(int64_t units, int32_t millis);

  // Rounded up to whole units: how kube-scheduler counts everything but cpu.
  [[nodiscard]] int64_t value() const;
  // In thousandths: how kube-scheduler counts cpu.
  [[nodiscard]] int64_t milli_value() const;

  Quantity& operator+=(const Quantity& other);
  friend auto operator<=>(const Quantity&, const Quantity&) = default;

 private:
  int64_t units_ = 0;
  int32_t millis_ = 0;
};

// Accepts the grammar of Kubernetes: an optional sign, decimal digits with at most one point, then one of
// n u m k M G T P E, Ki Mi Gi Ti Pi Ei, or e/E with a signed exponent. kInvalid, naming the text, for
// anything else and for values below zero. O(length of the text).
[[nodiscard]] Result<Quantity> parse_quantity(std::string_view text);

// The quantity as ResourceList counts it: thousandths for "cpu", units rounded up for all other resources.
[[nodiscard]] int64_t amount_of(std::string_view resource, const Quantity& quantity);

}  // namespace muster::kube
