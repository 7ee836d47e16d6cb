#include "placement/latency.h"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

#include "muster/solver.h"
#include "placement/workloads.h"

namespace muster::bench {
namespace {

constexpr double kLongestMicros = 3e6;  // of one row
constexpr double kShort = 1e3;          // µs
constexpr double kLong = 5e3;

struct Row {
  std::size_t hosts = 0;
  std::string family;
  std::size_t members = 0;
  bool yes = true;  // what was asked for; what came out is counted below
  std::size_t fits = 0;
  std::size_t no = 0;
  std::vector<double> micros;  // by round; in the first one the shape was not seen before
  uint64_t steps = 0;          // of the last round
  double bar = 0;              // for p99; 0: none

  [[nodiscard]] std::size_t rounds() const { return micros.size(); }
  [[nodiscard]] std::size_t undecided() const { return rounds() - fits - no; }
  [[nodiscard]] bool met() const {
    return bar == 0 || (percentile(micros, 0.99) <= bar && (yes ? fits : no) == rounds());
  }
};

// A «no» and up to 1,024 members that are alike but for divisible sizes or slices: short; everything else:
// long.
double bar_of(Family family, std::size_t hosts, uint32_t members, bool yes) {
  if (hosts < kBarHosts) return 0;
  const bool simple = family == Family::kIdentical || family == Family::kSizes || family == Family::kSlices;
  return !yes || (simple && members <= 1'024) ? kShort : kLong;
}

Row measure(Cluster& cluster, Family family, uint32_t members, bool yes, const LatencyOptions& options) {
  const PlacementRequest request = make_request(cluster, family, members, yes);
  Mix mix = make_mix(cluster);
  Row row;
  row.hosts = cluster.state.host_count();
  row.family = to_string(family);
  row.members = request.members.size();
  row.yes = yes;
  row.bar = bar_of(family, row.hosts, members, yes);
  Random random(options.seed);
  SolveOptions solving;
  solving.remedies = false;
  solving.mix = &mix;
  double spent = 0;
  for (uint32_t round = 0; round < options.rounds && spent < kLongestMicros; ++round) {
    for (int i = 0; i < 16; ++i) disturb(cluster, random);
    const double start = thread_micros();
    const Verdict verdict = solve(request, cluster.state, solving);
    row.micros.push_back(thread_micros_since(start));
    spent += row.micros.back();
    row.fits += std::holds_alternative<Fits>(verdict);
    row.no += std::holds_alternative<CertifiedNo>(verdict);
    row.steps = std::visit([](const auto& answer) { return answer.steps; }, verdict);
  }
  return row;
}

void print(const Row& row) {
  fmt::print("{:>7} {:<15} {:>6} {:<4} {:>5} {:>5} {:>9} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9} {}\n",
             row.hosts, row.family, row.members, row.yes ? "yes" : "no", row.fits, row.no, row.undecided(),
             row.micros.front(), percentile(row.micros, 0.5), percentile(row.micros, 0.99),
             percentile(row.micros, 0.999), row.steps, row.bar == 0 ? "" : verdict_on_bar(row.met()));
  std::fflush(stdout);
}

Json to_json(const Row& row) {
  Json text{{"hosts", row.hosts},
            {"family", row.family},
            {"members", row.members},
            {"asked", row.yes ? "yes" : "no"},
            {"rounds", row.rounds()},
            {"fits", row.fits},
            {"no", row.no},
            {"undecided", row.undecided()},
            {"first_us", row.micros.front()},
            {"p50_us", percentile(row.micros, 0.5)},
            {"p99_us", percentile(row.micros, 0.99)},
            {"p999_us", percentile(row.micros, 0.999)},
            {"steps", row.steps}};
  if (row.bar > 0) text.update({{"bar_us", row.bar}, {"met", row.met()}});
  return text;
}

// Whether this size of the family is one of the table, and asked for.
bool is_wanted(Family family, uint32_t members, bool yes, uint32_t hosts, const LatencyOptions& options) {
  if (members == 1 && (family != Family::kIdentical || !yes)) return false;
  if (members * 2 > hosts) return false;
  return (options.family.empty() || options.family == to_string(family)) &&
         (options.members == 0 || options.members == members) &&
         (options.ask.empty() || (options.ask == "yes") == yes);
}

double time_of_event(Cluster& cluster, uint64_t seed) {
  constexpr int kEvents = 1'000'000;
  Random random(seed);
  const double start = thread_micros();
  for (int i = 0; i < kEvents; ++i) disturb(cluster, random);
  return thread_micros_since(start) * 1e3 / kEvents;
}

}  // namespace

const char* verdict_on_bar(bool met) { return met ? "met" : "MISSED"; }

void print_latency_head() {
  fmt::print("Times are processor time of the solving thread.\n");
  fmt::print("{:>7} {:<15} {:>6} {:<4} {:>5} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} bar\n", "hosts",
             "family", "members", "ask", "fits", "no", "undecided", "first µs", "p50 µs", "p99 µs",
             "p99.9 µs", "steps");
}

Latency measure_latency(uint32_t hosts, const LatencyOptions& options) {
  Latency latency;
  const double start = thread_micros();
  Cluster cluster = make_cluster(hosts, options.seed);
  latency.build_ms = thread_micros_since(start) / 1e3;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    const auto family = static_cast<Family>(f);
    for (const uint32_t members : {1U, 8U, 64U, 1'024U, 16'000U}) {
      for (const bool yes : {true, false}) {
        if (!is_wanted(family, members, yes, hosts, options)) continue;
        const Row row = measure(cluster, family, members, yes, options);
        print(row);
        latency.missed += row.met() ? 0 : 1;
        latency.rows.push_back(to_json(row));
      }
    }
  }
  latency.event_ns = time_of_event(cluster, options.seed);
  return latency;
}

}  // namespace muster::bench
