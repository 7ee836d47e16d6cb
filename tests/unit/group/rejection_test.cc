// Promise 5: what cannot be understood, or contradicts itself, is said to every member and never loosened.
#include <catch2/catch.hpp>
#include <set>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

std::set<std::string> told_pods(const Commands& commands) {
  std::set<std::string> uids;
  for (const Tell& tell : only<Tell>(commands)) {
    if (tell.reason == EventReason::kRejected) uids.insert(tell.pod.uid);
  }
  return uids;
}

void set_minimum(GroupBench& bench, const std::string& uid, uint32_t minimum) {
  test::Asking(bench.pod(uid))->min_member = minimum;
  bench.see(uid);
}

}  // namespace

TEST_CASE("Members that disagree are rejected, every one is told why, and the mended group goes on") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  bench.create_all({"a", "b", "c"});
  bench.create("d", 5);
  CHECK(bench.state() == State::kRejected);
  CHECK_FALSE(bench.plan());
  const Commands said = bench.take();
  CHECK(told_pods(said) == std::set<std::string>{"a", "b", "c", "d"});
  CHECK(only<Tell>(said)[0].message ==
        "the members disagree: pod d: muster.dev/min-member: 5 here, 4 there (pod a)");
  CHECK(bench.group().reason().find("min-member: 5 here, 4 there") != std::string::npos);

  set_minimum(bench, "d", 4);
  CHECK(bench.state() == State::kPending);
  CHECK(bench.plan());
}

TEST_CASE("Every difference of two specs is named by its key") {
  GroupSpec here;
  GroupSpec there;
  CHECK(difference(here, there).empty());
  SECTION("min-member") {
    here.min_member = 2;
    CHECK(difference(here, there) == "muster.dev/min-member: 2 here, 1 there");
  }
  SECTION("required level") {
    here.topology_required = "rack";
    CHECK(difference(here, there) == "muster.dev/topology-required: rack here, not set there");
  }
  SECTION("preferred level") {
    there.topology_preferred = "block";
    CHECK(difference(here, there) == "muster.dev/topology-preferred: not set here, block there");
  }
  SECTION("hold timeout") {
    there.hold_timeout = Duration(2'000);
    CHECK(difference(here, there) == "muster.dev/hold-timeout: not set here, 2000 ms there");
  }
  SECTION("slices") {
    here.slices = {{16, "block"}, {4, "rack"}};
    CHECK(difference(here, there) == "muster.dev/slices: 16@block,4@rack here, not set there");
  }
  SECTION("what only the long form can say") {
    here.exclusive = "rack";
    CHECK(difference(here, there) == "muster.dev/group-spec differs");
  }
}

TEST_CASE("A member whose annotations are wrong rejects the group with its message") {
  GroupBench bench;
  bench.create_all({"a", "b", "c"});
  bench.pod("d").spec = fail(ErrorCode::kInvalid, "muster.dev/min-member: \"four\" is not a number");
  bench.see("d");
  CHECK(bench.state() == State::kRejected);
  const Commands said = bench.take();
  CHECK(told_pods(said).size() == 4);
  CHECK(only<Tell>(said)[0].message == "pod d: muster.dev/min-member: \"four\" is not a number");
  bench.erase("d");
  CHECK(bench.state() == State::kGathering);
}

TEST_CASE("A wrong annotation that becomes another wrong one is told in its own words") {
  GroupBench bench;
  bench.pod("a").spec = fail(ErrorCode::kInvalid, "muster.dev/min-member: \"four\" is not a number");
  bench.see("a");
  bench.take();
  bench.pod("a").spec = fail(ErrorCode::kInvalid, "muster.dev/min-member: \"five\" is not a number");
  bench.see("a");
  const Commands said = bench.take();
  REQUIRE(only<Tell>(said).size() == 1);
  CHECK(only<Tell>(said)[0].message == "pod a: muster.dev/min-member: \"five\" is not a number");
}

TEST_CASE("A group of wrong members only is rejected, and the first right one alone does not mend it") {
  GroupBench bench;
  bench.pod("a").spec = fail(ErrorCode::kInvalid, "muster.dev/min-member: missing");
  bench.see("a");
  CHECK(bench.state() == State::kRejected);
  bench.create("b");
  CHECK(bench.state() == State::kRejected);
  bench.pod("a").spec = bench.pod("b").spec;
  bench.see("a");
  CHECK(bench.state() == State::kGathering);
  CHECK(bench.group().minimum() == 4);
}

TEST_CASE("When all members are edited one after the other the group is rejected in between only") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  bench.create_all({"a", "b", "c"}, 3);
  for (const char* uid : {"a", "b"}) {
    set_minimum(bench, uid, 2);
    CHECK(bench.state() == State::kRejected);
  }
  set_minimum(bench, "c", 2);
  CHECK(bench.state() == State::kPending);
  CHECK(bench.group().minimum() == 2);
}

