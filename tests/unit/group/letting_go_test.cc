// How evictions and marks that are refused, late or out of order end.
#include "failing_group.h"

namespace muster::group {
namespace {

TEST_CASE(
    "An eviction with its grace period that fails late says nothing of the one without that followed it") {
  Life life;
  life.bound().fate("a", NodeFate::kLost);
  const auto with_grace = only<Evict>(life.take());
  REQUIRE(with_grace.size() == 1);
  life.fate("a", NodeFate::kGone);
  const auto at_once = only<Evict>(life.take());
  REQUIRE(at_once.size() == 1);
  life.group().evicted(with_grace[0], fail(ErrorCode::kThrottled, "budget"), life.context());
  CHECK(life.out.empty());
  life.pass(Duration(5'000));
  CHECK(life.out.empty());

  life.group().evicted(at_once[0], fail(ErrorCode::kThrottled, "budget"), life.context());
  CHECK(life.told() == Names{"EvictionBlocked"});
  life.take();
  life.pass(Duration(1'000));
  const auto again = only<Evict>(life.take());
  REQUIRE(again.size() == 1);
  CHECK(again[0].at_once);
}

TEST_CASE("Of evictions that were refused, what may be tried first decides when they are") {
  for (const bool soonest_first : {true, false}) {
    Life life;
    life.bound().fate("a", NodeFate::kLost);
    life.fate("b", NodeFate::kLost);
    const auto evictions = only<Evict>(life.take());
    REQUIRE(evictions.size() == 2);
    const Error soon{ErrorCode::kThrottled, "budget"};
    const Error late{ErrorCode::kForbidden, "no"};
    life.group().evicted(evictions[0], tl::unexpected(soonest_first ? soon : late), life.context());
    life.group().evicted(evictions[1], tl::unexpected(soonest_first ? late : soon), life.context());
    CHECK(life.group().next_timer() == life.now + Duration(1'000));
    life.take();
    life.pass(Duration(1'000));
    CHECK(only<Evict>(life.take()).size() == 2);
  }
}

TEST_CASE(
    "A member whose node came back while it was being evicted is evicted at once when the node is gone") {
  Life life;
  life.bound().fate("a", NodeFate::kGone);
  CHECK(only<Evict>(life.take()).size() == 1);
  life.pod("a").terminating = true;
  life.see("a");
  life.fate("a", NodeFate::kFine);
  CHECK(life.out.empty());
  life.fate("a", NodeFate::kGone);
  const auto evictions = only<Evict>(life.out);
  REQUIRE(evictions.size() == 1);
  CHECK(evictions[0].at_once);
}

TEST_CASE(
    "A mark that cannot be written for good keeps nobody from being evicted, one that may be is written "
    "first") {
  Life life;
  life.bound().let_fail("a");
  life.pass(kGrace);
  const auto marks = only<Mark>(life.take());
  REQUIRE(marks.size() == 3);
  life.group().marked("c", {}, life.context());
  life.group().marked("d", {}, life.context());
  Error busy{ErrorCode::kThrottled, "slow down"};
  busy.retry_after = Duration(40'000);
  life.group().marked("b", tl::unexpected(busy), life.context());
  const auto again = only<Mark>(life.take());
  REQUIRE(again.size() == 1);
  CHECK(again[0].pod.uid == "b");
  CHECK(again[0].why == "unwind");
  CHECK(again[0].deadline == life.now + Duration(80'000));  // what the server asks to wait is inside its time
  life.group().marked("b", fail(ErrorCode::kForbidden, "no"), life.context());
  const Commands then = life.take();
  CHECK(only<Mark>(then).empty());
  CHECK(only<Evict>(then).size() == 3);
}

TEST_CASE("The mark of a member that is gone meanwhile is not written again, and the others go") {
  Life life(FailurePolicy::kRestart);
  life.bound().let_fail("a");
  life.pass(Duration(1'000));
  REQUIRE(only<Mark>(life.take()).size() == 3);
  life.group().marked("c", {}, life.context());
  life.group().marked("d", fail(ErrorCode::kUnavailable, "cut"), life.context());
  const auto again = only<Mark>(life.take());
  REQUIRE(again.size() == 1);
  CHECK(again[0].why == "restart");
  life.pod("d").terminating = true;
  life.see("d");
  life.group().marked("d", fail(ErrorCode::kUnavailable, "cut"), life.context());
  CHECK(life.out.empty());
  life.group().marked("b", {}, life.context());
  const Commands then = life.take();
  CHECK(only<Mark>(then).empty());
  CHECK(only<Evict>(then).size() == 2);
}

}  // namespace
}  // namespace muster::group
