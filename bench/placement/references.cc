#include "placement/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "muster/solver.h"
#include "placement/per_pod.h"
#include "placement/workloads.h"

namespace muster::bench {
namespace {

constexpr std::array<const char*, 3> kPolicies{"muster", "nearest", "first-fit"};
constexpr uint64_t kMostWork = 400'000'000;  // members × hosts × rounds of one row

using Placement = std::optional<std::vector<Assignment>>;

struct Policy {
  std::vector<double> micros;
  uint32_t fits = 0;      // where the solver's answer is a placement
  std::size_t racks = 0;  // used, over rounds in which all three placed the group
};

struct Row {
  uint32_t hosts = 0;
  Family family{};
  uint32_t members = 0;
  uint32_t rounds = 0;
  uint32_t possible = 0;  // the solver placed the group; every other answer was a certified no
  uint32_t undecided = 0;
  std::array<Policy, kPolicies.size()> policies;

  [[nodiscard]] bool has_time() const {
    return rounds == 0 || uint64_t{members} * hosts * (rounds + 1) <= kMostWork;
  }
  // Of what the solver places, what the policy refuses.
  [[nodiscard]] double false_no_percent(const Policy& policy) const {
    return possible == 0 ? 0 : 100.0 * (possible - policy.fits) / possible;
  }
  // None where no group was placed by all three.
  [[nodiscard]] std::optional<double> racks_to_muster(const Policy& policy) const {
    if (policies[0].racks == 0) return std::nullopt;
    return static_cast<double>(policy.racks) / static_cast<double>(policies[0].racks);
  }
};

std::size_t racks(const std::vector<Assignment>& placement, const Topology& topology) {
  std::set<DomainId> used;
  for (const Assignment& it : placement) used.insert(topology.leaf_domain(it.host));
  return used.size();
}

// What is preferred in the latency's requests is required here, as far as it can be met.
PlacementRequest request_of(const Cluster& cluster, Family family, uint32_t members) {
  PlacementRequest request = make_request(cluster, family, members, true);
  if (request.subgroups[0].preferred.empty() || members > 64) return request;
  request.subgroups[0].required = members <= 8 ? "rack" : "block";
  request.subgroups[0].preferred.clear();
  return request;
}

// One decision by each policy on the same state.
void play(Cluster& cluster, Row& row) {
  const PlacementRequest request = request_of(cluster, row.family, row.members);
  std::array<Placement, kPolicies.size()> placements;
  SolveOptions options;
  options.remedies = false;
  double start = thread_micros();
  const Verdict verdict = solve(request, cluster.state, options);
  row.policies[0].micros.push_back(thread_micros_since(start));
  if (const auto* fits = std::get_if<Fits>(&verdict)) placements[0] = fits->placement;
  for (std::size_t p = 1; p < kPolicies.size(); ++p) {
    PerPod reference(cluster.state);
    start = thread_micros();
    placements[p] = reference.place(request, p == 1 ? PerPodRule::kNearest : PerPodRule::kFirstFit);
    row.policies[p].micros.push_back(thread_micros_since(start));
  }
  ++row.rounds;
  row.undecided += std::holds_alternative<Undecided>(verdict) ? 1 : 0;
  if (!placements[0]) return;
  ++row.possible;
  const bool all = std::all_of(placements.begin(), placements.end(), [](const auto& it) { return !!it; });
  for (std::size_t p = 0; p < kPolicies.size(); ++p) {
    row.policies[p].fits += placements[p] ? 1 : 0;
    if (all) row.policies[p].racks += racks(*placements[p], cluster.state.topology());
  }
}

void print(const Row& row) {
  fmt::print("{:>7} {:<15} {:>6} {:>5}/{:<5}", row.hosts, to_string(row.family), row.members, row.possible,
             row.rounds);
  for (const Policy& policy : row.policies) {
    const auto racks = row.racks_to_muster(policy);
    fmt::print(" |{:>10.1f} {:>6.1f} {:>6}", percentile(policy.micros, 0.5), row.false_no_percent(policy),
               racks ? fmt::format("{:.2f}", *racks) : "-");
  }
  fmt::print("\n");
  std::fflush(stdout);
}

Json to_json(const Row& row) {
  Json policies = Json::array();
  for (std::size_t p = 0; p < kPolicies.size(); ++p) {
    const Policy& policy = row.policies[p];
    const auto racks = row.racks_to_muster(policy);
    policies.push_back({{"policy", kPolicies[p]},
                        {"p50_us", percentile(policy.micros, 0.5)},
                        {"p99_us", percentile(policy.micros, 0.99)},
                        {"falseNo_pct", row.false_no_percent(policy)},
                        {"racksToMuster", racks ? Json(*racks) : Json()}});
  }
  return {{"hosts", row.hosts},
          {"family", to_string(row.family)},
          {"members", row.members},
          {"rounds", row.rounds},
          {"possible", row.possible},
          {"undecided", row.undecided},
          {"policies", std::move(policies)}};
}

std::vector<Row> rows_of(uint32_t hosts) {
  std::vector<Row> rows;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const uint32_t members : {8U, 64U, 1'024U})
      if (members * 2 <= hosts) rows.push_back({hosts, static_cast<Family>(f), members, 0, 0, 0, {}});
  }
  return rows;
}

}  // namespace

void print_reference_head() {
  fmt::print("\n{:<42}", "");
  for (const char* policy : kPolicies) fmt::print(" | {:<24}", policy);
  fmt::print("\n{:>7} {:<15} {:>6} {:<11}", "hosts", "family", "member", "  fit/asked");
  for (std::size_t p = 0; p < kPolicies.size(); ++p)
    fmt::print(" |{:>10} {:>6} {:>6}", "p50 µs", "no* %", "racks");
  fmt::print("\n");
}

Json measure_references(uint32_t hosts, uint64_t seed, uint32_t rounds) {
  std::vector<Row> rows = rows_of(hosts);
  for (uint32_t round = 0; round < rounds; ++round) {
    const Cluster fresh = make_cluster(hosts, seed + round);
    for (Row& row : rows) {
      if (!row.has_time()) continue;
      Cluster cluster = fresh;  // which knows nothing of the shapes of other rows
      play(cluster, row);
    }
  }
  Json text = Json::array();
  for (const Row& row : rows) {
    print(row);
    text.push_back(to_json(row));
  }
  return text;
}

void print_reference_foot() {
  fmt::print("* refused although the solver has a placement; racks: divided by the solver's\n");
}

}  // namespace muster::bench
