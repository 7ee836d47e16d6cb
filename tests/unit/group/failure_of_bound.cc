// Faults of a group that stands, by failure-policy. (docs/failure-domain.md)
#include "failing_group.h"

namespace muster::group {

std::vector<Row> rows_of_a_bound_group() {
  return {
      {"Bound, Repair", "a member fails or is deleted",
       "Repairing: its replacement is planned beside the others, which stay",
       [] {
         Life life;
         life.bound().let_fail("a");
         CHECK(life.state() == State::kRepairing);
         life.remake();
         REQUIRE(life.plan());
         CHECK(life.room.last_question.fixed.size() == 3);
         life.bound();
         CHECK(life.evictions.empty());
       }},
      {"Bound, Repair", "a node is not ready for longer than the node grace",
       "its members are lost: they are evicted, and replaced beside the others",
       [] {
         Life life;
         life.bound().fate("a", NodeFate::kNotReady);
         CHECK(life.state() == State::kBound);
         life.fate("a", NodeFate::kLost);
         life.fate("b", NodeFate::kLost);
         CHECK(life.state() == State::kRepairing);
         const auto evictions = only<Evict>(life.out);
         REQUIRE(evictions.size() == 2);
         CHECK_FALSE(evictions[0].at_once);
         CHECK(life.evicted() == Names{"a", "b"});
         life.remake();
         REQUIRE(life.plan());
         CHECK(life.room.last_question.fixed.size() == 2);
         life.bound();
       }},
      {"Bound, Repair", "a node is gone", "its members are evicted without their grace period",
       [] {
         Life life;
         life.bound().fate("a", NodeFate::kGone);
         const auto evictions = only<Evict>(life.out);
         REQUIRE(evictions.size() == 1);
         CHECK(evictions[0].at_once);
         CHECK(life.evicted() == Names{"a"});
       }},
      {"Bound, Repair", "a node is gone under a member that is going already",
       "what nobody will confirm is evicted without its grace period",
       [] {
         Life life;
         life.bound().fate("a", NodeFate::kLost);
         CHECK(life.evicted() == Names{"a"});
         CHECK(life.pod("a").terminating);
         life.fate("a", NodeFate::kGone);
         const auto evictions = only<Evict>(life.out);
         REQUIRE(evictions.size() == 1);
         CHECK(evictions[0].at_once);
       }},
      {"Bound, Repair", "a node comes back within the node grace", "nothing happens",
       [] {
         Life life;
         life.bound().fate("a", NodeFate::kNotReady);
         life.fate("a", NodeFate::kFine);
         CHECK(life.state() == State::kBound);
         CHECK(life.out.empty());
       }},
      {"Bound, Repair", "a lost member has more than the minimum beside it",
       "the group stays Bound; the replacement joins",
       [] {
         Life life;
         life.make("e");
         life.bound().let_fail("a");
         CHECK(life.state() == State::kBound);
         life.pass(2 * kGrace);
         CHECK(life.state() == State::kBound);
         CHECK(life.evicted().empty());
       }},
      {"Bound, Repair", "a replacement finds no room in its slice",
       "it leaves the slice and not the required domain, and this is told",
       [] {
         Life life;
         for (const std::string& uid : kMembers) {
           test::Asking(life.pod(uid))->slices = {{2, "rack"}};
           life.see(uid);
         }
         life.bound().let_fail("a");
         life.erase("a");
         life.make("a'");
         test::Asking(life.pod("a'"))->slices = {{2, "rack"}};
         life.see("a'");
         life.room.answer = Answer(DoesNotFit{"rack n1 is full"});
         life.room.wider = Fits{{{"a'", "n2"}}};
         REQUIRE(life.plan());
         CHECK(life.room.reserved == std::map<std::string, std::string>{{"a'", "n2"}});
         const Names told = life.told();
         CHECK(std::find(told.begin(), told.end(), "RepairedOutsideSlice") != told.end());
       }},
      {"Bound, Repair", "the grace runs out without a replacement",
       "Unwinding: all are evicted, and the group is planned again as a whole",
       [] {
         Life life;
         life.bound().let_fail("a");
         life.pass(kGrace);
         CHECK(life.state() == State::kUnwinding);
         CHECK(only<Mark>(life.out).size() == 3);
         CHECK(only<Evict>(life.out).empty());  // not before the decision stands on every member
         CHECK(life.evicted() == Names{"b", "c", "d"});
         CHECK(life.holds_nothing());
       }},
      {"Bound, Repair", "the grace runs out while a replacement is planned",
       "the plan has one hold timeout more, then Unwinding",
       [] {
         Life life;
         life.bound().let_fail("a");
         life.remake();
         life.pass(kGrace - Duration(1));
         REQUIRE(life.plan());
         life.pass(kHold - Duration(1'000));
         life.carry_out();  // nominated: the plan comes on, and its own deadline moves
         life.pass(Duration(1'000));
         CHECK(life.state() == State::kRepairing);
         life.pass(Duration(1));
         CHECK(life.state() == State::kUnwinding);
         CHECK(life.room.reserved.empty());
         CHECK(life.evicted() == Names{"b", "c", "d"});
       }},
      {"Bound, Repair", "failure-grace is set", "it takes the place of the configured grace",
       [] {
         Life life;
         for (const std::string& uid : kMembers) {
           test::Asking(life.pod(uid))->failure_grace = Duration(5'000);
           life.see(uid);
         }
         life.bound().let_fail("a");
         life.pass(Duration(4'999));
         CHECK(life.state() == State::kRepairing);
         life.pass(Duration(1));
         CHECK(life.state() == State::kUnwinding);
       }},
      {"Bound, Restart", "a member is lost", "Restarting: all the others are evicted together",
       [] {
         Life life(FailurePolicy::kRestart);
         life.bound().let_fail("a");
         CHECK(life.state() == State::kRepairing);
         life.pass(Duration(1'000));
         CHECK(life.state() == State::kRestarting);
         CHECK(life.told() == Names{"Restarting"});
         CHECK(life.evicted() == Names{"b", "c", "d"});
         life.remake(FailurePolicy::kRestart);
         life.pass(Duration(2'000));
         life.bound();
         CHECK(life.group().restarts() == 1);
       }},
      {"Bound, Restart", "a member is lost that the minimum does not need",
       "Restarting all the same: the collective has lost it",
       [] {
         Life life(FailurePolicy::kRestart);
         life.make("e", FailurePolicy::kRestart);
         life.bound().let_fail("e");
         CHECK(life.state() == State::kBound);
         life.pass(Duration(1'000));
         CHECK(life.state() == State::kRestarting);
         CHECK(life.evicted() == kMembers);
       }},
      {"Bound, Restart", "all members are deleted by their owner", "nothing is restarted",
       [] {
         Life life(FailurePolicy::kRestart);
         life.bound();
         for (const std::string& uid : kMembers) {
           life.pod(uid).terminating = true;
           life.see(uid);
         }
         life.pass(Duration(1'000));
         CHECK(life.out.empty());
         CHECK(life.group().restarts() == 0);
       }},
      {"Bound, Restart", "a bare pod is among the members", "nothing is evicted, and the reason is told",
       [] {
         Life life(FailurePolicy::kRestart);
         life.make("e", FailurePolicy::kRestart, true);
         life.bound().let_fail("a");
         life.pass(Duration(1'000));
         CHECK(life.state() == State::kBound);
         CHECK(life.told() == Names{"NotRestarted"});
         CHECK(life.evicted().empty());
       }},
      {"Bound, Restart", "it fails again and again",
       "after the limit it lets go a last time and is Stuck, holding nothing, until another controller makes "
       "it",
       [] {
         Life life(FailurePolicy::kRestart);
         for (int i = 0; i < 6; ++i) {
           life.bound().let_fail(life.pods.begin()->first);
           life.pass(Duration(1'000));
           CHECK(life.state() == State::kRestarting);
           life.settle();
           life.remake(FailurePolicy::kRestart);
           life.pass(Duration(60'000));
         }
         CHECK(life.state() == State::kStuck);
         CHECK_FALSE(life.group().wants_plan(life.now, 99));
         CHECK(life.holds_nothing());
         CHECK(life.group().reason().find("it has let go 6 times in a row") != std::string::npos);
         for (const auto& [uid, member] : std::map(life.pods)) life.erase(uid);
         CHECK_FALSE(life.group().forgettable(life.now));
         for (const std::string& uid : kMembers) {
           life.pod(uid).controller_uid = "job-2";
           life.see(uid);
         }
         CHECK(life.group().restarts() == 0);
         life.bound();
       }},
      {"Bound, Restart", "it has stood for the restart window", "its restarts are counted anew",
       [] {
         Life life(FailurePolicy::kRestart);
         for (int i = 0; i < 8; ++i) {
           life.bound();
           life.pass(Duration(600'000));
           life.let_fail(life.pods.begin()->first);
           life.pass(Duration(1'000));
           CHECK(life.group().restarts() == 1);
           life.settle();
           life.remake(FailurePolicy::kRestart);
           life.pass(Duration(60'000));
         }
       }},
      {"Bound, Ignore", "a member is lost", "nothing; a replacement joins the others",
       [] {
         Life life(FailurePolicy::kIgnore);
         life.bound().fate("a", NodeFate::kGone);
         life.pass(10 * kGrace);
         CHECK(life.state() == State::kRepairing);
         CHECK(life.evicted().empty());
         life.erase("a");
         life.make("a'", FailurePolicy::kIgnore);
         life.bound();
       }},
      {"Bound", "a member completes", "nothing: the minimum counts it",
       [] {
         Life life(FailurePolicy::kRestart);
         life.bound().succeed("a");
         CHECK(life.state() == State::kBound);
         life.pass(10 * kGrace);
         CHECK(life.state() == State::kBound);
         CHECK(life.evicted().empty());
       }},
      {"Bound", "a completed member's pod is deleted", "nothing: it counts on until the group begins anew",
       [] {
         Life life(FailurePolicy::kRestart);
         life.bound().succeed("a");
         life.erase("a");
         life.pass(10 * kGrace);
         CHECK(life.state() == State::kBound);
         CHECK(life.evicted().empty());
       }},
      {"Bound", "a completed member's pod is deleted and Muster dies",
       "nothing: whom the next one has never seen it takes for completed",
       [] {
         Life life(FailurePolicy::kRestart);
         life.bound().succeed("a");
         life.erase("a");
         life.restart_and_resume();
         life.pass(10 * kGrace);
         CHECK(life.state() == State::kBound);
         CHECK(life.evicted().empty());
       }},
      {"Bound", "a member is deleted that was made to go before it completed", "it is lost, however it ended",
       [] {
         Life life;
         life.bound().pod("a").terminating = true;
         life.see("a");
         life.succeed("a");
         life.erase("a");
         CHECK(life.state() == State::kRepairing);
       }},
      {"Bound", "a member is lost after another has completed",
       "the lost one is replaced; a finishing group is never restarted, but Stuck if nothing replaces it",
       [] {
         Life life(FailurePolicy::kRestart);
         life.bound().succeed("a");
         life.let_fail("b");
         life.pass(kGrace - Duration(1));
         CHECK(life.state() == State::kRepairing);
         life.pass(Duration(1));
         CHECK(life.state() == State::kStuck);
         CHECK(life.group().reason() ==
               "group ns/g is stuck: 1 of its members have completed, so the others are left to end");
         CHECK(life.evicted().empty());
         life.remake(FailurePolicy::kRestart);
         life.bound();
       }},
  };
}

}  // namespace muster::group
