// The time of one decision, as a table and as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "harness/harness.h"

namespace muster::bench {

inline constexpr std::size_t kBarHosts = 100'000;  // what a cluster of this size has to reach is called a bar

struct LatencyOptions {
  uint64_t seed = 1;
  uint32_t rounds = 1'000;  // decisions per row at most
  std::string family;       // empty: all
  uint32_t members = 0;     // 0: all
  std::string ask;          // "yes" or "no"; empty: both
};

// Of a cluster of one size.
struct Latency {
  Json rows = Json::array();
  std::size_t missed = 0;  // rows that miss their bar
  double build_ms = 0;     // processor time
  double event_ns = 0;     // of a pod that comes or goes
};

void print_latency_head();
// Prints each row when it is measured.
[[nodiscard]] Latency measure_latency(uint32_t hosts, const LatencyOptions& options);

// "met" or "MISSED".
[[nodiscard]] const char* verdict_on_bar(bool met);

}  // namespace muster::bench
