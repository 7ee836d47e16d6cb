// The figures, the bars they are held against, and both as text and JSON.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "harness/bars.h"
#include "harness/harness.h"
#include "load/measure.h"

namespace muster::bench {

// The keys of both sides' certificates: those that docs/server.md recommends, and others that have no bar for
// their handshakes.
inline constexpr std::string_view kRecommendedKeys = "P-256";
inline constexpr std::string_view kOtherKeys = "RSA 2048";

class Report {
 public:
  // keys: one of the above, or empty for plain HTTP.
  void blocked(const std::string& keys, int count, const BlockedResult& result);
  void abused(int abusers, std::chrono::seconds time, const AbuseResult& result);
  // Writes the JSON where it is asked for. The status to end with: 1 when a bar is not held.
  [[nodiscard]] int end(const Program& program);

 private:
  Json figures_ = Json::object();
  Bars bars_;
};

}  // namespace muster::bench
