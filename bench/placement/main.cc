// bench_placement: the time of one decision by family of requests, size of the cluster and number of members.
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "muster/solver.h"
#include "placement/workloads.h"

using namespace muster;
using namespace muster::bench;

namespace {

constexpr double kLongestMicros = 3e6;  // of one row

// What 100,000 hosts have to reach, in µs and KiB.
constexpr std::size_t kBarHosts = 100'000;
constexpr double kShort = 1e3;
constexpr double kLong = 5e3;
constexpr double kEvent = 2;
constexpr long kMemory = 64 << 10;

struct Options {
  uint64_t seed = 1;
  uint32_t smallest = 1'000;
  uint32_t largest = 100'000;
  uint32_t rounds = 1'000;
  std::string family;    // empty: all
  uint32_t members = 0;  // 0: all
  std::string ask;       // "yes" or "no"; empty: both
  std::string json;
  bool strict = false;
};

struct Row {
  std::size_t hosts = 0;
  std::string family;
  std::size_t members = 0;
  bool yes = true;  // what was asked for; what came out is counted below
  std::size_t rounds = 0;
  std::size_t fits = 0;
  std::size_t no = 0;
  double first = 0;  // µs; the shape was not seen before
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  uint64_t steps = 0;  // of the last round
  double bar = 0;      // for p99; 0: none

  [[nodiscard]] bool answered() const { return (yes ? fits : no) == rounds; }
  [[nodiscard]] bool met() const { return bar == 0 || (p99 <= bar && answered()); }
};

// A «no» and up to 1,024 members that are alike but for divisible sizes or slices: short; everything else:
// long.
double bar_of(Family family, std::size_t hosts, uint32_t members, bool yes) {
  if (hosts < kBarHosts) return 0;
  const bool simple = family == Family::kIdentical || family == Family::kSizes || family == Family::kSlices;
  return !yes || (simple && members <= 1'024) ? kShort : kLong;
}

// The processor time of this thread, so that other load on the machine is not counted. A solve has no other
// thread and waits for nothing.
double now_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double micros_since(double start) { return now_micros() - start; }

double percentile(const std::vector<double>& sorted, double share) {
  const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size() - 1, index)];
}

Row run(Cluster& cluster, Family family, uint32_t members, bool yes, const Options& options) {
  const PlacementRequest request = make_request(cluster, family, members, yes);
  Mix mix = make_mix(cluster);
  Row row{cluster.state.host_count(), to_string(family), request.members.size(), yes};
  Random random(options.seed);
  std::vector<double> micros;
  double spent = 0;
  for (uint32_t round = 0; round < options.rounds && spent < kLongestMicros; ++round) {
    for (int i = 0; i < 16; ++i) disturb(cluster, random);
    SolveOptions solving;
    solving.remedies = false;
    solving.mix = &mix;
    const double start = now_micros();
    const Verdict verdict = solve(request, cluster.state, solving);
    micros.push_back(micros_since(start));
    spent += micros.back();
    row.fits += std::holds_alternative<Fits>(verdict);
    row.no += std::holds_alternative<CertifiedNo>(verdict);
    row.steps = std::visit([](const auto& answer) { return answer.steps; }, verdict);
  }
  row.rounds = micros.size();
  row.first = micros.front();
  std::sort(micros.begin(), micros.end());
  row.p50 = percentile(micros, 0.5);
  row.p99 = percentile(micros, 0.99);
  row.p999 = percentile(micros, 0.999);
  row.bar = bar_of(family, row.hosts, members, yes);
  return row;
}

const char* verdict(bool met) { return met ? "met" : "MISSED"; }

void print(const Row& row) {
  fmt::print("{:>7} {:<15} {:>6} {:<4} {:>5} {:>5} {:>9} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9} {}\n",
             row.hosts, row.family, row.members, row.yes ? "yes" : "no", row.fits, row.no,
             row.rounds - row.fits - row.no, row.first, row.p50, row.p99, row.p999, row.steps,
             row.bar == 0 ? "" : verdict(row.met()));
  std::fflush(stdout);
}

std::string to_json(const Row& row) {
  return fmt::format(
      "{{\"hosts\":{},\"family\":\"{}\",\"members\":{},\"asked\":\"{}\",\"rounds\":{},\"fits\":{},\"no\":{},"
      "\"undecided\":{},\"first_us\":{:.1f},\"p50_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"steps\":"
      "{}{}}}",
      row.hosts, row.family, row.members, row.yes ? "yes" : "no", row.rounds, row.fits, row.no,
      row.rounds - row.fits - row.no, row.first, row.p50, row.p99, row.p999, row.steps,
      row.bar == 0 ? "" : fmt::format(",\"bar_us\":{:.0f},\"met\":{}", row.bar, row.met()));
}

