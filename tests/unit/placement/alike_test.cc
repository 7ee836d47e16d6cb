// Subgroups and slices that are all alike are decided by counts.
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "muster/checker.h"
#include "muster/solver.h"
#include "placement/decision.h"
#include "support/builders.h"

using namespace muster;
using namespace muster::test;
using placement::Answer;

namespace {

// `replicas` subgroups on `level`, each of the members given by `mix` (how many of which GPUs); in pairs
// below subgroups of `outer`, when that is not empty.
PlacementRequest replicas(const Bench& bench, uint32_t count, const std::string& level,
                          const std::vector<std::pair<uint32_t, int64_t>>& mix,
                          const std::string& outer = "") {
  PlacementRequest request;
  for (const auto& [members, gpus] : mix)
    request.roles.push_back({{{bench.gpu, gpus}, {bench.cpu, 1000}}, kEveryHost});
  uint32_t parent = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (!outer.empty() && i % 2 == 0) {
      SubGroup pair;
      pair.name = fmt::format("pair-{}", i / 2);
      pair.required = outer;
      request.subgroups.push_back(pair);
      parent = static_cast<uint32_t>(request.subgroups.size() - 1);
    }
    SubGroup replica;
    replica.name = fmt::format("replica-{}", i);
    replica.parent = parent;
    replica.required = level;
    request.subgroups.push_back(replica);
    for (uint32_t role = 0; role < mix.size(); ++role)
      for (uint32_t m = 0; m < mix[role].first; ++m)
        request.members.push_back({role, static_cast<uint32_t>(request.subgroups.size() - 1),
                                   static_cast<int64_t>(request.members.size()), kNoHost});
  }
  return request;
}

Fits must_fit(const PlacementRequest& request, ClusterState& state) {
  const auto valid = validate(request, state);
  if (!valid) FAIL(valid.error().message);
  const auto verdict = solve(request, state);
  INFO(describe(verdict, request, state));
  REQUIRE(std::holds_alternative<Fits>(verdict));
  return std::get<Fits>(verdict);
}

std::size_t domains(const Fits& fits, const ClusterState& state, std::string_view level) {
  std::set<DomainId> all;
  for (const auto& it : fits.placement)
    all.insert(state.topology().domain_of(it.host, *state.topology().find_level(level)));
  return all.size();
}

}  // namespace

