// What is measured of a server under load. Each function starts one of its own and ends it; they throw
// std::runtime_error when it does not do what it should.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace muster::bench {

struct Spread {
  std::size_t calls = 0;
  double p50 = 0;
  double p99 = 0;
  double most = 0;
};

struct FilterRow {
  int names = 0;
  bool member = false;
  Spread server;
  Spread caller;
};

// Of binds that wait all at once.
struct BlockedResult {
  double settle_ms = 0;
  double server_cpu_ms = 0;  // processor time of either side until they had settled
  double caller_cpu_ms = 0;
  double rss_before_mb = 0;
  double rss_mb = 0;
  double release_ms = 0;
  std::vector<FilterRow> filter;
  bool clean_end = false;
};

struct WellBehaved {
  Spread kept;   // calls over a connection that is kept
  Spread fresh;  // over a new one, with its opening
};
struct AbuseResult {
  WellBehaved quiet;  // on an undisturbed server
  WellBehaved beside;
  uint64_t connections = 0;
  double rss_peak_mb = 0;
  bool clean_end = false;
};

// tls_dir: the server's files and client.crt and client.key, or empty for plain HTTP.
[[nodiscard]] BlockedResult blocked_binds(const std::string& tls_dir, int count, int calls);
[[nodiscard]] AbuseResult abuse(int abusers, std::chrono::seconds time);

}  // namespace muster::bench