long resident_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("The time of one decision", "bench_placement");
  app.add_option("--seed", options.seed, "of clusters and disturbances (1)");
  app.add_option("--smallest", options.smallest, "smallest cluster, in hosts (1000)");
  app.add_option("--largest", options.largest, "largest cluster, in hosts (100000)");
  app.add_option("--rounds", options.rounds, "decisions per row at most (1000)");
  app.add_option("--family", options.family, "only this family of requests");
  app.add_option("--members", options.members, "only this number of members");
  app.add_option("--ask", options.ask, "only requests of which this answer is expected: yes or no");
  app.add_option("--json", options.json, "write the figures to this file as well");
  app.add_flag("--strict", options.strict, "status 1 when a bar is missed");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

struct Totals {
  std::string rows;  // JSON
  std::size_t missed = 0;
  double build_ms = 0;  // of the largest cluster, like the next
  double event_ns = 0;
};

void run_all(uint32_t hosts, const Options& options, Totals& totals) {
  double start = now_micros();
  Cluster cluster = bench::make_cluster(hosts, options.seed);
  totals.build_ms = micros_since(start) / 1e3;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    const auto family = static_cast<Family>(f);
    if (!options.family.empty() && options.family != to_string(family)) continue;
    for (const uint32_t members : {1U, 8U, 64U, 1'024U, 16'000U}) {
      for (const bool yes : {true, false}) {
        if (!options.ask.empty() && (options.ask == "yes") != yes) continue;
        if (members == 1 && (family != Family::kIdentical || !yes)) continue;
        if (members * 2 > hosts || (options.members != 0 && options.members != members)) continue;
        const Row row = run(cluster, family, members, yes, options);
        print(row);
        totals.missed += row.met() ? 0 : 1;
        totals.rows += (totals.rows.empty() ? "" : ",\n    ") + to_json(row);
      }
    }
  }
  Random random(options.seed);
  start = now_micros();
  constexpr int kEvents = 1'000'000;
  for (int i = 0; i < kEvents; ++i) disturb(cluster, random);
  totals.event_ns = micros_since(start) * 1e3 / kEvents;
}

bool write_json(const Options& options, const Totals& totals) {
  std::FILE* file = std::fopen(options.json.c_str(), "w");
  if (file == nullptr) return false;
  fmt::print(file,
             "{{\"clock\":\"thread-cpu\",\"seed\":{},\n  \"decisions\":[\n    {}\n  ],\n  "
             "\"build_ms\":{:.1f}, \"event_ns\":{:.0f}, \"max_rss_kib\":{}, \"missed\":{}}}\n",
             options.seed, totals.rows, totals.build_ms, totals.event_ns, resident_kib(), totals.missed);
  return std::fclose(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  fmt::print("Times are processor time of the solving thread.\n");
  fmt::print("{:>7} {:<15} {:>6} {:<4} {:>5} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} bar\n", "hosts",
             "family", "members", "ask", "fits", "no", "undecided", "first µs", "p50 µs", "p99 µs",
             "p99.9 µs", "steps");
  Totals totals;
  uint32_t largest = 0;
  for (const uint32_t hosts : {1'000U, 10'000U, 100'000U}) {
    if (hosts > options.largest || hosts < options.smallest) continue;
    run_all(hosts, options, totals);
    largest = hosts;
  }
  fmt::print("largest cluster: built in {:.0f} ms, one pod event {:.0f} ns, {} KiB resident at most\n",
             totals.build_ms, totals.event_ns, resident_kib());
  if (largest >= kBarHosts) {
    const bool memory = resident_kib() <= kMemory;
    const bool event = totals.event_ns <= kEvent * 1e3;
    fmt::print("bars at {} hosts: {} missed by decisions, memory {}, event {}\n", kBarHosts, totals.missed,
               verdict(memory), verdict(event));
    totals.missed += (memory ? 0 : 1) + (event ? 0 : 1);
  }
  if (!options.json.empty() && !write_json(options, totals)) {
    std::fprintf(stderr, "bench_placement: %s cannot be written\n", options.json.c_str());
    return 2;
  }
  return options.strict && totals.missed > 0 ? 1 : 0;
}
