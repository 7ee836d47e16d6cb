// bench_reference: the solver beside schedulers that place one pod after another (reference/per_pod.h).
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "muster/solver.h"
#include "placement/workloads.h"
#include "reference/per_pod.h"

using namespace muster;
using namespace muster::bench;

namespace {

constexpr std::array<const char*, 3> kPolicies{"muster", "nearest", "first-fit"};
constexpr uint64_t kMostWork = 400'000'000;  // members × hosts × rounds of one row

struct Options {
  uint64_t seed = 1;
  std::vector<uint32_t> hosts{1'000, 10'000};
  uint32_t rounds = 50;
  std::string json;
};

struct Policy {
  std::vector<double> micros;
  uint32_t fits = 0;        // where the solver's answer is a placement
  std::size_t domains = 0;  // racks used, over rounds in which all three placed the group
};

struct Row {
  uint32_t hosts = 0;
  std::string family;
  std::size_t members = 0;
  uint32_t rounds = 0;
  uint32_t possible = 0;  // the solver placed the group; every other answer was a certified no
  uint32_t undecided = 0;
  std::array<Policy, kPolicies.size()> policies;
};

double now_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::size_t racks(const std::vector<Assignment>& placement, const Topology& topology) {
  std::set<DomainId> used;
  for (const Assignment& it : placement) used.insert(topology.leaf_domain(it.host));
  return used.size();
}

// One decision by each policy on the same state.
void play(Cluster& cluster, const PlacementRequest& request, Row& row) {
  std::array<std::optional<std::vector<Assignment>>, kPolicies.size()> placements;
  SolveOptions options;
  options.remedies = false;
  double start = now_micros();
  const Verdict verdict = solve(request, cluster.state, options);
  row.policies[0].micros.push_back(now_micros() - start);
  if (const auto* fits = std::get_if<Fits>(&verdict)) placements[0] = fits->placement;
  row.undecided += std::holds_alternative<Undecided>(verdict) ? 1 : 0;
  for (std::size_t p = 1; p < kPolicies.size(); ++p) {
    PerPod reference(cluster.state);
    start = now_micros();
    placements[p] = reference.place(request, p == 1 ? PerPodRule::kNearest : PerPodRule::kFirstFit);
    row.policies[p].micros.push_back(now_micros() - start);
  }
  ++row.rounds;
  if (!placements[0]) return;
  ++row.possible;
  const bool all = std::all_of(placements.begin(), placements.end(), [](const auto& it) { return !!it; });
  for (std::size_t p = 0; p < kPolicies.size(); ++p) {
    row.policies[p].fits += placements[p] ? 1 : 0;
    if (all) row.policies[p].domains += racks(*placements[p], cluster.state.topology());
  }
}

// As in bench_placement, but what is preferred there is required here, as far as it can be met.
PlacementRequest request_of(const Cluster& cluster, Family family, uint32_t members) {
  PlacementRequest request = make_request(cluster, family, members, true);
  if (request.subgroups[0].preferred.empty() || members > 64) return request;
  request.subgroups[0].required = members <= 8 ? "rack" : "block";
  request.subgroups[0].preferred.clear();
  return request;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}
double false_no(const Row& row, const Policy& policy) {
  return row.possible == 0 ? 0 : 100.0 * (row.possible - policy.fits) / row.possible;
}
double excess(const Row& row, const Policy& policy) {
  return row.policies[0].domains == 0
             ? 0
             : static_cast<double>(policy.domains) / static_cast<double>(row.policies[0].domains);
}

void print(const Row& row) {
  fmt::print("{:>7} {:<15} {:>6} {:>5}/{:<5}", row.hosts, row.family, row.members, row.possible, row.rounds);
  for (const Policy& policy : row.policies)
    fmt::print(" |{:>10.1f} {:>6.1f} {:>6}", median(policy.micros), false_no(row, policy),
               policy.domains == 0 ? "-" : fmt::format("{:.2f}", excess(row, policy)));
  fmt::print("\n");
  std::fflush(stdout);
}

std::string to_json(const Row& row) {
  std::string policies;
  for (std::size_t p = 0; p < kPolicies.size(); ++p) {
    const Policy& policy = row.policies[p];
    policies += fmt::format(
        "{}{{\"policy\":\"{}\",\"p50_us\":{:.1f},\"falseNo_pct\":{:.2f},\"racksToMuster\":{:.3f}}}",
        p == 0 ? "" : ",", kPolicies[p], median(policy.micros), false_no(row, policy), excess(row, policy));
  }
  return fmt::format(
      "{{\"hosts\":{},\"family\":\"{}\",\"members\":{},\"rounds\":{},\"possible\":{},\"undecided\":{},"
      "\"policies\":[{}]}}",
      row.hosts, row.family, row.members, row.rounds, row.possible, row.undecided, policies);
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("The solver beside placing one pod after another", "bench_reference");
  app.add_option("--seed", options.seed, "of the first cluster (1)");
  app.add_option("--hosts", options.hosts, "sizes of the cluster (1000,10000)")->delimiter(',');
  app.add_option("--rounds", options.rounds, "decisions per row at most (50)");
  app.add_option("--json", options.json, "write the figures to this file as well");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

// Each round has a cluster of its own, so that a row is not one lucky or unlucky state.
Row measure(uint32_t hosts, Family family, uint32_t members, const Options& options) {
  Row row;
  row.hosts = hosts;
  row.family = to_string(family);
  const uint64_t work = uint64_t{members} * hosts;
  for (uint32_t i = 0; i < options.rounds && (i == 0 || work * (i + 1) <= kMostWork); ++i) {
    Cluster cluster = bench::make_cluster(hosts, options.seed + i);
    const PlacementRequest request = request_of(cluster, family, members);
    row.members = request.members.size();
    play(cluster, request, row);
  }
  return row;
}

std::string run_all(const Options& options) {
  std::string text;
  for (const uint32_t hosts : options.hosts) {
    for (std::size_t f = 0; f < kFamilies; ++f) {
      for (const uint32_t members : {8U, 64U, 1'024U}) {
        if (members * 2 > hosts) continue;
        const Row row = measure(hosts, static_cast<Family>(f), members, options);
        print(row);
        text += (text.empty() ? "" : ",\n") + to_json(row);
      }
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  fmt::print("{:<42}", "");
  for (const char* policy : kPolicies) fmt::print(" | {:<24}", policy);
  fmt::print("\n{:>7} {:<15} {:>6} {:<11}", "hosts", "family", "member", "  fit/asked");
  for (std::size_t p = 0; p < kPolicies.size(); ++p)
    fmt::print(" |{:>10} {:>6} {:>6}", "p50 µs", "no* %", "racks");
  fmt::print("\n");
  const std::string rows = run_all(options);
  fmt::print("* refused although the solver has a placement; racks: divided by the solver's\n");
  if (options.json.empty()) return 0;
  std::FILE* file = std::fopen(options.json.c_str(), "w");
  if (file == nullptr) {
    std::fprintf(stderr, "bench_reference: %s cannot be written\n", options.json.c_str());
    return 2;
  }
  fmt::print(file, "{{\"clock\":\"thread-cpu\",\"seed\":{},\"rows\":[{}]}}\n", options.seed, rows);
  return std::fclose(file) == 0 ? 0 : 2;
}