TEST_CASE("alike: counting subgroups and the frontier over domains give the same answer") {
  std::mt19937 random(7);
  const auto in = [&](int low, int high) { return low + static_cast<int>(random() % (high - low + 1)); };
  std::size_t fits = 0;
  std::size_t no = 0;
  for (int round = 0; round < 600; ++round) {
    auto bench = make_grid(2, 2, in(1, 3));
    for (uint32_t h = 0; h < bench.state.host_count(); ++h)
      bench.state.charge(HostIndex{h}, {{bench.gpu, in(0, 6)}, {bench.cpu, in(0, 2) * 31'000}}, OwnerId{1});
    std::vector<std::pair<uint32_t, int64_t>> mix;
    for (int role = in(1, 3); role > 0; --role) mix.emplace_back(in(1, 2), in(0, 5));
    const bool pairs = in(0, 1) == 1;
    const auto request = replicas(bench, pairs ? 2 * in(1, 2) : in(1, 4), in(0, 2) > 0 ? "rack" : "block",
                                  mix, pairs ? "block" : "");
    if (!validate(request, bench.state)) continue;
    INFO("round " << round);
    bench.state.shapes().begin();
    placement::Problem problem(request, bench.state);
    const auto answer = [&](auto decide) {
      placement::Budget budget(10'000'000);
      placement::Budget quality(100'000);
      placement::Search search{problem, budget, quality};
      return decide(search);
    };
    const auto alike = answer([](auto& search) { return placement::decide_alike(search); });
    REQUIRE(alike.has_value());
    const auto general = answer([](auto& search) { return placement::decide_structured(search); });
    REQUIRE(general.answer == alike->answer);
    (alike->answer == Answer::kFits ? fits : no) += 1;
    const auto verdict = solve(request, bench.state);
    REQUIRE(std::holds_alternative<Fits>(verdict) == (alike->answer == Answer::kFits));
  }
  CHECK(fits > 100);
  CHECK(no > 100);
}

TEST_CASE("alike: replicas take the fewest racks and the fewest blocks") {
  auto bench = make_grid(3, 4, 4);
  // Racks of block 0 hold one replica, those of the others two.
  for (uint32_t h = 0; h < 16; h += 2) bench.state.charge(HostIndex{h}, {{bench.gpu, 8}}, OwnerId{1});
  const auto request = replicas(bench, 8, "rack", {{1, 0}, {2, 8}});
  const Fits fits = must_fit(request, bench.state);
  CHECK(domains(fits, bench.state, "rack") == 4);
  CHECK(domains(fits, bench.state, "block") == 1);
}

TEST_CASE("alike: a rack that counts promise more of than its hosts hold gets fewer replicas") {
  auto bench = make_grid(1, 8, 4);
  // A replica needs 5 and 3 GPUs. Four hosts with 4 free hold no 5; counting GPUs alone would promise two.
  for (uint32_t h = 0; h < 24; ++h)
    bench.state.charge(HostIndex{h}, {{bench.gpu, h < 16 ? 4 : 2}}, OwnerId{1});
  const Fits fits = must_fit(replicas(bench, 10, "rack", {{1, 5}, {1, 3}}), bench.state);
  CHECK(fits.placed == 20);
  const auto more = replicas(bench, 13, "rack", {{1, 5}, {1, 3}});
  CHECK(std::holds_alternative<CertifiedNo>(solve(more, bench.state)));
}

TEST_CASE("alike: members of one replica stay with it, in rank order along the hosts") {
  auto bench = make_grid(2, 2, 4);
  const auto request = replicas(bench, 8, "rack", {{1, 4}, {2, 4}}, "block");
  const Fits fits = must_fit(request, bench.state);
  for (std::size_t i = 1; i < fits.placement.size(); ++i)
    if (request.members[fits.placement[i].member].role == request.members[fits.placement[i - 1].member].role)
      CHECK(fits.placement[i - 1].host <= fits.placement[i].host);
}

TEST_CASE("alike: slices on levels of a second tree are of consecutive ranks") {
  // The second tree's cliques hold every other host of the first tree.
  std::vector<HostSpec> hosts;
  for (int h = 0; h < 16; ++h)
    hosts.push_back({fmt::format("n{}", h),
                     {{fmt::format("b{}", h / 8), fmt::format("r{}", h / 4 % 2)},
                      {fmt::format("d{}", h % 2), fmt::format("c{}", h / 2 % 2)}}});
  auto topology = Topology::build(
      {{{"fabric", {{"block", {}}, {"rack", {}}}}, {"accelerator", {{"domain", {}}, {"clique", {}}}}}},
      hosts);
  REQUIRE(topology.has_value());
  ClusterState state(std::move(*topology));
  const ResourceId gpu = state.intern_resource("nvidia.com/gpu");
  for (uint32_t h = 0; h < 16; ++h) state.set_allocatable(HostIndex{h}, {{gpu, 8}});
  auto request = identical(16, {{gpu, 8}});
  request.subgroups[0].slices = {{8, "domain"}, {4, "clique"}};
  const Fits fits = must_fit(request, state);
  for (const std::size_t size : {8U, 4U}) {
    const auto level = *state.topology().find_level(size == 8 ? "domain" : "clique");
    for (std::size_t i = 0; i < fits.placement.size(); ++i)
      CHECK(state.topology().domain_of(fits.placement[i].host, level) ==
            state.topology().domain_of(fits.placement[i / size * size].host, level));
  }
}
