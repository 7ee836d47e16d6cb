// A plan is begun only when the group stands on it, its subgroups included, whatever the books answer.
#include <catch2/catch.hpp>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

// One of two subgroups has to stand; neither has a minimum, so that one stands with all of its members.
struct OneOfTwo {
  GroupBench bench;
  OneOfTwo() {
    GroupSpec spec;
    spec.min_member = 1;
    spec.min_subgroups = 1;
    spec.subgroups.resize(2);
    spec.subgroups[0].name = "a";
    spec.subgroups[1].name = "b";
    for (const char* uid : {"p0", "p1", "p2"}) {
      bench.pod(uid).spec = spec;
      bench.pod(uid).subgroup = "a";
    }
  }
  void see_all() {
    for (const char* uid : {"p0", "p1", "p2"}) bench.see(uid);
  }
};

}  // namespace

TEST_CASE_METHOD(OneOfTwo,
                 "A placement on which no subgroup stands begins no plan and is not asked for again") {
  bench.room.slots = {{"n1", 2}};
  see_all();
  REQUIRE(bench.plan());
  CHECK(bench.state() == State::kPending);
  CHECK(bench.room.reserved.empty());
  CHECK(only<Nominate>(bench.take()).empty());
  CHECK(bench.group().reason().find("do not make its subgroups stand") != std::string::npos);
  see_all();
  CHECK_FALSE(bench.plan());
  CHECK(bench.room.questions == 1);

  bench.room.slots["n1"] = 3;
  ++bench.epoch;
  CHECK(bench.plan());
  CHECK(bench.room.reserved.size() == 3);
}

TEST_CASE_METHOD(OneOfTwo, "A plan from before a restart is not taken up when no subgroup stands on it") {
  bench.room.slots = {{"n1", 2}};
  for (const char* uid : {"p0", "p1"}) {
    bench.pod(uid).nominated_node = "n1";
    bench.pod(uid).plan = "old";
  }
  bench.restart_and_resume();
  CHECK(bench.state() == State::kPending);
  CHECK(only<Withdraw>(bench.carry_out()).size() == 2);
  CHECK(bench.room.reserved.empty());
}

namespace {

// Two subgroups have to stand; neither has a minimum.
struct BothOfTwo {
  GroupBench bench;
  BothOfTwo() {
    bench.room.slots = {{"n1", 4}};
    for (const char* uid : {"a0", "a1", "b0", "b1"}) make(uid);
  }
  void make(const std::string& uid) {
    GroupSpec spec;
    spec.min_member = 1;
    spec.min_subgroups = 2;
    spec.subgroups.resize(2);
    spec.subgroups[0].name = "a";
    spec.subgroups[1].name = "b";
    Member& member = bench.pod(uid);
    member.spec = spec;
    member.subgroup = uid.substr(0, 1);
    member.controller = "job";
    member.controller_uid = "job-1";
    bench.see(uid);
  }
  void bind() {
    bench.reserve();
    bench.bind_all();
    bench.take();
  }
  void stays_bound_for_long() {
    CHECK(bench.state() == State::kBound);
    bench.pass(Duration(200'000));
    CHECK(bench.state() == State::kBound);
    CHECK(only<Mark>(bench.out).empty());
  }
};

}  // namespace

TEST_CASE_METHOD(BothOfTwo, "A late pod in a subgroup without a minimum breaks nobody while it waits") {
  bind();
  REQUIRE(bench.state() == State::kBound);
  make("a2");
  CHECK(bench.plan());
  stays_bound_for_long();
  SECTION("nor when Muster begins anew") {
    bench.restart_and_resume();
    stays_bound_for_long();
  }
  SECTION("and joins when there is room") {
    bench.room.slots["n1"] = 5;
    ++bench.epoch;
    bind();
    CHECK(bench.group().live() == 5);
  }
}

TEST_CASE_METHOD(BothOfTwo, "A pod that comes while its subgroup is being bound is late as well") {
  bench.reserve();
  uint64_t number = 0;
  for (const auto& [uid, node] : std::map(bench.room.reserved)) bench.call(uid, ++number);
  REQUIRE(bench.state() == State::kBinding);
  make("a2");
  while (!only<Bind>(bench.out).empty()) bench.carry_out();
  stays_bound_for_long();
}

TEST_CASE_METHOD(BothOfTwo, "A binding that fails leaves a subgroup without a minimum lacking its member") {
  bench.reserve();
  uint64_t number = 0;
  for (const auto& [uid, node] : std::map(bench.room.reserved)) bench.call(uid, ++number);
  for (const Bind& c : only<Bind>(bench.take())) {
    if (c.pod.uid == "a1") {
      bench.group().bind_done("a1", c.plan, fail(ErrorCode::kForbidden, "no"), bench.context());
    } else {
      bench.pod(c.pod.uid).node = c.node;
      bench.see(c.pod.uid);
    }
  }
  CHECK(bench.state() == State::kRepairing);
}

TEST_CASE_METHOD(BothOfTwo, "Of a subgroup that is lost as a whole all who replace it are needed") {
  bind();
  for (const char* uid : {"b0", "b1"}) bench.erase(uid);
  CHECK(bench.state() == State::kRepairing);
  for (const char* uid : {"b2", "b3"}) make(uid);
  bench.room.slots["n1"] = 3;
  ++bench.epoch;
  CHECK(bench.plan());
  CHECK(bench.room.reserved.empty());
  bench.room.slots["n1"] = 4;
  ++bench.epoch;
  CHECK(bench.plan());
  CHECK(bench.room.reserved.size() == 2);
}

TEST_CASE_METHOD(BothOfTwo, "A late pod in a subgroup without a minimum leaves the others ready") {
  for (const char* uid : {"a0", "a1", "b0", "b1"}) {
    bench.pod(uid).readiness_gate = true;
    bench.see(uid);
  }
  bind();
  for (const char* uid : {"a0", "a1", "b0", "b1"}) {
    bench.pod(uid).containers_ready = true;
    bench.see(uid);
  }
  bench.carry_out();
  CHECK(bench.readiness.size() == 4);
  make("a2");
  CHECK(only<SetReady>(bench.out).empty());
}
