// The mix of shapes: what it measures, and which of equal domains it leads to.
#include "muster/mix.h"

#include <catch2/catch.hpp>

#include "muster/solver.h"
#include "support/builders.h"

using namespace muster;
using namespace muster::test;

namespace {

MixShape pod(const Bench& bench, int64_t gpus, int64_t cpu, double weight = 1,
             NodeSetId node_set = kEveryHost) {
  return {{{{{bench.gpu, gpus}, {bench.cpu, cpu}}, node_set, 1}}, weight};
}

Mix mix_of(const Bench& bench, std::vector<MixShape> shapes) {
  return {bench.state, bench.state.topology().host_level(), std::move(shapes)};
}

// In devices.
double fragmentation(Mix& mix, const Bench& bench, const std::string& host) {
  std::vector<int64_t> row(mix.width());
  mix.read(bench.state, bench.host(host), row.data());
  return static_cast<double>(mix.fragmentation(row)) / 1e6;
}

std::string host_of(const PlacementRequest& request, Bench& bench, Mix* mix) {
  REQUIRE(validate(request, bench.state));
  SolveOptions options;
  options.mix = mix;
  const Verdict verdict = solve(request, bench.state, options);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  return bench.state.topology().host_name(std::get<Fits>(verdict).placement.front().host);
}

}  // namespace

