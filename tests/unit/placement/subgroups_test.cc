// Subgroups that differ in everything, and more of them than tables can count.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>

#include "muster/checker.h"
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

// Subgroups with a rack each, no two of them alike; 30 to 51 members, of which 20 have to stand.
PlacementRequest different(const Bench& bench, uint32_t subgroups) {
  PlacementRequest request;
  for (uint32_t s = 1; s <= subgroups; ++s) {
    SubGroup subgroup;
    subgroup.name = fmt::format("s{}", s);
    subgroup.required = "rack";
    subgroup.minimum = 20;
    request.subgroups.push_back(subgroup);
    add_members(request, 30 + 3 * (s % 8), {{bench.gpu, 1 + s % 4}, {bench.cpu, 100 * s}}, kEveryHost, s);
  }
  request.subgroups[0].minimum = 20 * subgroups;
  return request;
}

}  // namespace

TEST_CASE("subgroups: eight large elastic ones, no two alike, are placed whole where racks are large") {
  auto bench = make_grid(4, 10, 26);
  const auto request = different(bench, 8);
  const auto verdict = decide(request, bench.state);
  INFO(describe(verdict, request, bench.state));
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placed == request.members.size());
}

TEST_CASE("subgroups: forty that differ, on racks too small for all of their members") {
  auto bench = make_grid(4, 10, 10);  // 80 GPUs a rack
  const auto request = different(bench, 40);
  const auto verdict = decide(request, bench.state);
  INFO(describe(verdict, request, bench.state));
  REQUIRE(std::holds_alternative<Fits>(verdict));
  CHECK(std::get<Fits>(verdict).placed >= 800);
}

TEST_CASE("subgroups: one that no rack can hold is a no, whatever the others do") {
  auto bench = make_grid(4, 10, 9);  // s2 needs room for 20 × 3 GPUs, two a host
  const auto request = different(bench, 8);
  const auto verdict = decide(request, bench.state);
  INFO(describe(verdict, request, bench.state));
  REQUIRE(std::holds_alternative<CertifiedNo>(verdict));
  CHECK(std::get<CertifiedNo>(verdict).reason.subgroup == "s2");
}

TEST_CASE("subgroups: minima that ask for more than the cluster has are a no") {
  auto bench = make_grid(1, 4, 12);  // 384 GPUs; eight subgroups need 20 × 20 at least
  const auto request = different(bench, 8);
  const auto verdict = decide(request, bench.state);
  INFO(describe(verdict, request, bench.state));
  CHECK(std::holds_alternative<CertifiedNo>(verdict));
}

TEST_CASE("subgroups: two exclusive ones without a required level share out the racks") {
  auto bench = make_grid(1, 4, 2);
  PlacementRequest request;
  for (uint32_t s = 1; s <= 2; ++s) {
    SubGroup subgroup;
    subgroup.name = fmt::format("s{}", s);
    subgroup.exclusive = "rack";
    request.subgroups.push_back(subgroup);
    add_members(request, s == 1 ? 12 : 4, {{bench.gpu, s == 1 ? 4 : 8}}, kEveryHost, s);
  }
  auto verdict = decide(request, bench.state);
  INFO(describe(verdict, request, bench.state));
  REQUIRE(std::holds_alternative<CertifiedNo>(verdict));  // three racks and two are more than four
  request.subgroups[0].minimum = 12;
  verdict = decide(request, bench.state);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  request.subgroups[0].minimum.reset();
  bench = make_grid(1, 5, 2);
  verdict = decide(request, bench.state);
  CHECK(std::holds_alternative<Fits>(verdict));
}

TEST_CASE(
    "subgroups: slices of racks inside a subgroup that prefers one host are on one host where one has room") {
  auto bench = make_grid(1, 2, 3);
  PlacementRequest request;
  request.subgroups.resize(3);
  request.subgroups[1].name = "outer";
  request.subgroups[1].preferred = "host";
  request.subgroups[2].name = "inner";
  request.subgroups[2].parent = 1;
  request.subgroups[2].slices = {{2, "rack"}};
  add_members(request, 2, {{bench.gpu, 2}}, kEveryHost, 2);
  add_members(request, 2, {{bench.gpu, 1}}, kEveryHost, 1);
  add_members(request, 2, {{bench.gpu, 5}}, kEveryHost, 0);  // with them two hosts would do for all
  const auto verdict = decide(request, bench.state);
  INFO(describe(verdict, request, bench.state));
  REQUIRE(std::holds_alternative<Fits>(verdict));
  std::set<HostIndex> hosts;
  for (const Assignment& it : std::get<Fits>(verdict).placement)
    if (it.member < 4) hosts.insert(it.host);
  CHECK(hosts.size() == 1);
}
