// What a program's figures are held against.
#pragma once

#include <string>

#include "harness/harness.h"

namespace muster::bench {

class Bars {
 public:
  // Says at once when the figure is not below its limit.
  void below(const std::string& what, double measured, double limit);
  // Says how many are held.
  void sum_up() const;

  [[nodiscard]] bool all_held() const { return held_ == json_.size(); }
  // In the order of below(): {"what", "measured", "below", "held"}.
  [[nodiscard]] const Json& json() const { return json_; }

 private:
  Json json_ = Json::array();
  std::size_t held_ = 0;
};

}  // namespace muster::bench
