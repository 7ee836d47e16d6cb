// The thread around the elector, against a lease in memory and a clock of the test's own.
#include "election/candidate.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <mutex>
#include <thread>

#include "election/fenced_writer.h"
#include "lease_store.h"
#include "support/fake_writer.h"
#include "support/soon.h"

namespace muster::election {
namespace {

using namespace std::chrono_literals;
using test::soon;

class SharedLease final : public kube::Leases {
 public:
  Result<std::optional<kube::Lease>> read() override { return call(Read{}); }
  Result<kube::Lease> create(const kube::Lease& lease) override { return written(call(Create{lease})); }
  Result<kube::Lease> update(const kube::Lease& lease) override { return written(call(Update{lease})); }

  [[nodiscard]] std::string holder() {
    const std::lock_guard lock(mutex_);
    return store_.lease ? store_.lease->holder : "nobody";
  }
  std::atomic<bool> reachable = true;
  std::atomic<int> calls = 0;

 private:
  Reply call(const Call& call) {
    ++calls;
    if (!reachable) return fail(ErrorCode::kUnavailable, "connection refused");
    const std::lock_guard lock(mutex_);
    return store_.apply(call);
  }
  static Result<kube::Lease> written(Reply reply) {
    if (!reply) return tl::unexpected(reply.error());
    return **std::move(reply);
  }

  std::mutex mutex_;
  test::LeaseStore store_;
};

struct Running {
  Running(const std::string& name, SharedLease& lease, const Clock& clock, bool is_fit = true,
          Duration lease_duration = 2s)
      : fit(is_fit) {
    Settings settings;
    settings.identity = name;
    settings.lease_duration = lease_duration;
    settings.renew_deadline = lease_duration / 2;
    settings.retry_period = 100ms;
    Callbacks callbacks;
    callbacks.fit_to_lead = [this] { return fit.load(); };
    callbacks.on_elected = [this] { ++elected; };
    callbacks.on_lost = [this] { ++lost; };
    candidate = std::make_unique<Candidate>(settings, lease, clock, [] { return 0.5; }, callbacks);
    candidate->start();
  }

  std::atomic<bool> fit;
  std::atomic<int> elected = 0;
  std::atomic<int> lost = 0;
  std::unique_ptr<Candidate> candidate;
};

TEST_CASE("A candidate is elected once, acts, and hands the lease over when it is stopped") {
  SharedLease lease;
  SteadyClock clock;
  constexpr Duration kNeverOver = 120s;
  Running a("a", lease, clock, true, kNeverOver);
  REQUIRE(soon([&] { return a.candidate->acting(); }));
  REQUIRE(soon([&] { return a.elected == 1; }));
  Running b("b", lease, clock, true, kNeverOver);
  REQUIRE(soon([&] { return b.candidate->standing() == "standby: a leads"; }));
  CHECK_FALSE(b.candidate->acting());
  a.candidate->stop();
  CHECK_FALSE(a.candidate->acting());
  CHECK(soon([&] { return b.candidate->acting(); }));
  CHECK(lease.holder() == "b");
  CHECK(a.lost == 0);
  CHECK(a.elected == 1);
}

TEST_CASE("A process that is not fit to lead leaves the lease alone") {
  SharedLease lease;
  SteadyClock clock;
  Running a("a", lease, clock, false);
  std::this_thread::sleep_for(300ms);
  CHECK(lease.calls == 0);
  a.fit = true;
  CHECK(soon([&] { return a.candidate->acting(); }));
}

TEST_CASE("A leader that cannot reach the lease no longer acts, says so once, and does not come back") {
  SharedLease lease;
  SteadyClock clock;
  Running a("a", lease, clock);
  REQUIRE(soon([&] { return a.elected == 1; }));
  lease.reachable = false;
  REQUIRE(soon([&] { return a.lost == 1; }));
  CHECK_FALSE(a.candidate->acting());
  CHECK(a.candidate->standing() == "the lease was not renewed in time");
  lease.reachable = true;
  std::this_thread::sleep_for(300ms);
  CHECK_FALSE(a.candidate->acting());
  a.candidate->stop();
  CHECK(lease.holder() == "a");  // not ours to hand over any more
}

TEST_CASE("After a pause that was too long the first look says no, before the thread has woken up") {
  SharedLease lease;
  test::ManualClock clock;
  Running a("a", lease, clock);
  REQUIRE(soon([&] { return a.candidate->acting(); }));
  clock.pass(5s);
  CHECK_FALSE(a.candidate->acting());
  CHECK(soon([&] { return a.lost == 1; }));
}

TEST_CASE("A fence lets writes through while it may act, and none after") {
  test::FakeWriter api;
  kube::Pod pod;
  pod.ns = "ns";
  pod.name = "p";
  pod.uid = "u";
  api.put(pod);
  bool may = true;
  FencedWriter fence(api, [&] { return may; });
  const kube::PodRef ref{"ns", "p", "u"};
  CHECK(fence.nominate(ref, "n1", "plan"));
  may = false;
  for (const Result<void>& refused :
       {fence.nominate(ref, "n2", "plan"), fence.release(ref), fence.bind(ref, "n2", {}),
        fence.evict(ref, {}), fence.mark(ref, "why"), fence.set_ready(ref, true),
        fence.record({ref, "Reason", "words", false})}) {
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kCancelled);
  }
  CHECK(fence.get_pod("ns", "p"));
  CHECK(api.calls() == std::vector<std::string>{"nominate p n1 plan", "get p"});
}

}  // namespace
}  // namespace muster::election
