// Faults while a group gathers, is planned or is being bound. (docs/failure-domain.md)
#include "failing_group.h"

namespace muster::group {

std::vector<Row> rows_before_it_stands() {
  return {
      {"Gathering", "a member is deleted", "the others wait on and hold nothing",
       [] {
         Life life;
         life.erase("d");
         CHECK(life.state() == State::kGathering);
         CHECK(life.holds_nothing());
       }},
      {"Reserved", "a member is deleted and the rest does not reach the minimum",
       "the plan ends; its room is free in the same step",
       [] {
         Life life;
         life.reserved().erase("d");
         CHECK(life.room.reserved.empty());
         CHECK(life.state() == State::kGathering);
       }},
      {"Reserved", "a member's node is refused, cordoned, full or gone",
       "this member is planned on another node, the others stay",
       [] {
         Life life;
         const std::string before = life.reserved().node_of("a");
         life.group().node_refused("a", before, life.context());
         const auto nominated = only<Nominate>(life.take());
         REQUIRE(nominated.size() == 1);
         CHECK(nominated[0].pod.uid == "a");
         CHECK(life.room.reserved.size() == 4);
       }},
      {"Reserved", "kube-scheduler dies",
       "the plan waits for its calls until the hold timeout, then gives all back",
       [] {
         Life life;
         life.reserved().call("a", 1);
         life.group().bind_abandoned("a", 1);
         life.pass(Duration(30'000));
         CHECK(life.holds_nothing());
         CHECK(life.state() == State::kPending);
       }},
      {"Reserved", "Muster dies", "the plan that stands on the members is taken up, if it still holds",
       [] {
         Life life;
         life.reserved().restart_and_resume();
         CHECK(life.state() == State::kReserved);
         CHECK(life.room.reserved.size() == 4);
       }},
      {"Binding", "a reply is lost or the API server is away",
       "the binding is posted until its outcome is known",
       [] {
         Life life;
         const auto bindings = only<Bind>(life.binding());
         life.group().bind_done("a", bindings[0].plan, fail(ErrorCode::kUnavailable, "cut"), life.context());
         CHECK(only<Bind>(life.take()).size() == 1);
         CHECK(life.room.reserved.contains("a"));
       }},
      {"Binding", "bindings of several members fail for good",
       "these are planned again together, with the rest where it is",
       [] {
         Life life;
         life.bind_but({"c", "d"});
         life.settle();
         CHECK(life.state() == State::kRepairing);
         life.pass(Duration(1'000));
         REQUIRE(life.plan());
         CHECK(life.room.last_question.fixed.size() == 2);
         CHECK(life.room.reserved.size() == 2);
         while (!only<Nominate>(life.out).empty() || !only<Release>(life.out).empty()) life.carry_out();
         life.bind_all();
         CHECK(life.state() == State::kBound);
         CHECK(life.evictions.empty());
       }},
      {"Binding", "a member's pod is gone", "the others are bound; a replacement is planned beside them",
       [] {
         Life life;
         life.binding();
         life.erase("d");
         for (const std::string uid : {"a", "b", "c"}) {
           life.pod(uid).node = life.node_of(uid);
           life.see(uid);
         }
         CHECK(life.state() == State::kRepairing);
         life.make("d'");
         REQUIRE(life.plan());
         CHECK(life.room.last_question.fixed.size() == 3);
       }},
      {"Binding", "the grace runs out and members are missing",
       "Unwinding: all bound members are evicted, and the group is planned again as a whole",
       [] {
         Life life;
         life.room.slots = {{"n1", 4}};
         life.bind_but({"d"});
         life.settle();
         life.room.slots["n1"] = 3;
         life.pass(kGrace - Duration(1));
         CHECK(life.state() == State::kRepairing);
         life.pass(Duration(1));
         CHECK(life.state() == State::kUnwinding);
         CHECK(life.evicted() == Names{"a", "b", "c"});
         CHECK(life.state() != State::kUnwinding);
         CHECK(life.holds_nothing());
         life.room.slots["n1"] = 4;
         life.remake();
         life.pass(Duration(2'000));
         life.bound();
       }},
      {"Binding", "the grace runs out and a bound member is a bare pod",
       "Stuck: nothing is evicted, and the reason is told",
       [] {
         Life life(FailurePolicy::kRepair, true);
         life.room.slots = {{"n1", 4}};
         life.bind_but({"d"});
         life.settle();
         life.room.slots["n1"] = 3;
         life.pass(kGrace);
         CHECK(life.state() == State::kStuck);
         CHECK(life.told() == Names{"Stuck"});
         CHECK(life.group().reason() ==
               "group ns/g is stuck: pod a has no controller that would make it again, so none is evicted");
         CHECK(life.evicted().empty());
         CHECK(life.group().next_timer().value_or(life.now + kGrace) > life.now);
         // It is mended all the same when there is room again.
         life.room.slots["n1"] = 4;
         ++life.epoch;
         life.bound();
       }},
      {"Binding", "Muster dies with some members bound", "the rest of the plan is taken up and bound",
       [] {
         Life life;
         const auto bindings = only<Bind>(life.binding());
         for (const Bind& c : bindings) {
           if (c.pod.uid < "c") life.pod(c.pod.uid).node = c.node;
         }
         life.restart_and_resume();
         CHECK(life.room.reserved.size() == 2);
         while (!only<Nominate>(life.out).empty() || !only<Release>(life.out).empty()) life.carry_out();
         life.bind_all();
         CHECK(life.state() == State::kBound);
       }},
  };
}

}  // namespace muster::group
