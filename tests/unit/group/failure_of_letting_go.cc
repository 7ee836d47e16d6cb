// Faults while a group lets go of all it holds. (docs/failure-domain.md)
#include "failing_group.h"

namespace muster::group {
namespace {

// Of the three members that a broken group of four lets go of, all of them marked.
std::vector<Evict> evictions_after_grace(Life& life) {
  life.pass(kGrace);
  for (const Mark& mark : only<Mark>(life.take())) life.group().marked(mark.pod.uid, {}, life.context());
  std::vector<Evict> evictions = only<Evict>(life.take());
  REQUIRE(evictions.size() == 3);
  return evictions;
}

}  // namespace

std::vector<Row> rows_of_letting_go() {
  return {
      {"Unwinding, Restarting", "Muster dies",
       "the marks on the members tell it what was decided, and it goes on",
       [] {
         Life life(FailurePolicy::kRestart);
         life.make("e", FailurePolicy::kRestart);
         life.bound().let_fail("a");
         life.pass(Duration(1'000));
         const auto marks = only<Mark>(life.take());
         life.pod("b").mark = marks[0].why;  // only one of them reached the API
         life.pod("c").restarts = 2;
         life.pod("a").restarts = 7;  // of no live member
         life.restart_and_resume();
         CHECK(life.state() == State::kRestarting);
         CHECK(life.group().restarts() == 3);  // what was interrupted counts
         CHECK(life.evicted() == Names{"b", "c", "d", "e"});
       }},
      {"Unwinding, Restarting", "a PodDisruptionBudget refuses an eviction",
       "it is tried again with backoff, and told; nothing is planned meanwhile",
       [] {
         Life life;
         life.bound().let_fail("a");
         const std::vector<Evict> evictions = evictions_after_grace(life);
         CHECK(evictions[0].obey_budgets);
         life.group().evicted(evictions[0], fail(ErrorCode::kThrottled, "budget"), life.context());
         CHECK(life.told() == Names{"EvictionBlocked"});
         CHECK(only<Evict>(life.take()).empty());
         life.make("a'");
         CHECK_FALSE(life.group().wants_plan(life.now, 99));
         CHECK(life.group().next_timer() == life.now + Duration(1'000));
         life.pass(Duration(1'000));
         CHECK(only<Evict>(life.take()).size() == 1);
       }},
      {"Unwinding, Restarting", "disruption-budgets is Ignore", "members are deleted past the budgets",
       [] {
         Life life;
         for (const std::string& uid : kMembers) {
           test::Asking(life.pod(uid))->obey_budgets = false;
           life.see(uid);
         }
         life.bound().let_fail("a");
         const std::vector<Evict> evictions = evictions_after_grace(life);
         CHECK_FALSE(evictions[0].obey_budgets);
       }},
      {"Unwinding, Restarting", "the API server is away",
       "marks and evictions are repeated until they are done",
       [] {
         Life life;
         life.bound().let_fail("a");
         life.pass(kGrace);
         life.take();
         life.group().marked("b", fail(ErrorCode::kUnavailable, "cut"), life.context());
         CHECK(only<Mark>(life.take()).size() == 1);
         for (const char* uid : {"c", "d"}) life.group().marked(uid, {}, life.context());
         CHECK(life.out.empty());  // the mark of b does not stand yet
         life.group().marked("b", {}, life.context());
         const auto evictions = only<Evict>(life.take());
         REQUIRE(evictions.size() == 3);
         life.group().evicted(evictions[0], fail(ErrorCode::kUnavailable, "cut"), life.context());
         life.pass(Duration(1'000));
         CHECK(only<Evict>(life.take()).size() == 1);
       }},
  };
}

}  // namespace muster::group
