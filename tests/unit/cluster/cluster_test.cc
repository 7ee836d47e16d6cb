#include "muster/cluster.h"

#include <catch2/catch.hpp>
#include <random>

#include "cluster/shape_index.h"
#include "support/builders.h"

using namespace muster;
using test::make_grid;

namespace {

// Everything that can be asked of a state, in one list.
std::vector<int64_t> picture(const ClusterState& state) {
  std::vector<int64_t> all;
  for (std::size_t h = 0; h < state.host_count(); ++h) {
    const auto host = static_cast<HostIndex>(h);
    all.push_back(static_cast<int64_t>(state.status(host)));
    all.push_back(state.busy(host));
    for (std::size_t r = 0; r < state.resource_count(); ++r) {
      all.push_back(state.free(host, static_cast<ResourceId>(r)));
      all.push_back(state.allocatable(host, static_cast<ResourceId>(r)));
    }
    for (const auto& tenant : state.tenants(host)) {
      all.push_back(static_cast<int64_t>(tenant.owner));
      all.push_back(tenant.members);
    }
  }
  for (std::size_t d = 0; d < state.topology().domain_count(); ++d)
    all.push_back(state.busy_hosts(static_cast<DomainId>(d)));
  for (const auto& claim : state.claims()) {
    all.push_back(static_cast<int64_t>(claim.owner));
    all.push_back(static_cast<int64_t>(claim.level));
  }
  return all;
}

void change_at_random(ClusterState& state, std::mt19937& random, ResourceId gpu, ResourceId cpu) {
  const auto host = static_cast<HostIndex>(random() % state.host_count());
  switch (random() % 5) {
    case 0:
      state.set_allocatable(host, {{gpu, static_cast<int64_t>(random() % 9)}, {cpu, 1000}});
      break;
    case 1:
      state.set_status(host, random() % 2 == 0 ? Exclusion::kNone : Exclusion::kNotReady);
      break;
    case 2:
      state.charge(host, {{gpu, static_cast<int64_t>(random() % 3)}, {cpu, 7}},
                   random() % 2 == 0 ? kNoOwner : OwnerId{static_cast<uint32_t>(random() % 3)});
      break;
    case 3:
      state.charge(host, {{gpu, 1}}, OwnerId{9});
      state.uncharge(host, {{gpu, 1}}, OwnerId{9});
      break;
    default:
      state.set_claim(OwnerId{static_cast<uint32_t>(random() % 3)},
                      LevelId{static_cast<uint16_t>(random() % 3)});
  }
}

}  // namespace

TEST_CASE("cluster: free room is allocatable minus charged and may be negative") {
  auto bench = make_grid(1, 1, 1);
  const HostIndex host{0};
  bench.state.charge(host, {{bench.gpu, 6}});
  CHECK(bench.state.free(host, bench.gpu) == 2);
  bench.state.charge(host, {{bench.gpu, 6}});
  CHECK(bench.state.free(host, bench.gpu) == -4);
  bench.state.set_allocatable(host, {{bench.gpu, 16}});
  CHECK(bench.state.free(host, bench.gpu) == 4);
  CHECK(bench.state.allocatable(host, bench.cpu) == 0);
  bench.state.uncharge(host, {{bench.gpu, 6}});
  CHECK(bench.state.free(host, bench.gpu) == 10);
}

TEST_CASE("cluster: a demand above the largest amount never fits and hurts nothing") {
  auto bench = make_grid(1, 1, 1);
  bench.state.set_allocatable(HostIndex{0}, {{bench.gpu, INT64_MAX}});
  CHECK(room_for(bench.state, {{bench.gpu, kMaxAmount}}, HostIndex{0}) == 0);
  for (int i = 0; i < 100; ++i) bench.state.charge(HostIndex{0}, {{bench.gpu, INT64_MAX}});
  CHECK(bench.state.free(HostIndex{0}, bench.gpu) < 0);
}

TEST_CASE("cluster: busy hosts are counted on every level, pods without devices and owner do not count") {
  auto bench = make_grid(2, 2, 2);
  auto& state = bench.state;
  const auto block = *state.topology().find_level("block");
  const DomainId b0 = state.topology().domain_of(HostIndex{0}, block);
  state.charge(HostIndex{0}, {{bench.cpu, 100}});
  CHECK(state.busy_hosts(kClusterDomain) == 0);
  state.charge(HostIndex{0}, {{bench.gpu, 1}});
  state.charge(HostIndex{0}, {{bench.gpu, 1}});
  state.charge(HostIndex{1}, {{bench.cpu, 1}}, OwnerId{4});
  CHECK(state.busy_hosts(kClusterDomain) == 2);
  CHECK(state.busy_hosts(b0) == 2);
  CHECK(state.busy_hosts(state.topology().leaf_domain(HostIndex{0})) == 2);
  state.uncharge(HostIndex{0}, {{bench.gpu, 1}});
  CHECK(state.busy(HostIndex{0}));
  state.uncharge(HostIndex{0}, {{bench.gpu, 1}});
  CHECK(state.busy_hosts(b0) == 1);
}

TEST_CASE("cluster: a host's status speaks before the node set, and the reason is kept") {
  auto bench = make_grid(1, 1, 2);
  auto& state = bench.state;
  const NodeSetId set = state.add_node_set(Exclusion::kSelector);
  state.set_eligible(set, HostIndex{1}, true);
  CHECK(state.exclusion(set, HostIndex{0}) == Exclusion::kSelector);
  CHECK(state.exclusion(set, HostIndex{1}) == Exclusion::kNone);
  state.set_status(HostIndex{1}, Exclusion::kUnschedulable);
  CHECK(state.exclusion(set, HostIndex{1}) == Exclusion::kUnschedulable);
  CHECK(state.exclusion(kEveryHost, HostIndex{0}) == Exclusion::kNone);
}

