// Cases that users of other schedulers complained about, re-derived in the core's terms.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "muster/solver.h"
#include "support/builders.h"

using namespace muster;
using namespace muster::test;

namespace {

Verdict decide(const PlacementRequest& request, ClusterState& state) {
  const auto valid = validate(request, state);
  if (!valid) FAIL(valid.error().message);
  return solve(request, state);
}
bool fits(const PlacementRequest& request, ClusterState& state) {
  const Verdict verdict = decide(request, state);
  INFO(describe(verdict, request, state));
  REQUIRE_FALSE(std::holds_alternative<Undecided>(verdict));
  return std::holds_alternative<Fits>(verdict);
}

Bench one_rack(const std::vector<int64_t>& gpus) {
  std::vector<HostPlan> plans;
  for (const int64_t free : gpus) plans.push_back({{"b", "r"}, free, 64'000, ""});
  return make_cluster(block_rack_spec(), plans);
}

PlacementRequest mixed(const Bench& bench, const std::vector<int64_t>& gpus, std::string required = "") {
  PlacementRequest request;
  for (const int64_t size : gpus) add_members(request, 1, {{bench.gpu, size}});
  request.subgroups[0].required = std::move(required);
  return request;
}

}  // namespace

TEST_CASE("cases: a sum that suffices is no placement (U1)") {
  auto bench = one_rack({6, 2, 2, 2});
  CHECK_FALSE(fits(identical(3, {{bench.gpu, 4}}), bench.state));
}

TEST_CASE("cases: twelve members on ten hosts fit only with a minimum of ten (U2)") {
  auto bench = make_grid(1, 1, 10, 1);
  auto request = identical(12, {{bench.gpu, 1}});
  CHECK_FALSE(fits(request, bench.state));
  request.subgroups[0].minimum = 10;
  CHECK(fits(request, bench.state));
}

TEST_CASE("cases: leader and workers that fit to the last unit (U5)") {
  auto bench = one_rack({2, 4, 3});
  CHECK(fits(mixed(bench, {1, 2, 2, 2, 2}), bench.state));
  CHECK_FALSE(fits(mixed(bench, {1, 1, 2, 2, 2, 2}), bench.state));
}

TEST_CASE("cases: groups packed one after another leave room for the next (U6)") {
  auto bench = make_grid(1, 1, 2);
  for (const int64_t size : {4, 4, 6}) {
    const auto request = identical(1, {{bench.gpu, size}});
    const auto verdict = decide(request, bench.state);
    REQUIRE(std::holds_alternative<Fits>(verdict));
    charge_placement(request, std::get<Fits>(verdict).placement, bench.state);
  }
}

TEST_CASE(
    "cases: slices of twelve take twelve hosts in each block, never seventeen, seventeen and two (U7)") {
  auto bench = make_grid(3, 1, 17);
  auto request = identical(36, {{bench.gpu, 8}});
  request.subgroups[0].slices = {{12, "block"}};
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  std::map<DomainId, int> members;
  const auto block = *bench.state.topology().find_level("block");
  for (const auto& it : std::get<Fits>(verdict).placement)
    ++members[bench.state.topology().domain_of(it.host, block)];
  REQUIRE(members.size() == 3);
  for (const auto& [domain, count] : members) CHECK(count == 12);
}

TEST_CASE("cases: two members do not fit a rack of one host, and an unknown level is refused (U8)") {
  auto bench = make_grid(1, 3, 1);
  CHECK_FALSE(fits(identical(2, {{bench.gpu, 8}}, "rack"), bench.state));
  const auto valid = validate(identical(2, {{bench.gpu, 8}}, "rak"), bench.state);
  REQUIRE_FALSE(valid.has_value());
  CHECK(valid.error().message == "topologyRequired: unknown level \"rak\" (levels: block, rack, host)");
}

TEST_CASE("cases: one large and seven small members on two free hosts (U9)") {
  auto bench = make_grid(1, 1, 2);
  CHECK(fits(mixed(bench, {8, 1, 1, 1, 1, 1, 1, 1}, "rack"), bench.state));
  CHECK(fits(mixed(bench, {1, 1, 1, 1, 1, 1, 1, 1, 8}, "rack"), bench.state));
}

TEST_CASE("cases: sizes that a single pass misses (U10)") {
  auto bench = one_rack({3, 3});
  CHECK(fits(mixed(bench, {1, 1, 2, 2}), bench.state));
  auto other = one_rack({3, 4});
  CHECK(fits(mixed(other, {2, 2, 3}), other.state));
}

TEST_CASE("cases: a hundred slices take a rack each (U11)") {
  auto bench = make_grid(1, 100, 10);
  auto request = identical(1000, {{bench.gpu, 8}});
  request.subgroups[0].slices = {{10, "rack"}};
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  const auto& placement = std::get<Fits>(verdict).placement;
  for (std::size_t i = 0; i < placement.size(); ++i)
    CHECK(bench.state.topology().leaf_domain(placement[i].host) ==
          bench.state.topology().leaf_domain(placement[i / 10 * 10].host));
}

TEST_CASE("cases: two roles on node sets of which one lies inside the other (U13)") {
  auto bench = make_grid(1, 1, 10);
  const NodeSetId half = bench.state.add_node_set(Exclusion::kSelector);
  for (uint32_t h = 0; h < 5; ++h) bench.state.set_eligible(half, HostIndex{h}, true);
  PlacementRequest request;
  add_members(request, 5, {{bench.gpu, 8}});
  add_members(request, 5, {{bench.gpu, 8}}, half);
  CHECK(fits(request, bench.state));
  add_members(request, 1, {{bench.gpu, 8}}, half);
  CHECK_FALSE(fits(request, bench.state));
}

TEST_CASE("cases: a replacement joins its group's domain, and nothing outside (U15)") {
  auto bench = make_grid(1, 2, 4);
  auto request = identical(4, {{bench.gpu, 8}}, "rack");
  request.subgroups[0].minimum = 4;
  for (uint32_t m = 0; m < 3; ++m) {
    request.members[m].bound = HostIndex{4 + m};
    bench.state.charge(HostIndex{4 + m}, {{bench.gpu, 8}});
  }
  auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placement == std::vector<Assignment>{{3, HostIndex{7}}});
  bench.state.charge(HostIndex{7}, {{bench.gpu, 1}});
  CHECK(std::holds_alternative<CertifiedNo>(decide(request, bench.state)));
}

TEST_CASE("cases: two lost members of five hundred are placed again, the others stay (U18)") {
  auto bench = make_grid(1, 1, 502);
  auto request = identical(500, {{bench.gpu, 8}}, "block");
  for (uint32_t m = 0; m < 498; ++m) {
    request.members[m].bound = HostIndex{m};
    bench.state.charge(HostIndex{m}, {{bench.gpu, 8}}, OwnerId{1});
  }
  bench.state.set_status(HostIndex{498}, Exclusion::kNotReady);
  bench.state.set_status(HostIndex{499}, Exclusion::kNotReady);
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placement ==
        std::vector<Assignment>{{498, HostIndex{500}}, {499, HostIndex{501}}});
}

