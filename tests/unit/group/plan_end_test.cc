// Promise 2: when a plan ends, all that it held is free in the same step.
#include <catch2/catch.hpp>
#include <set>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

struct Released {
  GroupBench bench;
  Released() {
    bench.room.slots = {{"n1", 4}, {"n2", 4}};
    bench.create_all({"a", "b", "c", "d"});
    bench.reserve();
    bench.take();
  }
};

std::set<std::string> withdrawn(const Commands& commands) {
  std::set<std::string> uids;
  for (const Withdraw& w : only<Withdraw>(commands)) uids.insert(w.pod.uid);
  return uids;
}

}  // namespace

TEST_CASE_METHOD(Released,
                 "Nothing is bound when the hold timeout passes, and everything is given back at once") {
  bench.call("a", 1);
  bench.call("b", 2);
  REQUIRE(bench.group().next_timer() == bench.now + Duration(30'000));
  bench.pass(Duration(29'999));
  CHECK(bench.room.reserved.size() == 4);
  bench.pass(Duration(1));
  CHECK(bench.room.reserved.empty());
  const Commands said = bench.take();
  CHECK(withdrawn(said) == std::set<std::string>{"a", "b", "c", "d"});
  CHECK(only<Bind>(said).empty());
  std::set<uint64_t> answered;
  for (const AnswerBind& answer : only<AnswerBind>(said)) {
    CHECK_FALSE(answer.result);
    answered.insert(answer.call);
  }
  CHECK(answered == std::set<uint64_t>{1, 2});
  CHECK(bench.node_of("a").empty());
  CHECK(bench.state() == State::kPending);
}

TEST_CASE_METHOD(Released, "The group's own hold timeout counts where it has one") {
  GroupBench other;
  other.room.slots = {{"n1", 4}};
  for (const char* uid : {"a", "b"}) {
    test::Asking(other.pod(uid, 2))->hold_timeout = Duration(2'000);
    other.see(uid);
  }
  other.reserve();
  CHECK(other.group().next_timer() == other.now + Duration(2'000));
  other.pass(Duration(2'000));
  CHECK(other.room.reserved.empty());
}

TEST_CASE_METHOD(Released,
                 "Each plan that is given back makes the next pause twice as long, up to the limit") {
  bench.pass(Duration(30'000));
  for (const int64_t pause : {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000}) {
    CHECK(bench.group().next_timer() == bench.now + Duration(pause));
    bench.pass(Duration(pause - 1));
    CHECK_FALSE(bench.plan());
    bench.pass(Duration(1));
    CHECK(bench.plan());
    bench.pass(Duration(30'000));
  }
}

TEST_CASE_METHOD(Released, "A timer that has come leaves no timer behind in the past") {
  bench.pass(Duration(30'000));
  bench.erase("d");  // and so no plan will use up the pause
  bench.pass(Duration(1'000));
  const auto next = bench.group().next_timer();
  CHECK((!next || *next > bench.now));
}

TEST_CASE_METHOD(Released, "A successful plan ends the memory of earlier failures") {
  bench.pass(Duration(30'000));
  bench.pass(Duration(1'000));
  bench.reserve();
  bench.bind_all();
  REQUIRE(bench.state() == State::kBound);
  bench.create("e");
  bench.reserve();
  bench.pass(Duration(30'000));
  CHECK(bench.group().next_timer() == bench.now + Duration(1'000));
}

TEST_CASE("A member deleted before the release ends a plan that needs it") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  bench.take();
  bench.erase("b");
  CHECK(bench.room.reserved.empty());
  CHECK(withdrawn(bench.take()) == std::set<std::string>{"a", "c", "d"});
  CHECK(bench.state() == State::kGathering);
  bench.create("e");
  CHECK(bench.plan());  // the replacement does not wait
}

TEST_CASE_METHOD(Released,
                 "A member deleted after the release ends a plan that needs it and answers the calls") {
  for (const char* uid : {"a", "b", "c"}) bench.call(uid, static_cast<uint64_t>(uid[0]));
  SECTION("one that was asked for") { bench.erase("a"); }
  SECTION("one that was not") { bench.erase("d"); }
  const Commands said = bench.take();
  CHECK(only<AnswerBind>(said).size() == 3);
  CHECK(only<Bind>(said).empty());
  CHECK(bench.room.reserved.empty());
}

TEST_CASE("The plan goes on without a deleted member when the minimum is reached all the same") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  bench.create_all({"a", "b", "c", "d"}, 2);
  bench.reserve();
  for (const char* uid : {"a", "b", "c"}) bench.call(uid, 1);
  bench.take();
  bench.erase("d");
  const Commands said = bench.take();
  CHECK(only<Bind>(said).size() == 3);
  CHECK(bench.room.reserved.size() == 3);
}

TEST_CASE("The release does not wait for a deleted member's nomination") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  bench.create_all({"a", "b", "c"}, 2);
  bench.plan();
  bench.take();
  for (const char* uid : {"a", "b"}) bench.group().nominated(uid, "p1", {}, bench.context());
  CHECK(bench.take().empty());
  bench.erase("c");
  CHECK(only<Release>(bench.take()).size() == 2);
}

TEST_CASE_METHOD(Released, "A member that starts to terminate leaves the plan as if it were deleted") {
  bench.pod("a").terminating = true;
  bench.see("a");
  CHECK(bench.room.reserved.empty());
  CHECK(withdrawn(bench.take()) == std::set<std::string>{"b", "c", "d"});
}

TEST_CASE_METHOD(Released, "A member deleted while bindings are under way leaves alone") {
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, static_cast<uint64_t>(uid[0]));
  bench.take();
  bench.erase("b");
  const auto answers = only<AnswerBind>(bench.take());
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].call == 'b');
  CHECK(bench.state() == State::kBinding);
  bench.group().bind_done("b", "p1", fail(ErrorCode::kNotFound, "gone"), bench.context());
  CHECK(bench.take().empty());
  for (const char* uid : {"a", "c", "d"}) {
    bench.pod(uid).node = bench.room.reserved.at(uid);
    bench.see(uid);
  }
  CHECK(bench.state() == State::kRepairing);
  CHECK(bench.room.reserved.empty());
}

TEST_CASE_METHOD(Released, "When every member goes while bindings are under way, the plan goes with them") {
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  bench.take();
  for (const char* uid : {"a", "b", "c", "d"}) bench.erase(uid);
  CHECK(bench.group().empty());
  CHECK(bench.room.reserved.empty());
  CHECK_FALSE(bench.group().next_timer());
}

TEST_CASE("A nomination that fails for good ends the plan with a pause and says so") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  bench.take();
  SECTION("the API forbids it") {
    bench.group().nominated("a", "p1", fail(ErrorCode::kForbidden, "no"), bench.context());
    CHECK(only<Tell>(bench.out).size() == 1);
  }
  SECTION("the API was away until the deadline") {
    bench.group().nominated("a", "p1", fail(ErrorCode::kUnavailable, "away"), bench.context());
    CHECK(only<Tell>(bench.out).at(0).message == "cannot nominate pod a: away");
  }
  SECTION("the pod has gone and the watch has not told it yet") {
    bench.group().nominated("a", "p1", fail(ErrorCode::kNotFound, "gone"), bench.context());
  }
  CHECK(bench.room.reserved.empty());
  CHECK_FALSE(bench.plan());
  bench.pass(Duration(1'000));
  CHECK(bench.plan());
}

TEST_CASE("A command that a later one made needless is no failure") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  bench.group().nominated("a", "p1", fail(ErrorCode::kCancelled, "needless"), bench.context());
  CHECK(bench.room.reserved.size() == 4);
}

TEST_CASE_METHOD(Released, "A pod that could not be bound for good is not tried on the same node at once") {
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  bench.take();
  SECTION("because the API forbids the binding") {
    bench.group().bind_done("a", "p1", fail(ErrorCode::kForbidden, "policy"), bench.context());
    for (const char* uid : {"b", "c", "d"}) {
      bench.pod(uid).node = "n1";
      bench.see(uid);
    }
    bench.pass(Duration(1'000));
    bench.reserve();
    CHECK(bench.node_of("a") == "n2");
  }
  SECTION("but is when the API was only away") {
    bench.group().bind_done("a", "p1", fail(ErrorCode::kUnavailable, "away"), bench.context());
    for (const char* uid : {"b", "c", "d"}) {
      bench.pod(uid).node = "n1";
      bench.see(uid);
    }
    bench.pass(Duration(1'000));
    bench.reserve();
    CHECK(bench.node_of("a") == "n1");
  }
}

TEST_CASE("What a plan wrote and could not take back is taken back when it is seen") {
  GroupBench bench;
  bench.create("a");
  bench.pod("a").plan = "p1";
  bench.see("a");
  CHECK(withdrawn(bench.take()) == std::set<std::string>{"a"});
  bench.pod("a").plan.clear();
  bench.pod("a").nominated_node = "n1";
  bench.see("a");
  CHECK(withdrawn(bench.take()) == std::set<std::string>{"a"});
  bench.pod("a").nominated_node.clear();
  bench.see("a");
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Released, "What a plan wrote stays while the plan does, and when its members are bound") {
  for (const char* uid : {"a", "b", "c", "d"}) bench.see(uid);
  CHECK(bench.take().empty());
  bench.bind_all();
  bench.take();
  for (const char* uid : {"a", "b", "c", "d"}) bench.see(uid);
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Released, "A planned member that asks for something else is planned again") {
  bench.pod("a").demand.set("nvidia.com/gpu", 2);
  bench.see("a");
  CHECK(bench.room.reserved.empty());
  CHECK(withdrawn(bench.take()).size() == 4);
  CHECK(bench.plan());
}

TEST_CASE("A plan's time runs anew with each member that is nominated or asked for the first time") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  bench.take();
  for (const char* uid : {"a", "b", "c", "d"}) {
    bench.pass(Duration(29'000));
    REQUIRE(bench.state() == State::kReserved);
    bench.group().nominated(uid, "p1", {}, bench.context());
  }
  for (const char* uid : {"a", "b", "c"}) {
    bench.pass(Duration(29'000));
    REQUIRE(bench.state() == State::kReserved);
    bench.call(uid, 1);
  }
  bench.call("a", 2);  // again, and no step
  bench.pass(Duration(20'000));
  bench.call("a", 3);
  bench.pass(Duration(10'000));
  CHECK(bench.state() == State::kPending);
}

TEST_CASE("A plan is not given back while one that was made before it comes on") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  const TimePoint before = bench.now;
  bench.pass(Duration(1'000));
  bench.create_all({"a", "b", "c", "d"});
  bench.reserve();
  const TimePoint after = bench.now + Duration(1);
  for (int i = 0; i < 5; ++i) {
    bench.pass(Duration(29'000));
    CHECK(bench.state() == State::kReserved);
    bench.progress.step(before, bench.now);
  }
  bench.pass(Duration(15'000));
  bench.progress.step(after, bench.now);  // a younger one is not before it
  bench.pass(Duration(15'000));
  CHECK(bench.state() == State::kPending);
}
