// kube-scheduler refuses a planned node, or the node changes: the plan goes around it.
#include <catch2/catch.hpp>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

struct Released {
  GroupBench bench;
  Released() {
    bench.room.slots = {{"n1", 2}, {"n2", 2}, {"n3", 1}};
    bench.create_all({"a", "b", "c", "d"});
    bench.reserve();
    bench.take();
  }
  void refuse(const std::string& uid, const std::string& node) {
    bench.group().node_refused(uid, node, bench.context());
  }
};

}  // namespace

TEST_CASE_METHOD(Released, "The member of a refused node moves and the others stay") {
  bench.call("b", 7);
  refuse("a", "n1");
  const Commands said = bench.take();
  REQUIRE(said.size() == 1);
  const auto nominate = only<Nominate>(said).at(0);
  CHECK(nominate.pod.uid == "a");
  CHECK(nominate.node == "n3");
  CHECK(nominate.plan == "p1.1");
  CHECK(bench.room.reserved.at("a") == "n3");
  CHECK(bench.room.last_question.fixed.size() == 3);

  // Its gate is gone, so the nomination is all that is written. kube-scheduler may go on meanwhile.
  CHECK(bench.node_of("a") == "n3");
  CHECK(bench.node_of("c") == "n2");
  bench.call("c", 8);
  bench.call("d", 9);
  CHECK(only<AnswerBind>(bench.take()).empty());

  bench.call("a", 10);
  CHECK(bench.take().empty());
  bench.group().nominated("a", "p1.1", {}, bench.context());
  const Commands then = bench.take();
  CHECK(then.size() == 4);
  CHECK(only<Bind>(then).size() == 4);
}

TEST_CASE_METHOD(Released,
                 "A late confirmation of the first nomination does not stand for a moved member's") {
  refuse("a", "n1");
  bench.take();
  bench.group().nominated("a", "p1", {}, bench.context());
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  CHECK(bench.take().empty());
  bench.group().nominated("a", "p1.1", {}, bench.context());
  CHECK(only<Bind>(bench.take()).size() == 4);
}

TEST_CASE_METHOD(Released, "A member that is moved before its gate is seen gone is released again") {
  bench.pod("a").held_by_gate = true;
  bench.see("a");
  refuse("a", "n1");
  CHECK(bench.node_of("a").empty());
  bench.take();
  bench.group().nominated("a", "p1.1", {}, bench.context());
  const auto released = only<Release>(bench.take());
  REQUIRE(released.size() == 1);
  CHECK(released[0].gated);
  CHECK(bench.node_of("a") == "n3");
}

TEST_CASE_METHOD(Released, "The call of a member whose node is no longer fit is answered with an error") {
  bench.call("a", 7);
  refuse("a", "n1");
  const auto answers = only<AnswerBind>(bench.take());
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].result.error().message == "muster: node n1 is not fit any more");
  for (const char* uid : {"b", "c", "d"}) bench.call(uid, 1);
  CHECK(only<Bind>(bench.take()).empty());
}

TEST_CASE_METHOD(Released, "A refusal of another node than the planned one says nothing") {
  refuse("a", "n2");
  refuse("nobody", "n1");
  CHECK(bench.take().empty());
  refuse("a", "n1");
  refuse("a", "n1");
  CHECK(only<Nominate>(bench.take()).size() == 1);
}

TEST_CASE_METHOD(Released,
                 "A member that cannot move ends the plan, and the next one goes around the node at once") {
  bench.room.slots = {{"n1", 2}, {"n2", 2}};
  refuse("a", "n1");
  CHECK(bench.room.reserved.empty());
  CHECK(only<Withdraw>(bench.take()).size() == 4);
  CHECK(bench.plan());
  CHECK(bench.room.reserved.at("a") == "n2");
  CHECK(bench.room.reserved.size() == 4);
}

TEST_CASE_METHOD(Released, "A group that is refused again and again pauses longer and longer") {
  bench.room.slots = {{"n1", 2}, {"n2", 2}};
  refuse("a", "n1");
  CHECK(bench.plan());  // at once the first time
  refuse("b", bench.room.reserved.at("b"));
  CHECK_FALSE(bench.plan());
  CHECK(bench.group().next_timer() == bench.now + Duration(2'000));
}

TEST_CASE_METHOD(Released,
                 "Refusals are forgotten after the longest pause, so that a group is not stopped by them") {
  bench.room.slots = {{"n1", 4}};
  refuse("a", "n1");
  CHECK(bench.plan());
  CHECK(bench.state() == State::kPending);  // n1 is all there is
  REQUIRE(bench.group().next_timer());
  CHECK(*bench.group().next_timer() == bench.now + Duration(60'000));
  bench.pass(Duration(60'000));
  CHECK(bench.plan());
  CHECK(bench.state() == State::kReserved);
}

TEST_CASE_METHOD(Released, "A refusal while bindings are under way, or of a bound member, changes nothing") {
  SECTION("bound by somebody else before the barrier") {
    bench.pod("a").node = "n1";
    bench.see("a");
    bench.take();
    refuse("a", "n1");
  }
  SECTION("the barrier is open") {
    for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
    bench.take();
    refuse("a", "n1");
  }
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Released, "kube-scheduler's words on a released pod are a refusal, our own are not") {
  bench.pod("a").unschedulable_message = "0/3 nodes are available: 3 muster: waits";
  bench.see("a");
  CHECK(bench.take().empty());
  bench.pod("a").unschedulable_message =
      "0/3 nodes are available: 3 node(s) had volume node affinity conflict";
  bench.see("a");
  CHECK(only<Nominate>(bench.take()).at(0).node == "n3");
  CHECK(bench.room.last_question.exclusions.at("a").contains("n1"));
}

TEST_CASE("kube-scheduler's words from before the release are none on the plan") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  for (const char* uid : {"a", "b", "c", "d"}) {
    bench.pod(uid).held_by_gate = false;
    bench.pod(uid).unschedulable_message = "0/1 nodes are available: 1 Insufficient cpu";
    bench.see(uid);
  }
  bench.plan();
  bench.take();
  bench.pod("a").unschedulable_message = "0/2 nodes are available: 2 Insufficient cpu";
  bench.see("a");
  CHECK(bench.room.reserved.at("a") == "n1");
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Released, "kube-scheduler's words on a member that it has asked to bind are old") {
  bench.call("a", 1);
  bench.pod("a").unschedulable_message = "0/3 nodes are available: 3 Insufficient cpu";
  bench.see("a");
  CHECK(bench.take().empty());
}