TEST_CASE("cases: two subgroups share out two racks that a tightest-first order gives away") {
  std::vector<HostPlan> plans;
  for (int h = 0; h < 4; ++h) plans.push_back({{"b", "r1"}, 8, 64'000, ""});
  for (int h = 0; h < 40; ++h) plans.push_back({{"b", "r2"}, 1, 64'000, ""});
  auto bench = make_cluster(block_rack_spec(), plans);
  PlacementRequest request;
  request.subgroups.resize(3);
  request.subgroups[1].name = "a";
  request.subgroups[2].name = "b";
  request.subgroups[1].required = request.subgroups[2].required = "rack";
  add_members(request, 4, {{bench.gpu, 1}}, kEveryHost, 1);
  add_members(request, 4, {{bench.gpu, 8}}, kEveryHost, 2);
  CHECK(fits(request, bench.state));
  // The same inside one required block, which makes the pair compete as well.
  request.subgroups[0].required = "block";
  CHECK(fits(request, bench.state));
}

TEST_CASE("cases: sixteen replicas with a rack each leave the other half out when half have to stand") {
  auto bench = make_grid(2, 4, 2);
  PlacementRequest request;
  request.subgroups[0].min_subgroups = 8;
  for (uint32_t s = 1; s <= 16; ++s) {
    SubGroup replica;
    replica.name = fmt::format("replica-{}", s);
    replica.required = "rack";
    replica.exclusive = "rack";
    replica.minimum = 2;
    request.subgroups.push_back(replica);
    add_members(request, 2, {{bench.gpu, 8}}, kEveryHost, s);
  }
  const auto verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placed == 16);
  request.subgroups[0].min_subgroups = 9;
  CHECK_FALSE(fits(request, bench.state));
}

TEST_CASE("cases: an exclusive group keeps others out of its rack and stays out of theirs") {
  auto bench = make_grid(1, 2, 2);
  auto first = identical(1, {{bench.gpu, 1}});
  first.subgroups[0].owner = OwnerId{1};
  first.subgroups[0].exclusive = "rack";
  const auto verdict = decide(first, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  charge_placement(first, std::get<Fits>(verdict).placement, bench.state);
  auto second = identical(3, {{bench.gpu, 8}});
  second.subgroups[0].owner = OwnerId{2};
  CHECK_FALSE(fits(second, bench.state));
  auto third = identical(2, {{bench.gpu, 8}});
  third.subgroups[0].owner = OwnerId{2};
  CHECK(fits(third, bench.state));
}
