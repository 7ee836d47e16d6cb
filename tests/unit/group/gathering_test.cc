// From the first member to a plan: Gathering, Pending, and what is said meanwhile.
#include <catch2/catch.hpp>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

TEST_CASE("A group gathers until its last needed member exists") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  bench.create_all({"a", "b", "c"});
  CHECK(bench.state() == State::kGathering);
  CHECK_FALSE(bench.plan());
  CHECK(bench.group().reason() == "group ns/g is gathering: 3 of 4 members exist");

  bench.create("d");
  CHECK(bench.state() == State::kPending);
  CHECK(bench.plan());
  CHECK(bench.state() == State::kReserved);
  CHECK(bench.room.reserved.size() == 4);
}

TEST_CASE("A member with gates of others does not count until they are gone") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  bench.create_all({"a", "b", "c"});
  bench.pod("d").other_gates = true;
  bench.see("d");
  CHECK(bench.state() == State::kGathering);
  bench.pod("d").other_gates = false;
  bench.see("d");
  CHECK(bench.state() == State::kPending);
}

TEST_CASE("Members that end or are deleted while the group gathers do not count") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  bench.create_all({"a", "b", "c", "d"});
  bench.pod("a").terminating = true;
  bench.see("a");
  CHECK(bench.state() == State::kGathering);
  bench.create("e");
  CHECK(bench.state() == State::kPending);
  bench.erase("b");
  CHECK(bench.state() == State::kGathering);
  bench.pod("c").failed = true;
  bench.see("c");
  CHECK(bench.group().reason() == "group ns/g is gathering: 2 of 4 members exist");
}

TEST_CASE("A group that gathers longer than the hold timeout says so once") {
  GroupBench bench;
  bench.create("a");
  REQUIRE(bench.group().next_timer() == bench.now + Duration(30'000));
  bench.pass(Duration(29'999));
  CHECK(only<Tell>(bench.take()).empty());
  bench.pass(Duration(1));
  const auto told = only<Tell>(bench.take());
  REQUIRE(told.size() == 1);
  CHECK(told[0].reason == EventReason::kGathering);
  CHECK(told[0].message == "group ns/g is gathering: 1 of 4 members exist");
  CHECK_FALSE(bench.group().next_timer());
  bench.pass(Duration(100'000));
  CHECK(only<Tell>(bench.take()).empty());
}

TEST_CASE(
    "A group that does not fit holds nothing and is asked again only when room is gained or it changes") {
  GroupBench bench;
  bench.room.slots = {{"n1", 3}};
  bench.create_all({"a", "b", "c", "d"});
  CHECK(bench.plan());
  CHECK(bench.state() == State::kPending);
  CHECK(bench.room.reserved.empty());
  CHECK(bench.group().reason() == "group ns/g waits for room: the nodes hold 3 of 4");
  const auto told = only<Tell>(bench.take());
  REQUIRE(told.size() == 1);
  CHECK(told[0].reason == EventReason::kNoRoom);
  CHECK(told[0].warning);

  CHECK_FALSE(bench.plan());
  bench.pod("a").unschedulable_message = "0/3 nodes are available: muster: waits";
  bench.see("a");  // kube-scheduler wrote our own words on the pod: nothing to ask again
  CHECK_FALSE(bench.plan());

  bench.room.slots["n2"] = 1;
  ++bench.epoch;
  CHECK(bench.plan());
  CHECK(bench.state() == State::kReserved);
}

TEST_CASE("A group that does not fit is asked again when one of its members changes what it asks for") {
  GroupBench bench;
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  REQUIRE_FALSE(bench.plan());
  SECTION("its demand") { bench.pod("b").demand.set("cpu", 1); }
  SECTION("its node set") { bench.pod("b").node_set = NodeSetId{3}; }
  SECTION("its rank") { bench.pod("b").index = 7; }
  SECTION("its subgroup") { bench.pod("b").subgroup = "x"; }
  bench.see("b");
  CHECK(bench.plan());
}

TEST_CASE("An undecided answer is told as such") {
  GroupBench bench;
  bench.room.answer = Undecided{"the step budget ended"};
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  const auto told = only<Tell>(bench.take());
  REQUIRE(told.size() == 1);
  CHECK(told[0].reason == EventReason::kUndecided);
  CHECK(bench.state() == State::kPending);
}

TEST_CASE("The same words are told once however often the answer is the same") {
  GroupBench bench;
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  CHECK(only<Tell>(bench.take()).size() == 1);
  for (int i = 0; i < 5; ++i) {
    ++bench.epoch;
    CHECK(bench.plan());
  }
  CHECK(only<Tell>(bench.take()).empty());
}

TEST_CASE("Members beyond the minimum are planned too, and left out when they do not fit") {
  GroupBench bench;
  bench.room.slots = {{"n1", 3}};
  bench.create_all({"a", "b", "c", "d", "e"}, 2);
  bench.reserve();
  CHECK(bench.room.reserved.size() == 3);
  CHECK(bench.state() == State::kReserved);
  CHECK(bench.node_of("d").empty());
  bench.bind_all();
  CHECK(bench.state() == State::kBound);
}

TEST_CASE("The queue sees the highest priority and the oldest member that has not ended") {
  GroupBench bench;
  bench.pod("old").priority = 900;
  bench.pod("old").creation_seconds = 1;
  bench.pod("old").failed = true;
  bench.pod("a").priority = 5;
  bench.pod("a").creation_seconds = 70;
  bench.pod("b").priority = 7;
  bench.pod("b").creation_seconds = 90;
  for (const char* uid : {"old", "a", "b"}) bench.see(uid);
  CHECK(bench.group().priority() == 7);
  CHECK(bench.group().creation_seconds() == 70);
}
