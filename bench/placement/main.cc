// bench_placement: the time of one decision, by family of requests, size of the cluster and number of
// members; and the same decisions by schedulers that place one pod after another.
#include <fmt/format.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "harness/harness.h"
#include "placement/latency.h"
#include "placement/references.h"

using namespace muster::bench;

namespace {

constexpr double kEventBarNs = 2e3;
constexpr long kMemoryBarKib = 64 << 10;

struct Options {
  LatencyOptions latency;
  std::vector<uint32_t> hosts{1'000, 10'000, 100'000};
  uint32_t references = 50;
  bool strict = false;
};

long resident_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void parse(Program& program, Options& options, int argc, char** argv) {
  program.takes_seed("of clusters and disturbances");
  CLI::App& app = program.options();
  app.add_option("--hosts", options.hosts, "sizes of the cluster (1000,10000,100000)")->delimiter(',');
  app.add_option("--rounds", options.latency.rounds, "decisions per row at most (1000)")
      ->check(CLI::PositiveNumber);
  app.add_option("--references", options.references,
                 "decisions per row at most beside schedulers that place pod by pod, 0: none (50)");
  app.add_option("--family", options.latency.family, "only this family of requests");
  app.add_option("--members", options.latency.members, "only this number of members");
  app.add_option("--ask", options.latency.ask, "only requests of which this answer is expected: yes or no");
  app.add_flag("--strict", options.strict, "status 1 when a bar is missed");
  program.parse(argc, argv);
  options.latency.seed = program.seed();
}

// Returns how many bars are missed.
std::size_t run_latency(const Options& options, Json& figures) {
  print_latency_head();
  Json rows = Json::array();
  Latency latency;  // of the last cluster, when all are measured
  std::size_t missed = 0;
  for (const uint32_t hosts : options.hosts) {
    latency = measure_latency(hosts, options.latency);
    missed += latency.missed;
    rows.insert(rows.end(), latency.rows.begin(), latency.rows.end());
  }
  const long memory = resident_kib();
  fmt::print("last cluster: built in {:.0f} ms, one pod event {:.0f} ns, {} KiB resident at most\n",
             latency.build_ms, latency.event_ns, memory);
  if (options.hosts.back() == kBarHosts) {
    const bool small = memory <= kMemoryBarKib;
    const bool quick = latency.event_ns <= kEventBarNs;
    fmt::print("bars at {} hosts: {} missed by decisions, memory {}, event {}\n", kBarHosts, missed,
               verdict_on_bar(small), verdict_on_bar(quick));
    missed += (small ? 0 : 1) + (quick ? 0 : 1);
  }
  figures.update({{"clock", "thread-cpu"},
                  {"decisions", std::move(rows)},
                  {"build_ms", latency.build_ms},
                  {"event_ns", latency.event_ns},
                  {"max_rss_kib", memory},
                  {"missed", missed}});
  return missed;
}

void run_references(const Options& options, Json& figures) {
  if (options.references == 0) return;
  Json rows = Json::array();
  print_reference_head();
  for (const uint32_t hosts : options.hosts) {
    const Json measured = measure_references(hosts, options.latency.seed, options.references);
    rows.insert(rows.end(), measured.begin(), measured.end());
  }
  print_reference_foot();
  figures["references"] = std::move(rows);
}

}  // namespace

int main(int argc, char** argv) {
  Program program("placement", "The time of one decision, and the same decisions pod by pod");
  Options options;
  parse(program, options, argc, argv);
  Json figures = Json::object();
  const std::size_t missed = run_latency(options, figures);
  run_references(options, figures);
  return program.finish(figures, options.strict && missed > 0 ? 1 : 0);
}
