// bench_placement [seed [largest cluster [rounds]]]: decisions per request family, cluster size and number of
// members, in microseconds of the thread's processor time; one JSON document.
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "muster/solver.h"
#include "placement/workloads.h"

using namespace muster;
using namespace muster::bench;

namespace {

double micros_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

// Time this thread ran: on a shared machine the wall clock also counts the neighbours.
double thread_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double percentile(std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

void run(Cluster& cluster, Family family, uint32_t members, bool yes, uint32_t rounds, uint64_t seed,
         bool first) {
  const PlacementRequest request = make_request(cluster, family, members, yes);
  Random random(seed);
  std::vector<double> micros;
  uint64_t fits = 0;
  uint64_t no = 0;
  uint64_t steps = 0;
  double spent = 0;
  for (uint32_t round = 0; round < rounds && spent < 3e6; ++round) {
    for (int i = 0; i < 16; ++i) disturb(cluster, random);
    SolveOptions options;
    options.remedies = false;
    const double start = thread_micros();
    const Verdict verdict = solve(request, cluster.state, options);
    micros.push_back(thread_micros() - start);
    spent += micros.back();
    if (const auto* it = std::get_if<Fits>(&verdict)) {
      ++fits;
      steps = it->steps;
    }
    if (const auto* it = std::get_if<CertifiedNo>(&verdict)) {
      ++no;
      steps = it->steps;
    }
    if (const auto* it = std::get_if<Undecided>(&verdict)) steps = it->steps;
  }
  const double cold = micros.front();
  std::sort(micros.begin(), micros.end());
  fmt::print(
      "{}    "
      "{{\"hosts\":{},\"family\":\"{}\",\"members\":{},\"asked\":\"{}\",\"rounds\":{},\"fits\":{},\"no\":{},"
      "\"undecided\":{},\"first_us\":{:.1f},\"p50_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"steps\":"
      "{}}}",
      first ? "" : ",\n", cluster.state.host_count(), to_string(family), request.members.size(),
      yes ? "yes" : "no", micros.size(), fits, no, micros.size() - fits - no, cold, percentile(micros, 0.5),
      percentile(micros, 0.99), percentile(micros, 0.999), steps);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const uint32_t largest = argc > 2 ? static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)) : 100'000;
  const uint32_t rounds = argc > 3 ? static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)) : 1'000;
  fmt::print("{{\"seed\":{},\n  \"decisions\":[\n", seed);
  bool first = true;
  double build_ms = 0;
  double event_ns = 0;
  for (const uint32_t hosts : {1'000U, 10'000U, 100'000U}) {
    if (hosts > largest) break;
    auto start = std::chrono::steady_clock::now();
    Cluster cluster = bench::make_cluster(hosts, seed);
    build_ms = micros_since(start) / 1e3;
    for (std::size_t f = 0; f < kFamilies; ++f)
      for (const uint32_t members : {8U, 64U, 1'024U, 16'000U})
        for (const bool yes : {true, false}) {
          if (members * 2 > hosts) continue;
          run(cluster, static_cast<Family>(f), members, yes, rounds, seed, first);
          first = false;
        }
    Random random(seed);
    start = std::chrono::steady_clock::now();
    for (int i = 0; i < 1'000'000; ++i) disturb(cluster, random);
    event_ns = micros_since(start) / 1e3;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("\n  ],\n  \"build_ms\":{:.1f}, \"event_ns\":{:.0f}, \"max_rss_kib\":{}}}\n", build_ms, event_ns,
             usage.ru_maxrss);
  return 0;
}
