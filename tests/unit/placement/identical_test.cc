#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "muster/checker.h"
#include "muster/solver.h"
#include "placement/unit_packer.h"
#include "support/builders.h"

using namespace muster;
using namespace muster::test;

namespace {

Verdict decide(const PlacementRequest& request, ClusterState& state) {
  const auto valid = validate(request, state);
  if (!valid) FAIL(valid.error().message);
  return solve(request, state);
}

std::set<DomainId> domains(const Fits& fits, const ClusterState& state, std::string_view level) {
  std::set<DomainId> all;
  for (const auto& it : fits.placement)
    all.insert(state.topology().domain_of(it.host, *state.topology().find_level(level)));
  return all;
}

}  // namespace

TEST_CASE("identical: a group goes into the tightest rack that holds it whole") {
  auto bench = make_grid(2, 2, 4);
  for (uint32_t h = 4; h < 8; ++h) bench.state.charge(HostIndex{h}, {{bench.gpu, h == 4 ? 8 : 0}});
  const auto verdict = decide(identical(3, {{bench.gpu, 8}}, "rack"), bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  const auto& fits = std::get<Fits>(verdict);
  CHECK(bench.state.topology().describe(fits.domain) == "rack b0/r1");
  CHECK(fits.placed == 3);
}

TEST_CASE("identical: preferred climbs level by level and not above required") {
  auto bench = make_grid(2, 2, 2);
  auto request = identical(3, {{bench.gpu, 8}}, "block", "rack");
  auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(bench.state.topology().level_name(std::get<Fits>(verdict).level) == "block");
  verdict = decide(identical(5, {{bench.gpu, 8}}, "block", "rack"), bench.state);
  CHECK(std::holds_alternative<CertifiedNo>(verdict));
  verdict = decide(identical(5, {{bench.gpu, 8}}, "", "rack"), bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).domain == kClusterDomain);
}

TEST_CASE("identical: more members than the minimum are placed as far as there is room") {
  auto bench = make_grid(1, 1, 4);
  auto request = identical(6, {{bench.gpu, 8}});
  CHECK(std::holds_alternative<CertifiedNo>(decide(request, bench.state)));
  request.subgroups[0].minimum = 3;
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placed == 4);
  for (uint32_t i = 0; i < 4; ++i) CHECK(std::get<Fits>(verdict).placement[i].member == i);
  request.subgroups[0].minimum = 5;
  CHECK(std::holds_alternative<CertifiedNo>(decide(request, bench.state)));
}

