// What must hold for every instance, whatever the answer.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "generator.h"
#include "muster/solver.h"
#include "renamed.h"

using namespace muster;
using namespace muster::test;

namespace {

constexpr uint64_t kInstances = 400;  // per class

template <typename Check>
void for_each_instance(Check check) {
  for (std::size_t s = 0; s < kShapes; ++s)
    for (uint64_t seed = 1'000'000; seed < 1'000'000 + kInstances; ++seed) {
      Instance instance = make_instance(static_cast<Shape>(s), seed);
      INFO(to_string(static_cast<Shape>(s)) << " seed " << seed << dump(instance));
      check(instance, seed);
    }
}

std::vector<int64_t> free_room(const ClusterState& state) {
  std::vector<int64_t> all;
  for (uint16_t r = 0; r < state.resource_count(); ++r)
    for (const int64_t free : state.free_column(ResourceId{r})) all.push_back(free);
  return all;
}

// How many domains of each level a placement touches.
std::vector<std::size_t> span(const Fits& fits, const Topology& topology) {
  std::vector<std::size_t> counts;
  for (uint16_t level = 0; level < topology.level_count(); ++level) {
    std::set<DomainId> touched;
    for (const Assignment& it : fits.placement) touched.insert(topology.domain_of(it.host, LevelId{level}));
    counts.push_back(touched.size());
  }
  return counts;
}

// What the request's own members ask for, each part alone.
Mix mix_of(const Instance& instance, LevelId level) {
  std::vector<MixShape> shapes;
  for (const Role& role : instance.request.roles) shapes.push_back({{{role.demand, role.node_set, 1}}, 1});
  return {instance.state, level, std::move(shapes)};
}

}  // namespace

TEST_CASE("invariants: the same request on the same state gets the same answer, and the state is as before") {
  for_each_instance([](Instance& instance, uint64_t) {
    const auto before = free_room(instance.state);
    const Verdict first = solve(instance.request, instance.state);
    ClusterState copy = instance.state;
    const Verdict second = solve(instance.request, copy);
    REQUIRE(free_room(instance.state) == before);
    REQUIRE(first.index() == second.index());
    if (const auto* fits = std::get_if<Fits>(&first))
      REQUIRE(fits->placement == std::get<Fits>(second).placement);
    else
      REQUIRE(describe(first, instance.request, instance.state) == describe(second, instance.request, copy));
  });
}

TEST_CASE("invariants: more room never turns a fit into a no") {
  for_each_instance([](Instance& instance, uint64_t seed) {
    if (!std::holds_alternative<Fits>(solve(instance.request, instance.state))) return;
    Random random(seed);
    for (int i = 0; i < 3; ++i) {
      const HostIndex host{random.in(0, static_cast<uint32_t>(instance.state.host_count()) - 1)};
      Demand more;
      for (uint16_t r = 0; r < instance.state.resource_count(); ++r)
        more.push_back({ResourceId{r}, instance.state.allocatable(host, ResourceId{r}) + random.in(0, 4)});
      instance.state.set_allocatable(host, more);
      instance.state.set_status(host, Exclusion::kNone);
    }
    REQUIRE_FALSE(std::holds_alternative<CertifiedNo>(solve(instance.request, instance.state)));
  });
}

TEST_CASE("invariants: the order of members in the request changes nothing") {
  for_each_instance([](Instance& instance, uint64_t seed) {
    auto& request = instance.request;
    if (!request.refusals.empty()) return;
    for (std::size_t m = 1; m < request.members.size(); ++m)
      if (request.members[m].rank == request.members[m - 1].rank) return;  // slices are cut by position then
    const Verdict first = solve(request, instance.state);
    Random random(seed);
    for (std::size_t i = request.members.size(); i-- > 1;)
      std::swap(request.members[i], request.members[random.in(0, static_cast<uint32_t>(i))]);
    const Verdict second = solve(request, instance.state);
    if (std::holds_alternative<Undecided>(first) || std::holds_alternative<Undecided>(second)) return;
    REQUIRE(first.index() == second.index());
  });
}

TEST_CASE("invariants: other names, and hosts in another order, change no answer") {
  for_each_instance([](Instance& instance, uint64_t) {
    const Verdict first = solve(instance.request, instance.state);
    Instance other = renamed(instance);
    const Verdict second = solve(other.request, other.state);
    INFO("renamed" << dump(other));
    if (std::holds_alternative<Undecided>(first) || std::holds_alternative<Undecided>(second)) return;
    REQUIRE(first.index() == second.index());
  });
}

TEST_CASE("invariants: charging a placement and taking it back restores the room, and it is a promise kept") {
  for_each_instance([](Instance& instance, uint64_t) {
    const Verdict verdict = solve(instance.request, instance.state);
    const auto* fits = std::get_if<Fits>(&verdict);
    if (fits == nullptr) return;
    const auto before = free_room(instance.state);
    charge_placement(instance.request, fits->placement, instance.state);
    // Books balance: nothing that was free is overdrawn.
    const auto charged = free_room(instance.state);
    for (std::size_t i = 0; i < charged.size(); ++i) REQUIRE((charged[i] >= 0 || charged[i] == before[i]));
    uncharge_placement(instance.request, fits->placement, instance.state);
    REQUIRE(free_room(instance.state) == before);
  });
}

TEST_CASE("invariants: a small budget makes answers undecided, never wrong") {
  for_each_instance([](Instance& instance, uint64_t) {
    const Verdict full = solve(instance.request, instance.state);
    SolveOptions options;
    options.step_budget = 50;
    options.quality_budget = 0;
    const Verdict hasty = solve(instance.request, instance.state, options);
    if (std::holds_alternative<Undecided>(full)) return;
    REQUIRE((std::holds_alternative<Undecided>(hasty) || hasty.index() == full.index()));
  });
}

TEST_CASE("invariants: a mix changes neither the answer nor what a placement touches") {
  for_each_instance([](Instance& instance, uint64_t) {
    const Topology& topology = instance.state.topology();
    const Verdict without = solve(instance.request, instance.state);
    for (uint16_t level = 1; level < topology.level_count(); ++level) {
      Mix mix = mix_of(instance, LevelId{level});
      SolveOptions options;
      options.mix = &mix;
      const Verdict with = solve(instance.request, instance.state, options);
      REQUIRE(with.index() == without.index());
      const auto* fits = std::get_if<Fits>(&with);
      if (fits == nullptr) continue;
      REQUIRE(fits->level == std::get<Fits>(without).level);
      REQUIRE(fits->placed == std::get<Fits>(without).placed);
      const auto before = span(std::get<Fits>(without), topology);
      const auto after = span(*fits, topology);
      for (std::size_t i = 0; i < after.size(); ++i) REQUIRE(after[i] <= before[i]);
    }
  });
}
