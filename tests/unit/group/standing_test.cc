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