TEST_CASE("cluster: undo is identity, nested and after keep") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    auto bench = make_grid(2, 2, 2);
    auto& state = bench.state;
    for (int i = 0; i < 10; ++i) change_at_random(state, random, bench.gpu, bench.cpu);
    const auto before = picture(state);
    const Savepoint outer = state.savepoint();
    for (int i = 0; i < 10; ++i) change_at_random(state, random, bench.gpu, bench.cpu);
    const auto middle = picture(state);
    const Savepoint inner = state.savepoint();
    for (int i = 0; i < 10; ++i) change_at_random(state, random, bench.gpu, bench.cpu);
    if (round % 2 == 0) {
      state.rollback(inner);
      REQUIRE(picture(state) == middle);
    } else {
      state.keep(inner);
    }
    state.rollback(outer);
    REQUIRE(picture(state) == before);
  }
}

TEST_CASE("cluster: a what-if takes itself back unless it is kept") {
  auto bench = make_grid(1, 1, 1);
  {
    WhatIf what_if(bench.state);
    bench.state.charge(HostIndex{0}, {{bench.gpu, 8}});
  }
  CHECK(bench.state.free(HostIndex{0}, bench.gpu) == 8);
  {
    WhatIf what_if(bench.state);
    bench.state.charge(HostIndex{0}, {{bench.gpu, 8}});
    what_if.keep();
  }
  CHECK(bench.state.free(HostIndex{0}, bench.gpu) == 0);
}

TEST_CASE("cluster: the hot-shape index follows every change") {
  std::mt19937 random(2);
  auto bench = make_grid(2, 3, 4);
  auto& state = bench.state;
  const NodeSetId set = state.add_node_set();
  state.set_eligible(set, HostIndex{5}, Exclusion::kTainted);
  const std::vector<Demand> shapes = {{{bench.gpu, 1}}, {{bench.gpu, 2}, {bench.cpu, 500}}, {}};
  for (int round = 0; round < 300; ++round) {
    change_at_random(state, random, bench.gpu, bench.cpu);
    if (round % 7 == 0)
      state.set_eligible(set, HostIndex{static_cast<uint32_t>(random() % 24)}, random() % 2 == 0);
    if (round % 5 == 0)  // takes no room, and the host is busy all the same
      state.charge(HostIndex{static_cast<uint32_t>(random() % 24)}, {}, OwnerId{5});
    const Demand& shape = shapes[random() % shapes.size()];
    const Rooms& rooms = state.shapes().rooms(state, shape, set);
    std::vector<int64_t> sums(rooms.domain.size(), 0);
    int64_t in_use = 0;
    for (uint32_t h = 0; h < 24; ++h) {
      const HostIndex host{h};
      const bool usable = state.exclusion(set, host) == Exclusion::kNone;
      REQUIRE(rooms.host[h] == (usable ? room_for(state, shape, host) : 0));
      REQUIRE(rooms.most >= rooms.host[h]);
      in_use += rooms.host[h] > 0 && state.busy(host) ? 1 : 0;
      for (DomainId d = state.topology().leaf_domain(host);; d = state.topology().parent(d)) {
        sums[at(d)] += rooms.host[h];
        if (d == kClusterDomain) break;
      }
    }
    REQUIRE(rooms.domain == sums);
    REQUIRE(rooms.in_use == in_use);
  }
}

TEST_CASE("cluster: only what can help is a gain") {
  auto bench = make_grid(2, 1, 1);
  auto& state = bench.state;
  const DomainId first = state.topology().leaf_domain(HostIndex{0});
  const DomainId second = state.topology().leaf_domain(HostIndex{1});
  const uint64_t start = state.epoch();
  state.charge(HostIndex{0}, {{bench.gpu, 8}});
  state.set_status(HostIndex{1}, Exclusion::kNotReady);
  CHECK(state.epoch() == start);
  state.uncharge(HostIndex{0}, {{bench.gpu, 8}});
  CHECK(state.gained_at(first) > start);
  CHECK(state.gained_at(second) <= start);
  const uint64_t then = state.epoch();
  state.set_status(HostIndex{1}, Exclusion::kNone);
  CHECK(state.gained_at(second) > then);
  const uint64_t shared = state.epoch();
  state.set_claim(OwnerId{1}, *state.topology().find_level("block"));
  CHECK(state.epoch() == shared);
  // Finer, then none: others may use domains that hold nobody of the owner.
  for (const LevelId level : {*state.topology().find_level("rack"), kClusterLevel}) {
    const uint64_t before = state.epoch();
    state.set_claim(OwnerId{1}, level);
    CHECK(state.gained_at(first) > before);
    CHECK(state.gained_at(second) > before);
  }
}

TEST_CASE("cluster: a snapshot does not follow the original") {
  auto bench = make_grid(1, 1, 2);
  const ClusterState copy = bench.state;
  bench.state.charge(HostIndex{0}, {{bench.gpu, 8}}, OwnerId{1});
  CHECK(copy.free(HostIndex{0}, bench.gpu) == 8);
  CHECK(copy.tenants(HostIndex{0}).empty());
}