TEST_CASE("identical: fewest blocks come before fewest racks, and fewest racks before fewest hosts") {
  // Block a: ten racks with one free slot; block b: two racks with six. Ten members belong in b.
  std::vector<HostPlan> plans;
  for (int r = 0; r < 10; ++r) plans.push_back({{"a", fmt::format("r{}", r)}, 8, 64'000, ""});
  for (int r = 0; r < 2; ++r)
    for (int h = 0; h < 6; ++h) plans.push_back({{"b", fmt::format("r{}", r)}, 8, 64'000, ""});
  auto bench = make_cluster(block_rack_spec(), plans);
  const auto verdict = decide(identical(10, {{bench.gpu, 8}}, "block"), bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(domains(std::get<Fits>(verdict), bench.state, "rack").size() == 2);
}

TEST_CASE(
    "identical: of all domains of the level the cheapest is chosen, the first of the tightest among equals") {
  std::mt19937 random(3);
  std::map<std::string, int> chosen;
  for (int round = 0; round < 600; ++round) {
    auto bench = make_grid(6, 4, 5, 4);
    const auto at_most = [&](uint32_t most) { return static_cast<uint32_t>(random() % (most + 1)); };
    const uint32_t load = at_most(100);
    const bool whole_hosts = round % 2 == 0;
    for (uint32_t h = 0; h < 120; ++h)
      if (at_most(99) < load)
        bench.state.charge(HostIndex{h}, {{bench.gpu, whole_hosts ? 4 : at_most(4)}}, OwnerId{1});
    const uint32_t members = 1 + at_most(12);
    const auto request = identical(members, {{bench.gpu, whole_hosts ? 4 : 1 + at_most(1)}}, "block", "rack");
    const auto verdict = decide(request, bench.state);
    const auto* fits = std::get_if<Fits>(&verdict);
    if (fits == nullptr) continue;

    placement::Problem problem(request, bench.state);
    const placement::Units units(problem.topology, problem.rooms(0));
    placement::UnitPacker packer(problem, units, fits->level, 0, members);
    using Order = std::tuple<int64_t, int64_t, DomainId>;
    std::optional<Order> best;
    const DomainRange range = problem.topology.domains(fits->level);
    for (uint32_t i = range.first; i < range.last; ++i) {
      const auto domain = static_cast<DomainId>(i);
      if (units.room(domain) < members) continue;
      const Order order{packer.least_cost(domain), units.room(domain), domain};
      REQUIRE(packer.bound(domain) <= std::get<0>(order));
      if (!best || order < *best) best = order;
    }
    INFO("round " << round << ", " << members << " members");
    REQUIRE(best.has_value());
    REQUIRE(fits->domain == std::get<2>(*best));
    ++chosen[std::string(problem.topology.level_name(fits->level))];
  }
  CHECK(chosen["rack"] > 100);
  CHECK(chosen["block"] > 50);
}

TEST_CASE("identical: a rack in use is taken before one that is entirely free") {
  auto bench = make_grid(1, 3, 2);
  bench.state.charge(HostIndex{2}, {{bench.gpu, 8}}, OwnerId{1});
  const auto verdict = decide(identical(1, {{bench.gpu, 8}}), bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placement[0].host == HostIndex{3});
}

TEST_CASE("identical: the last host is the tightest that suffices, so that large holes stay") {
  auto bench = make_grid(1, 1, 3);
  bench.state.charge(HostIndex{1}, {{bench.gpu, 6}});
  const auto verdict = decide(identical(2, {{bench.gpu, 1}}), bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  for (const auto& it : std::get<Fits>(verdict).placement) CHECK(it.host == HostIndex{1});
}

TEST_CASE("identical: ranks follow the hosts' depth-first order") {
  auto bench = make_grid(2, 2, 2);
  auto request = identical(16, {{bench.gpu, 4}});
  for (uint32_t i = 0; i < 16; ++i) request.members[i].rank = 15 - static_cast<int64_t>(i);
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  const auto& placement = std::get<Fits>(verdict).placement;
  for (std::size_t i = 0; i < placement.size(); ++i) {
    CHECK(placement[i].member == 15 - i);
    CHECK(placement[i].host == HostIndex{static_cast<uint32_t>(i / 2)});
  }
}

TEST_CASE("identical: refused hosts, foreign node sets and closed hosts are left out") {
  auto bench = make_grid(1, 1, 4);
  const NodeSetId set = bench.state.add_node_set();
  bench.state.set_eligible(set, HostIndex{0}, Exclusion::kTainted);
  bench.state.set_status(HostIndex{1}, Exclusion::kNotReady);
  PlacementRequest request;
  add_members(request, 1, {{bench.gpu, 1}}, set);
  request.refusals.push_back({0, HostIndex{2}});
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placement[0].host == HostIndex{3});
  request.refusals.push_back({0, HostIndex{3}});
  CHECK(std::holds_alternative<CertifiedNo>(decide(request, bench.state)));
}

TEST_CASE("identical: bound members hold the group in their domain") {
  auto bench = make_grid(1, 2, 2);
  auto request = identical(3, {{bench.gpu, 8}}, "rack");
  request.subgroups[0].minimum = 2;
  request.members[0].bound = HostIndex{2};
  bench.state.charge(HostIndex{2}, {{bench.gpu, 8}});
  auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  REQUIRE(std::get<Fits>(verdict).placement.size() == 1);
  CHECK(std::get<Fits>(verdict).placement[0].host == HostIndex{3});
  request.members[1].bound = HostIndex{0};
  verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<CertifiedNo>(verdict));
  CHECK(std::get<CertifiedNo>(verdict).reason.code == NoCode::kBoundMembers);
}

TEST_CASE("identical: a host without a rack label serves no group that requires a rack") {
  auto bench =
      make_cluster(block_rack_spec(), {{{"b", ""}, 8, 64'000, "loose"}, {{"b", "r"}, 4, 64'000, "in"}});
  CHECK(std::holds_alternative<CertifiedNo>(decide(identical(1, {{bench.gpu, 8}}, "rack"), bench.state)));
  CHECK(std::holds_alternative<Fits>(decide(identical(1, {{bench.gpu, 8}}, "block"), bench.state)));
  CHECK(std::holds_alternative<Fits>(decide(identical(1, {{bench.gpu, 4}}, "rack"), bench.state)));
}

TEST_CASE("identical: required host puts all members on one host") {
  auto bench = make_grid(1, 1, 2);
  bench.state.charge(HostIndex{0}, {{bench.gpu, 4}});
  const auto verdict = decide(identical(6, {{bench.gpu, 1}}, "host"), bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(domains(std::get<Fits>(verdict), bench.state, "host").size() == 1);
  CHECK(std::holds_alternative<CertifiedNo>(decide(identical(9, {{bench.gpu, 1}}, "host"), bench.state)));
}

TEST_CASE("reason: it names the nearest miss in numbers a person can act on") {
  auto bench = make_grid(2, 2, 19);
  auto& state = bench.state;
  const NodeSetId set = state.add_node_set();
  // Rack b1/r1: two hosts in use, two tainted, one not ready; the other racks are busier.
  const uint32_t base = 3 * 19;
  for (uint32_t h = 0; h < base; ++h)
    if (h % 19 > 3) state.charge(HostIndex{h}, {{bench.gpu, 8}});
  for (uint32_t h = 0; h < 2; ++h) state.charge(HostIndex{base + h}, {{bench.gpu, 8}});
  for (uint32_t h = 2; h < 4; ++h) state.set_eligible(set, HostIndex{base + h}, Exclusion::kTainted);
  state.set_status(HostIndex{base + 4}, Exclusion::kNotReady);
  PlacementRequest request;
  add_members(request, 16, {{bench.gpu, 8}}, set);
  request.subgroups[0].required = "rack";
  SolveOptions options;
  options.remedies = false;
  const auto verdict = solve(request, state, options);
  REQUIRE(std::holds_alternative<CertifiedNo>(verdict));
  CHECK(describe(verdict, request, state) ==
        "rack b1/r1 holds 14 of 16: nvidia.com/gpu short by 16 on 2 hosts; 3 hosts excluded: tainted (2), "
        "not ready (1)");
}

TEST_CASE("reason: a group is worth another try only when a host it may use has gained room") {
  auto bench = make_grid(1, 2, 1);
  auto& state = bench.state;
  const NodeSetId set = state.add_node_set();
  state.set_eligible(set, HostIndex{1}, Exclusion::kTainted);
  state.charge(HostIndex{0}, {{bench.gpu, 8}});
  state.charge(HostIndex{1}, {{bench.gpu, 8}});
  PlacementRequest request;
  add_members(request, 1, {{bench.gpu, 8}}, set);
  request.subgroups[0].required = "rack";
  const auto verdict = decide(request, state);
  REQUIRE(std::holds_alternative<CertifiedNo>(verdict));
  const Reason& reason = std::get<CertifiedNo>(verdict).reason;
  CHECK_FALSE(worth_another_try(request, reason, state));
  state.uncharge(HostIndex{1}, {{bench.gpu, 8}});
  CHECK_FALSE(worth_another_try(request, reason, state));
  state.uncharge(HostIndex{0}, {{bench.gpu, 8}});
  CHECK(worth_another_try(request, reason, state));
}

TEST_CASE("identical: spread puts members evenly over the domains below, as far as they have room") {
  auto bench = make_grid(1, 4, 2);
  bench.state.charge(HostIndex{0}, {{bench.gpu, 8}});
  bench.state.charge(HostIndex{1}, {{bench.gpu, 7}});
  auto request = identical(10, {{bench.gpu, 1}}, "block");
  request.subgroups[0].placement = Strategy::kSpread;
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  std::map<DomainId, int> members;
  for (const auto& it : std::get<Fits>(verdict).placement)
    ++members[bench.state.topology().leaf_domain(it.host)];
  std::multiset<int> counts;
  for (const auto& [rack, count] : members) counts.insert(count);
  CHECK(counts == std::multiset<int>{1, 3, 3, 3});
}
