// Which hosts identical members in slices get, down from the coarsest level.
#include <catch2/catch.hpp>
#include <set>

#include "muster/solver.h"
#include "support/builders.h"

using namespace muster;
using namespace muster::test;

namespace {

// Hosts by rack, with so many GPUs free each.
Bench racks_of(const std::vector<std::vector<int64_t>>& racks) {
  std::vector<HostPlan> plans;
  for (std::size_t rack = 0; rack < racks.size(); ++rack)
    for (const int64_t free : racks[rack])
      plans.push_back({{"b", "r" + std::to_string(rack)}, free, 64'000, ""});
  return make_cluster(block_rack_spec(), plans);
}

std::vector<HostIndex> hosts_of(const PlacementRequest& request, Bench& bench) {
  const Verdict verdict = solve(request, bench.state);
  INFO(describe(verdict, request, bench.state));
  REQUIRE(std::holds_alternative<Fits>(verdict));
  std::vector<HostIndex> hosts;
  for (const Assignment& it : std::get<Fits>(verdict).placement) hosts.push_back(it.host);
  return hosts;
}

std::size_t different(const std::vector<HostIndex>& hosts) {
  return std::set<HostIndex>(hosts.begin(), hosts.end()).size();
}

}  // namespace

TEST_CASE("slices: of racks that hold one each, those where it needs fewest hosts are taken") {
  auto bench = racks_of({{1, 1, 1, 1}, {4}, {2, 2}, {1, 3}});
  auto request = identical(8, {{bench.gpu, 1}});
  request.subgroups[0].slices = {{4, "rack"}};
  CHECK(different(hosts_of(request, bench)) == 3);
}

TEST_CASE("slices: two in one rack of many hosts are better than one each in two racks of one") {
  auto bench = racks_of({{2, 1, 1, 1, 1, 1, 1}, {4}, {4}});
  auto request = identical(8, {{bench.gpu, 1}});
  request.subgroups[0].required = "block";
  request.subgroups[0].slices = {{4, "rack"}};
  const auto hosts = hosts_of(request, bench);
  CHECK(different(hosts) == 7);
}

TEST_CASE("slices: on hosts within slices on racks, consecutive ranks stay together") {
  auto bench = racks_of({{3, 3, 3}, {2, 2, 5}, {4, 4}});
  auto request = identical(8, {{bench.gpu, 1}});
  request.subgroups[0].slices = {{4, "rack"}, {2, "host"}};
  const auto hosts = hosts_of(request, bench);
  const Topology& topology = bench.state.topology();
  CHECK(different(hosts) == 2);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    CHECK(hosts[i] == hosts[i / 2 * 2]);
    CHECK(topology.leaf_domain(hosts[i]) == topology.leaf_domain(hosts[i / 4 * 4]));
  }
}