TEST_CASE("mix: devices that no shape can use are fragmentation, in units of the largest demand") {
  Bench bench = make_grid(1, 1, 2);
  bench.state.charge(bench.host("n1"), {{bench.gpu, 5}});
  Mix mix = mix_of(bench, {pod(bench, 4, 1'000)});
  CHECK(fragmentation(mix, bench, "n0") == 0);
  // 3 of 4 cannot be used, and are left over as well when the host is filled: 3/4 and a twentieth of it.
  CHECK(fragmentation(mix, bench, "n1") == Approx(0.7875));
}

TEST_CASE("mix: devices beside too little CPU are fragmentation") {
  Bench bench = make_grid(1, 1, 2);
  bench.state.charge(bench.host("n0"), {{bench.cpu, 60'000}});
  bench.state.charge(bench.host("n1"), {{bench.cpu, 40'000}});
  Mix mix = mix_of(bench, {pod(bench, 1, 8'000)});
  CHECK(fragmentation(mix, bench, "n0") == Approx(8 + 8 * 0.05));
  CHECK(fragmentation(mix, bench, "n1") == Approx(5 * 0.05));
}

TEST_CASE("mix: a host that a shape may not use is lost to this shape") {
  Bench bench = make_grid(1, 1, 1);
  const NodeSetId none = bench.state.add_node_set();
  bench.state.set_eligible(none, bench.host("n0"), false);
  Mix mix = mix_of(bench, {pod(bench, 1, 0, 3), pod(bench, 1, 0, 1, none)});
  CHECK(fragmentation(mix, bench, "n0") == Approx(0.25 * 8 * 1.05));
}

TEST_CASE("mix: a shape of several parts needs room for all of them in one domain") {
  Bench bench = make_grid(1, 1, 2, 4);
  MixShape gang{{{{{bench.gpu, 4}}, kEveryHost, 2}}, 1};
  Mix mix(bench.state, *bench.state.topology().find_level("rack"), {gang});
  const auto rows = [&] {
    std::vector<int64_t> all(mix.width() * 2);
    mix.read(bench.state, bench.host("n0"), all.data());
    mix.read(bench.state, bench.host("n1"), all.data() + mix.width());
    return all;
  };
  auto both = rows();
  CHECK(mix.fragmentation(both) == 0);
  bench.state.charge(bench.host("n0"), {{bench.gpu, 1}});
  auto fewer = rows();
  CHECK(mix.fragmentation(fewer) == Approx(7 * 1.05 / 4 * 1e6));
}

TEST_CASE("mix: a small pod goes where large ones have no room, also when that is not the tightest host") {
  Bench bench = make_grid(1, 1, 3);
  bench.state.charge(bench.host("n0"), {{bench.gpu, 4}});
  bench.state.charge(bench.host("n1"), {{bench.gpu, 3}});
  const auto one = identical(1, {{bench.gpu, 1}, {bench.cpu, 1'000}});
  Mix fours = mix_of(bench, {pod(bench, 4, 1'000)});
  Mix none = mix_of(bench, {});
  CHECK(host_of(one, bench, &fours) == "n1");  // four are still there afterwards
  CHECK(host_of(one, bench, &none) == "n0");
  CHECK(host_of(one, bench, nullptr) == "n0");
}

TEST_CASE("mix: a pod without devices keeps away from hosts whose devices need the CPU") {
  Bench bench =
      make_cluster(block_rack_spec(), {{{"b0", "r0"}, 8, 64'000, "a"}, {{"b0", "r0"}, 8, 64'000, "b"}});
  bench.state.charge(bench.host("a"), {{bench.cpu, 1'000}});
  bench.state.charge(bench.host("b"), {{bench.gpu, 8}});
  Mix mix = mix_of(bench, {pod(bench, 1, 7'000)});
  const auto plain = identical(1, {{bench.cpu, 32'000}});
  CHECK(host_of(plain, bench, &mix) == "b");
}

TEST_CASE("mix: a rack that is entirely free stays so while another host is as good") {
  Bench bench = make_grid(1, 2, 2);
  bench.state.charge(bench.host("n3"), {{bench.gpu, 8}});
  Mix mix = mix_of(bench, {pod(bench, 8, 1'000)});
  CHECK(host_of(identical(1, {{bench.gpu, 8}}), bench, &mix) == "n2");
}

TEST_CASE("mix: it never makes a group touch more racks or hosts") {
  Bench bench = make_grid(1, 2, 2);
  for (const char* host : {"n1", "n3"}) bench.state.charge(bench.host(host), {{bench.gpu, 6}});
  Mix mix = mix_of(bench, {pod(bench, 8, 1'000)});
  PlacementRequest request = identical(2, {{bench.gpu, 2}}, "rack");
  SolveOptions options;
  options.mix = &mix;
  const Verdict verdict = solve(request, bench.state, options);
  REQUIRE(std::holds_alternative<Fits>(verdict));
  const auto& placement = std::get<Fits>(verdict).placement;
  // One host holds both; two hosts with two GPUs left would break no free host, but are more hosts.
  CHECK(placement[0].host == placement[1].host);
}

TEST_CASE("mix: a host that was refused, or that the group may not use, is not chosen") {
  Bench bench = make_grid(1, 1, 3);
  bench.state.charge(bench.host("n0"), {{bench.gpu, 7}});
  bench.state.charge(bench.host("n1"), {{bench.gpu, 6}});
  Mix mix = mix_of(bench, {pod(bench, 2, 1'000)});
  PlacementRequest request = identical(1, {{bench.gpu, 1}});
  CHECK(host_of(request, bench, &mix) == "n0");
  request.refusals.push_back({0, bench.host("n0")});
  CHECK(host_of(request, bench, &mix) == "n2");
  bench.state.set_status(bench.host("n2"), Exclusion::kUnschedulable);
  CHECK(host_of(request, bench, &mix) == "n1");
}

// Hosts of later racks are counted without a look at each.
TEST_CASE("mix: of hosts with the same room the first 64 are looked at, in whatever racks they are") {
  const auto chosen = [](const std::string& without_cpu) {
    Bench bench = make_grid(1, 20, 10, 1);
    bench.state.charge(bench.host(without_cpu), {{bench.cpu, 64'000}});
    Mix mix = mix_of(bench, {pod(bench, 1, 1'000)});
    return host_of(identical(1, {{bench.gpu, 1}}, "block", "rack"), bench, &mix);
  };
  CHECK(chosen("n60") == "n60");
  CHECK(chosen("n100") == "n0");
}
