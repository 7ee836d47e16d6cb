#include "sim/simulator.h"

#include <catch2/catch.hpp>
#include <string>

#include "sim/cluster.h"

using namespace muster;
using namespace muster::sim;

namespace {

constexpr Layout kSmall{"small", 8, 2, 2};  // racks of two hosts, blocks of two racks

Scenario cluster_of(uint32_t hosts) {
  Scenario scenario;
  scenario.options.trees = block_and_rack();
  scenario.nodes = make_nodes(kSmall, hosts);
  return scenario;
}

Result<Outcome> play(const Scenario& scenario, const std::string& lines) {
  const Result<Trace> trace = read_trace("time,members,gpus,duration,priority,constraint\n" + lines, "t.csv");
  REQUIRE(trace);
  return simulate(scenario, *trace, [] { return 0.0; });
}

std::vector<int64_t> waits(const Outcome& outcome) {
  std::vector<int64_t> seconds;
  for (const auto& wait : outcome.waits) seconds.push_back(wait ? wait->count() / 1'000 : -1);
  return seconds;
}

}  // namespace

TEST_CASE("simulator: a group waits until all of its members have room, and holds nothing meanwhile") {
  const Result<Outcome> outcome = play(cluster_of(4),
                                       "0,3,8,100,,\n"
                                       "1,2,8,10,,\n"    // one host is free: waits for the first to end
                                       "2,1,8,20,,\n");  // which this one may have, as nobody holds it
  REQUIRE(outcome);
  CHECK(waits(*outcome) == std::vector<int64_t>{0, 99, 0});
  CHECK(outcome->hosts == 4);
  CHECK(outcome->gpus == 32);
}

TEST_CASE("simulator: the group of the higher priority comes first, then the older one") {
  const Result<Outcome> outcome = play(cluster_of(1),
                                       "0,1,8,100,,\n"
                                       "1,1,8,10,1,\n"
                                       "2,1,8,10,1,\n"
                                       "3,1,8,10,5,\n");
  REQUIRE(outcome);
  CHECK(waits(*outcome) == std::vector<int64_t>{0, 109, 118, 97});
}

TEST_CASE("simulator: groups run from the moment all are bound, and the binding may take its time") {
  Scenario scenario = cluster_of(1);
  scenario.bind_delay = Duration(5'000);
  const Result<Outcome> outcome = play(scenario, "0,2,4,10,,\n1,1,8,10,,\n");
  REQUIRE(outcome);
  CHECK(waits(*outcome) == std::vector<int64_t>{5, 19});
}

TEST_CASE("simulator: a plan that is bound too late gives back what it holds, and is tried again") {
  Scenario scenario = cluster_of(1);
  scenario.bind_delay = Duration(5'000);
  scenario.options.groups.hold_timeout = Duration(4'000);
  const Result<Outcome> outcome = play(scenario, "0,2,4,10,,\n");
  REQUIRE(outcome);
  CHECK(waits(*outcome) == std::vector<int64_t>{-1});
  CHECK(outcome->decisions > 10);
}

TEST_CASE("simulator: a group that never fits is given up, and the others go on") {
  const Result<Outcome> outcome = play(cluster_of(4), "0,5,8,1,,\n1,2,8,200000,,\n2,4,8,1,,\n");
  REQUIRE(outcome);
  CHECK(waits(*outcome) == std::vector<int64_t>{-1, 0, 199'999});
}

TEST_CASE("simulator: a rejected group ends the run with its line and the reason") {
  const Result<Outcome> outcome = play(cluster_of(4), "0,1,8,1,,\n1,2,8,1,,topology-required=row\n");
  REQUIRE_FALSE(outcome);
  CHECK_THAT(outcome.error().message,
             Catch::StartsWith("line 3: ") && Catch::Contains("topology-required") && Catch::Contains("row"));
}

TEST_CASE("simulator: nodes that cannot be used and pods that stay are not room") {
  Scenario scenario = cluster_of(3);
  scenario.nodes[0].unschedulable = true;
  kube::Pod pod;
  pod.ns = "default";
  pod.name = pod.uid = "standing";
  pod.node_name = "n1";
  pod.requests.set(kGpu, 2);
  scenario.pods.push_back(pod);
  const Result<Outcome> outcome = play(scenario, "0,1,8,50,,\n0,1,6,50,,\n1,1,1,50,,\n");
  REQUIRE(outcome);
  CHECK(outcome->hosts == 2);
  CHECK(outcome->gpus == 14);
  CHECK(waits(*outcome) == std::vector<int64_t>{0, 0, 49});
  CHECK(outcome->allocation == Approx(1.0));
}

TEST_CASE("simulator: allocation and partly used hosts are means over time") {
  // From 0 to 10 half of one host of two, from 10 to 20 all of both; the last placement is at 20.
  const Result<Outcome> outcome = play(cluster_of(2), "0,1,4,20,,\n10,1,4,10,,\n10,1,8,10,,\n20,1,1,5,,\n");
  REQUIRE(outcome);
  CHECK(waits(*outcome) == std::vector<int64_t>{0, 0, 0, 0});
  CHECK(outcome->allocation == Approx((10 * 4 + 10 * 16) / (20.0 * 16)));
  CHECK(outcome->partly_used == Approx(0.25));
}

TEST_CASE("simulator: the span is compared with the least that was possible at that moment") {
  // The first takes half a rack. Then two members fit into one rack, although not into the first.
  const Result<Outcome> outcome = play(cluster_of(4), "0,1,8,100,,\n1,2,8,100,,topology-required=rack\n");
  REQUIRE(outcome);
  REQUIRE(outcome->levels.size() == 2);
  CHECK(outcome->levels[1].name == "rack");
  CHECK(outcome->levels[1].excess_span == Approx(1.0));
  CHECK(outcome->levels[0].fragmentation == std::nullopt);
  // Before the first there is no waste; before the second one host of a rack of two is left over.
  CHECK(outcome->levels[1].fragmentation == Approx((0 + 1.0 / 3) / 2));
}

TEST_CASE("simulator: the same scenario has the same outcome") {
  std::string lines;
  for (int i = 0; i < 200; ++i)
    lines += fmt::format("{},{},{},{},{},\n", i, 1 + i * 7 % 5, 1 + i * 3 % 8, 20 + i * 11 % 60, i % 3);
  const Result<Outcome> one = play(cluster_of(12), lines);
  const Result<Outcome> other = play(cluster_of(12), lines);
  REQUIRE(one);
  REQUIRE(other);
  CHECK(one->waits == other->waits);
  CHECK(one->steps == other->steps);
  CHECK(one->allocation == other->allocation);
  CHECK(std::count(one->waits.begin(), one->waits.end(), std::nullopt) == 0);
}
