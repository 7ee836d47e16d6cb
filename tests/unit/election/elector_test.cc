// One and two candidates, second by second, on a clock of the test's own.
#include "election/elector.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "lease_store.h"

namespace muster::election {
namespace {

using namespace std::chrono_literals;
using test::LeaseStore;

TimePoint at(Duration time) { return TimePoint(100'000s + time); }

Settings named(const std::string& identity) {
  Settings settings;
  settings.identity = identity;
  return settings;
}

struct One {
  explicit One(const std::string& name, LeaseStore& lease_store)
      : elector(named(name), [] { return 0.5; }), store(lease_store) {}

  // Makes all calls that are due, each answered at once.
  void run(Duration now) {
    while (const auto call = elector.next_call(at(now), wall(now)))
      elector.answered(store.apply(*call), at(now));
  }
  // Makes the next call, whose reply gets lost after the call took effect.
  void lose_reply(Duration now) {
    const auto call = elector.next_call(at(now), wall(now));
    REQUIRE(call);
    (void)store.apply(*call);
    elector.answered(fail(ErrorCode::kUnavailable, "connection reset"), at(now));
  }
  void lose_call(Duration now) {
    REQUIRE(elector.next_call(at(now), wall(now)));
    elector.answered(fail(ErrorCode::kUnavailable, "connection refused"), at(now));
  }
  [[nodiscard]] bool leads(Duration now) const {
    return elector.role() == Role::kLeader && at(now) < elector.acting_until();
  }
  static std::string wall(Duration now) { return std::to_string(now.count()); }

  Elector elector;
  LeaseStore& store;
};

// From `from` to just before `to`, looking ten times a second.
template <typename... Candidates>
void run_all(Duration from, Duration to, Candidates&... candidates) {
  for (Duration now = from; now < to; now += 100ms) (candidates.run(now), ...);
}

TEST_CASE("The first candidate creates the lease and leads at once") {
  LeaseStore store;
  One a("a", store);
  a.run(0s);
  CHECK(a.leads(0s));
  REQUIRE(store.lease);
  CHECK(store.lease->holder == "a");
  CHECK(store.lease->duration_seconds == 15);
  CHECK(store.lease->transitions == 0);
  CHECK(store.lease->acquire_time == "0");
  CHECK(store.lease->renew_time == "0");
}

TEST_CASE("A leader renews every retry period and keeps what it acquired") {
  LeaseStore store;
  One a("a", store);
  run_all(0s, 1900ms, a);
  CHECK(store.lease->resource_version == "101");
  run_all(1900ms, 61s, a);
  CHECK(store.lease->resource_version == "131");
  CHECK(store.lease->acquire_time == "0");
  CHECK(store.lease->renew_time == "60000");
  CHECK(store.lease->transitions == 0);
  CHECK(a.leads(61s));
}

TEST_CASE(
    "A standby waits as long as the record is renewed, and takes the lease a lease duration after it is "
    "not") {
  LeaseStore store;
  One a("a", store);
  One b("b", store);
  run_all(0s, 60s, a, b);
  CHECK(a.leads(59s));
  CHECK(b.elector.role() == Role::kStandby);
  CHECK(b.elector.holder() == "a");
  // a is gone; its last renewal was at 58 s, and b saw it at most a second later.
  run_all(60s, 73s, b);
  CHECK_FALSE(b.leads(73s));
  run_all(73s, 74500ms, b);
  CHECK(b.leads(74500ms));
  CHECK(store.lease->holder == "b");
  CHECK(store.lease->transitions == 1);
  CHECK(store.lease->acquire_time == store.lease->renew_time);
}

TEST_CASE("The times in the record mean nothing: a standby goes by its own clock") {
  LeaseStore store;
  store.lease = kube::Lease{"7", "a", 15, "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z", 3};
  One b("b", store);
  run_all(0s, 14900ms, b);
  CHECK_FALSE(b.leads(14900ms));
  run_all(14900ms, 15200ms, b);
  CHECK(b.leads(15200ms));
  CHECK(store.lease->transitions == 4);
}

TEST_CASE("A record is good for the duration that stands in it") {
  LeaseStore store;
  store.lease = kube::Lease{"7", "a", 40, "x", "x", 0};
  One b("b", store);
  run_all(0s, 39s, b);
  CHECK_FALSE(b.leads(39s));
  run_all(39s, 40500ms, b);
  CHECK(b.leads(40500ms));
}

TEST_CASE("A change of labels does not make a record younger") {
  LeaseStore store;
  store.lease = kube::Lease{"7", "a", 15, "x", "x", 0};
  One b("b", store);
  run_all(0s, 10s, b);
  store.lease->resource_version = "8";
  run_all(10s, 15500ms, b);
  CHECK(b.leads(15500ms));
}

TEST_CASE("A leader that cannot renew stops a renew deadline after its last renewal was sent, for good") {
  LeaseStore store;
  One a("a", store);
  a.run(0s);
  for (const Duration now : {2s, 4s, 6s, 8s}) a.lose_call(now);
  CHECK(a.leads(9999ms));
  CHECK_FALSE(a.leads(10s));
  a.run(10s);
  CHECK(a.elector.role() == Role::kLost);
  run_all(10s, 60s, a);
  CHECK(a.elector.role() == Role::kLost);
  CHECK(store.lease->resource_version == "101");
}

TEST_CASE("Nobody has to look for a leader to stop: acting_until says when") {
  LeaseStore store;
  One a("a", store);
  run_all(0s, 5s, a);
  CHECK(a.elector.acting_until() == at(14s));
  // Paused from 5 s to 30 s: no call was made, and the first look finds it over.
  CHECK_FALSE(a.elector.next_call(at(30s), "30"));
  CHECK(a.elector.role() == Role::kLost);
}

TEST_CASE("A renewal that takes effect although its reply is lost does not prolong the leading") {
  LeaseStore store;
  One a("a", store);
  a.run(0s);
  a.lose_reply(2s);
  CHECK(store.lease->renew_time == "2000");
  CHECK(a.elector.acting_until() == at(10s));
  a.run(4s);  // reads, sees itself, renews
  CHECK(a.elector.acting_until() == at(14s));
  CHECK(store.lease->transitions == 0);
}

TEST_CASE("A candidate whose winning reply was lost leads after it has read and renewed") {
  LeaseStore store;
  One a("a", store);
  CHECK(std::holds_alternative<Read>(*a.elector.next_call(at(0s), "0")));
  a.elector.answered(std::optional<kube::Lease>(), at(0s));
  a.lose_reply(0s);
  CHECK(store.lease->holder == "a");
  CHECK(a.elector.role() == Role::kStandby);
  run_all(100ms, 1200ms, a);
  CHECK(a.leads(1200ms));
  CHECK(store.lease->transitions == 0);
  CHECK(store.lease->acquire_time == "0");
}

TEST_CASE("A reply that comes after the time it bought makes no leader") {
  LeaseStore store;
  One a("a", store);
  (void)a.elector.next_call(at(0s), "0");
  a.elector.answered(std::optional<kube::Lease>(), at(0s));
  const auto create = a.elector.next_call(at(0s), "0");
  REQUIRE(create);
  const Reply reply = store.apply(*create);
  a.elector.answered(reply, at(10s));
  CHECK(a.elector.role() == Role::kStandby);
  a.run(10s);
  CHECK(a.leads(10s));
  CHECK(a.elector.acting_until() == at(20s));
}

TEST_CASE("Of two candidates that write at once one gets through") {
  LeaseStore store;
  store.lease = kube::Lease{"7", "", 1, "x", "x", 2};
  One a("a", store);
  One b("b", store);
  a.elector.answered(store.apply(*a.elector.next_call(at(0s), "0")), at(0s));
  b.elector.answered(store.apply(*b.elector.next_call(at(0s), "0")), at(0s));
  const auto of_a = a.elector.next_call(at(0s), "0");
  const auto of_b = b.elector.next_call(at(0s), "0");
  a.elector.answered(store.apply(*of_a), at(0s));
  b.elector.answered(store.apply(*of_b), at(0s));
  CHECK(a.leads(0s));
  CHECK(b.elector.role() == Role::kStandby);
  run_all(1s, 60s, a, b);
  CHECK(a.leads(59s));
  CHECK(store.lease->transitions == 3);
}

TEST_CASE("A lease that was handed over is taken within half a retry period") {
  LeaseStore store;
  One a("a", store);
  One b("b", store);
  run_all(0s, 20s, a, b);
  const auto release = a.elector.release(at(20s), "20000");
  REQUIRE(release);
  REQUIRE(store.apply(*release));
  CHECK(store.lease->holder.empty());
  CHECK(store.lease->duration_seconds == 1);
  CHECK(store.lease->transitions == 0);
  CHECK_FALSE(a.leads(20s));
  run_all(20s, 21100ms, a, b);
  CHECK(b.leads(21s));
  CHECK(a.elector.role() == Role::kLost);
  CHECK(store.lease->transitions == 1);
  CHECK(store.lease->duration_seconds == 15);
}

TEST_CASE("Only a leader hands the lease over") {
  LeaseStore store;
  One a("a", store);
  One b("b", store);
  run_all(0s, 20s, a, b);
  CHECK_FALSE(b.elector.release(at(20s), "20000"));
  CHECK_FALSE(a.elector.release(at(40s), "40000"));  // its time is over; the lease may be another's
}

TEST_CASE("A leader that reads another name stops at once") {
  LeaseStore store;
  One a("a", store);
  a.run(0s);
  store.lease->holder = "b";
  store.lease->resource_version = "900";
  a.run(2s);
  CHECK(a.elector.role() == Role::kLost);
  CHECK(store.lease->holder == "b");
}

TEST_CASE("A leader whose record somebody annotated reads the new version and renews") {
  LeaseStore store;
  One a("a", store);
  a.run(0s);
  store.lease->resource_version = "900";
  a.run(2s);
  CHECK(a.elector.acting_until() == at(12s));
}

TEST_CASE("A lease that was deleted is made again by its holder, and waited out by a standby that knew it") {
  LeaseStore store;
  One a("a", store);
  One b("b", store);
  run_all(0s, 10s, a, b);
  store.lease.reset();
  run_all(10s, 12s, b);  // a is not heard of
  CHECK_FALSE(store.lease);
  run_all(12s, 13s, a, b);
  REQUIRE(store.lease);
  CHECK(store.lease->holder == "a");
  store.lease.reset();
  run_all(13s, 30s, b);
  CHECK(b.leads(30s));
}

TEST_CASE("Errors of the server leave a standby a standby") {
  LeaseStore store;
  One a("a", store);
  One b("b", store);
  run_all(0s, 5s, a, b);
  for (Duration now = 5s; now < 60s; now += 100ms) {
    a.run(now);
    if (b.elector.next_call(at(now), "x")) b.elector.answered(fail(ErrorCode::kUnavailable, "500"), at(now));
  }
  CHECK(b.elector.role() == Role::kStandby);
  run_all(60s, 70s, a, b);
  CHECK(a.leads(69s));
  CHECK(b.elector.role() == Role::kStandby);
}

TEST_CASE("A standby looks more often than every half retry period, and never earlier than a quarter") {
  for (const double chance : {0.0, 0.3, 0.999}) {
    LeaseStore store;
    store.lease = kube::Lease{"7", "a", 15, "x", "x", 0};
    Elector b(named("b"), [&] { return chance; });
    (void)b.next_call(at(0s), "0");
    b.answered(store.lease, at(0s));
    CHECK(b.wake_at() >= at(500ms));
    CHECK(b.wake_at() < at(1s));
  }
}

}  // namespace
}  // namespace muster::election