TEST_CASE("The specs of members that have ended or are going do not matter") {
  GroupBench bench;
  bench.pod("old", 9).succeeded = true;
  bench.see("old");
  bench.pod("going", 8).terminating = true;
  bench.see("going");
  bench.create_all({"a", "b", "c", "d"});
  CHECK(bench.state() == State::kPending);
  CHECK(bench.group().minimum() == 4);
}

TEST_CASE("A newcomer to a rejected group is told as well, and the others are not told again") {
  GroupBench bench;
  bench.create_all({"a", "b"});
  bench.create("c", 5);
  bench.take();
  bench.create("d");
  CHECK(told_pods(bench.take()) == std::set<std::string>{"d"});
  bench.see("a");
  CHECK(told_pods(bench.take()).empty());
}

TEST_CASE("When one dissenter is mended and another is left, that one is told") {
  GroupBench bench;
  bench.create_all({"a", "b", "c"});
  bench.create_all({"x", "y"}, 5);
  bench.take();
  set_minimum(bench, "x", 4);
  CHECK(bench.state() == State::kRejected);
  CHECK(told_pods(bench.take()) == std::set<std::string>{"y"});
}

TEST_CASE("A question that the books refuse rejects the group until it changes") {
  GroupBench bench;
  bench.room.answer = BadRequest{"topologyRequired: unknown level \"rakc\""};
  bench.create_all({"a", "b", "c", "d"});
  CHECK(bench.plan());
  CHECK(bench.state() == State::kRejected);
  const Commands said = bench.take();
  CHECK(told_pods(said).size() == 4);
  CHECK(only<Tell>(said)[0].message == "topologyRequired: unknown level \"rakc\"");
  CHECK_FALSE(bench.plan());
  ++bench.epoch;
  CHECK_FALSE(bench.plan());  // room does not make it right

  bench.room.answer.reset();
  bench.room.slots = {{"n1", 4}};
  bench.pod("a").demand.set("cpu", 1);
  bench.see("a");
  CHECK(bench.plan());
  CHECK(bench.state() == State::kReserved);
}

TEST_CASE("A plan ends when a member stops agreeing, and nothing stays held") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  bench.create_all({"a", "b", "c", "d"});
  bench.reserve();
  bench.call("a", 1);
  bench.take();
  SECTION("a planned one") { set_minimum(bench, "b", 5); }
  SECTION("one that has just come") { bench.create("e", 5); }
  CHECK(bench.state() == State::kRejected);
  CHECK(bench.room.reserved.empty());
  const Commands said = bench.take();
  CHECK(only<Withdraw>(said).size() == 4);
  REQUIRE(only<AnswerBind>(said).size() == 1);
  CHECK_FALSE(only<AnswerBind>(said)[0].result);
}

TEST_CASE("A plan for a minimum that is no longer asked for does not reach the barrier") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  bench.create("a", 1);
  bench.reserve();
  REQUIRE(bench.node_of("a") == "n1");
  set_minimum(bench, "a", 2);
  CHECK(bench.state() == State::kGathering);
  CHECK(bench.room.reserved.empty());
  bench.call("a", 1, "n1");
  CHECK(only<Bind>(bench.take()).empty());
}
