// The pool: repetition, deadlines, order, priorities, stop.
#include "binder/binder.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "support/fake_writer.h"
#include "support/kube_objects.h"
#include "support/soon.h"

using namespace muster;
using namespace muster::group;
using muster::test::FakeWriter;
using muster::test::ManualClock;
using muster::test::soon;

namespace {

PodId id(const std::string& name) { return {"ns", name, "uid-" + name}; }

struct Pool {
  FakeWriter api;
  ManualClock clock;
  std::mutex mutex;
  std::vector<binder::Report> reports;
  std::unique_ptr<binder::Binder> pool;

  Pool() {
    for (const char* name : {"a", "b", "c"}) {
      kube::Pod pod = muster::test::make_member(name, "g", 1);
      pod.scheduling_gates.clear();
      pod.annotations["muster.dev/plan"] = "p1";
      api.put(pod);
    }
  }
  ~Pool() { api.open_gate(); }
  binder::Binder& start(unsigned workers = 4) {
    binder::Options options;
    options.workers = workers;
    options.backoff = {Duration(2), Duration(4)};
    pool = std::make_unique<binder::Binder>(
        options, api, clock, [] { return 0.5; },
        [this](binder::Report report) {
          const std::lock_guard lock(mutex);
          reports.push_back(std::move(report));
        });
    return *pool;
  }
  TimePoint in(int64_t ms) const { return clock.now() + Duration(ms); }
  Nominate nominate(const std::string& pod, const std::string& node, const std::string& plan) const {
    return {id(pod), node, plan, in(1'000)};
  }
  Bind bind(const std::string& pod, const std::string& node) const {
    return {id(pod), node, "p1", {}, in(1'000), api.pod(pod).resource_version};
  }
  std::size_t reported() {
    const std::lock_guard lock(mutex);
    return reports.size();
  }
  std::vector<binder::Report> taken() {
    const std::lock_guard lock(mutex);
    return reports;
  }
  bool idle() const { return pool->backlog() == 0; }
  // So many attempts have failed, and the pool waits for the clock before the next one.
  bool failed(std::size_t attempts) {
    return soon([&] { return api.calls().size() == attempts && pool->repeating() == 1; });
  }
  void fail_always(Error error, const std::string& of_verb = "") {
    api.set_faults([=](const std::string& verb, const std::string&) -> std::optional<FakeWriter::Fault> {
      if (!of_verb.empty() && verb != of_verb) return std::nullopt;
      return FakeWriter::Fault{error, false};
    });
  }
  void fail_times(int times, Error error, bool took_effect = false) {
    api.set_faults([=](const std::string&, const std::string&) mutable -> std::optional<FakeWriter::Fault> {
      if (times-- <= 0) return std::nullopt;
      return FakeWriter::Fault{error, took_effect};
    });
  }
};

}  // namespace

TEST_CASE_METHOD(Pool, "A command is carried out and reported once") {
  start().submit(bind("a", "n1"));
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(taken()[0].result);
  CHECK(std::get<Bind>(taken()[0].command).pod.name == "a");
  CHECK(soon([&] { return idle(); }));
}

TEST_CASE_METHOD(Pool, "What may pass is repeated until it does") {
  const auto code = GENERATE(ErrorCode::kUnavailable, ErrorCode::kThrottled, ErrorCode::kUnauthorized,
                             ErrorCode::kInternal);
  fail_times(3, {code, "passing"});
  start().submit(bind("a", "n1"));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(failed(static_cast<std::size_t>(i + 1)));
    CHECK(reported() == 0);
    clock.pass(Duration(10));
  }
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(taken()[0].result);
  CHECK(api.calls().size() == 4);
}

TEST_CASE_METHOD(Pool, "What does not pass is reported at once") {
  const auto code =
      GENERATE(ErrorCode::kNotFound, ErrorCode::kForbidden, ErrorCode::kInvalid, ErrorCode::kExpired);
  fail_always({code, "no"});
  start().submit(bind("a", "n1"));
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(taken()[0].result.error().code == code);
  CHECK(api.calls().size() == 1);
}

TEST_CASE_METHOD(Pool, "A binding that took effect although its reply was lost succeeds") {
  fail_times(1, {ErrorCode::kUnavailable, "reply lost"}, true);
  start().submit(bind("a", "n1"));
  REQUIRE(failed(1));
  clock.pass(Duration(10));
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(taken()[0].result);
  CHECK(api.pod("a").node_name == "n1");
}

TEST_CASE_METHOD(Pool, "Repetition ends at the deadline with the last error") {
  fail_always({ErrorCode::kUnavailable, "away"});
  start().submit(bind("a", "n1"));
  REQUIRE(failed(1));
  clock.pass(Duration(1'000));
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(taken()[0].result.error().message == "away");
  CHECK(api.calls().size() == 2);
}

TEST_CASE_METHOD(Pool, "The server says when to come back") {
  Error busy{ErrorCode::kThrottled, "busy"};
  busy.retry_after = Duration(500);
  fail_times(1, busy);
  start().submit(bind("a", "n1"));
  REQUIRE(failed(1));
  clock.pass(Duration(400));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(api.calls().size() == 1);
  clock.pass(Duration(100));
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(taken()[0].result);
}

TEST_CASE_METHOD(Pool, "A server that says to come back at once is called again after a pause all the same") {
  Error busy{ErrorCode::kThrottled, "busy"};
  busy.retry_after = Duration(0);
  fail_times(1, busy);
  start().submit(bind("a", "n1"));
  REQUIRE(failed(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(api.calls().size() == 1);
  clock.pass(Duration(4));
  REQUIRE(soon([&] { return reported() == 1; }));
}

TEST_CASE_METHOD(Pool, "A withdrawal is repeated until the API server takes it, however long that is away") {
  fail_always({ErrorCode::kUnavailable, "away"});
  start().submit(Withdraw{id("a")});
  REQUIRE(soon([&] {
    clock.pass(Duration(4));
    return api.calls().size() >= 100;
  }));
  api.set_faults({});
  CHECK(soon([&] {
    clock.pass(Duration(4));
    return idle();
  }));
  CHECK(api.pod("a").annotations.count("muster.dev/plan") == 0);
}

TEST_CASE_METHOD(Pool, "When to come back is after the deadline, it is not waited for") {
  Error busy{ErrorCode::kThrottled, "busy"};
  busy.retry_after = Duration(5'000);
  fail_always(busy);
  start().submit(bind("a", "n1"));
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(taken()[0].result.error().code == ErrorCode::kThrottled);
}

TEST_CASE_METHOD(Pool, "What finishes a group goes first, what begins one after it, and the rest last") {
  api.close_gate("record c");
  start(1).submit(Tell{id("c"), EventReason::kNoRoom, "x", true});
  REQUIRE(soon([&] { return api.at_gate() == 1; }));
  pool->submit(Tell{id("a"), EventReason::kNoRoom, "x", true});
  pool->submit(Withdraw{id("a")});
  pool->submit(nominate("b", "n1", "p1"));
  api.put(muster::test::make_member("e", "g", 1));
  pool->submit(Release{id("e"), "n1", "p1", true, in(1'000)});
  pool->submit(bind("c", "n2"));
  kube::Pod other = muster::test::make_member("d", "g", 1);
  other.scheduling_gates.clear();
  other.annotations["muster.dev/plan"] = "p1";
  api.put(other);
  pool->submit(bind("d", "n2"));
  api.open_gate();
  REQUIRE(soon([&] { return idle(); }));
  const std::vector<std::string> calls = api.calls();
  REQUIRE(calls.size() == 7);
  CHECK(calls[1].starts_with("bind"));
  CHECK(calls[2].starts_with("bind"));
  CHECK(calls[3] == "release e");
  CHECK(calls[4] == "nominate b n1 p1");
  CHECK(calls[5] == "record a NoRoom");
  CHECK(calls[6] == "nominate a  ");
}

TEST_CASE_METHOD(Pool, "A withdrawal does not overtake or undo the nomination that comes after it") {
  api.close_gate("nominate c");
  start(1).submit(nominate("c", "n9", "p0"));
  REQUIRE(soon([&] { return api.at_gate() == 1; }));
  pool->submit(Withdraw{id("a")});
  pool->submit(nominate("a", "n2", "p2"));
  api.open_gate();
  REQUIRE(soon([&] { return idle(); }));
  CHECK(api.pod("a").nominated_node == "n2");
  CHECK(api.calls() == std::vector<std::string>{"nominate c n9 p0", "nominate a n2 p2"});
}

TEST_CASE_METHOD(Pool,
                 "A nomination that is being repeated gives way to a later one and is reported cancelled") {
  api.set_faults([n = 0](const std::string&, const std::string&) mutable -> std::optional<FakeWriter::Fault> {
    if (n++ > 0) return std::nullopt;
    return FakeWriter::Fault{{ErrorCode::kUnavailable, "cut"}, false};
  });
  start().submit(nominate("a", "n1", "p1"));
  REQUIRE(failed(1));
  pool->submit(nominate("a", "n2", "p1.1"));
  REQUIRE(soon([&] { return reported() >= 1 && idle(); }));
  clock.pass(Duration(100));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(api.pod("a").nominated_node == "n2");
  CHECK(api.calls().size() == 2);
  int cancelled = 0;
  for (const binder::Report& report : taken()) {
    if (report.result) continue;
    ++cancelled;
    CHECK(std::get<Nominate>(report.command).plan == "p1");
  }
  CHECK(cancelled == 1);
  CHECK(reported() == 2);
}

TEST_CASE_METHOD(Pool, "A call under way is finished before the next command for its pod begins") {
  api.close_gate("nominate a n1");
  start(4).submit(nominate("a", "n1", "p1"));
  REQUIRE(soon([&] { return api.at_gate() == 1; }));
  pool->submit(nominate("a", "n2", "p1.1"));
  pool->submit(nominate("b", "n1", "p1"));
  REQUIRE(soon([&] { return reported() == 1; }));  // b's: other pods do not wait
  CHECK(api.calls() == std::vector<std::string>{"nominate b n1 p1"});
  api.open_gate();
  REQUIRE(soon([&] { return idle(); }));
  CHECK(api.pod("a").nominated_node == "n2");
  CHECK(reported() == 3);
}

TEST_CASE_METHOD(Pool, "A binding makes a release needless that is still being repeated") {
  fail_always({ErrorCode::kUnavailable, "cut"}, "release");
  start().submit(Release{id("a"), "n1", "p1", true, in(1'000)});
  REQUIRE(failed(1));
  pool->submit(bind("a", "n1"));
  REQUIRE(soon([&] { return idle(); }));
  CHECK(api.pod("a").node_name == "n1");
  CHECK(soon([&] { return reported() == 2; }));
}

TEST_CASE_METHOD(Pool, "A release waits for its nomination, and both take place") {
  fail_times(1, {ErrorCode::kUnavailable, "cut"});
  start().submit(nominate("a", "n1", "p1"));
  pool->submit(Release{id("a"), "n1", "p1", true, in(1'000)});
  REQUIRE(failed(1));
  CHECK(soon([&] {
    clock.pass(Duration(10));
    return idle();
  }));
  CHECK(api.calls().back() == "release a");
  CHECK(reported() == 2);
}

TEST_CASE_METHOD(Pool, "Readiness does not wait for an eviction that a budget refuses") {
  fail_always({ErrorCode::kThrottled, "budget"}, "evict");
  start().submit(Evict{id("a"), true, false, in(1'000)});
  REQUIRE(failed(1));
  pool->submit(SetReady{id("a"), false, in(1'000)});
  REQUIRE(soon([&] { return reported() == 1; }));
  CHECK(api.pod("a").group_ready == false);
  SECTION("and what is to go at once does not wait for it either") {
    api.set_faults({});
    pool->submit(Evict{id("a"), true, true, in(1'000)});
    REQUIRE(soon([&] { return idle(); }));
    CHECK(api.calls().back() == "evict a at once");
    CHECK(reported() == 3);
  }
}

TEST_CASE_METHOD(Pool, "Nothing but an eviction makes an eviction needless, and a mark comes before it") {
  api.close_gate("nominate c");
  start(1).submit(nominate("c", "n9", "p0"));
  REQUIRE(soon([&] { return api.at_gate() == 1; }));
  pool->submit(Mark{id("a"), "unwind", in(1'000)});
  pool->submit(Evict{id("a"), true, false, in(1'000)});
  pool->submit(Withdraw{id("a")});
  api.open_gate();
  REQUIRE(soon([&] { return idle(); }));
  CHECK(api.calls() ==
        std::vector<std::string>{"nominate c n9 p0", "mark a unwind", "evict a", "nominate a  "});
}

TEST_CASE_METHOD(Pool, "Words to the user are tried a few times and no more") {
  fail_always({ErrorCode::kUnavailable, "away"});
  start().submit(Tell{id("a"), EventReason::kNoRoom, "x", true});
  CHECK(soon([&] {
    clock.pass(Duration(10));
    return idle();
  }));
  CHECK(api.calls().size() == 4);
  CHECK(reported() == 0);
}

TEST_CASE_METHOD(Pool, "Stop finishes what is under way, begins nothing, and reports what it drops") {
  api.close_gate("bind a");
  start(1).submit(bind("a", "n1"));
  REQUIRE(soon([&] { return api.at_gate() == 1; }));
  pool->submit(bind("b", "n1"));
  pool->submit(nominate("c", "n1", "p1"));
  pool->submit(Tell{id("c"), EventReason::kNoRoom, "x", true});
  std::map<std::string, bool> expected{{"a", true}, {"b", false}, {"c", false}};
  std::thread stopper([&] { pool->stop(); });
  // Once it has begun to stop, what is given is reported on the spot; what was given before stays behind
  // «bind a».
  CHECK(soon([&] {
    const std::string late = "late" + std::to_string(expected.size());
    expected[late] = false;
    pool->submit(nominate(late, "n1", "p1"));
    return reported() > 0;
  }));
  api.open_gate();
  stopper.join();
  CHECK(api.calls() == std::vector<std::string>{"bind a n1"});
  REQUIRE(reported() == expected.size());
  std::map<std::string, bool> ok;
  for (const binder::Report& report : taken()) {
    if (!report.result) CHECK(report.result.error().code == ErrorCode::kCancelled);
    std::visit(
        [&](const auto& c) {
          if constexpr (requires { c.pod; }) ok[c.pod.name] = report.result.has_value();
        },
        report.command);
  }
  CHECK(ok == expected);
  pool->stop();
  CHECK(reported() == expected.size());
  pool->submit(bind("b", "n1"));
  REQUIRE(reported() == expected.size() + 1);
  CHECK(taken().back().result.error().code == ErrorCode::kCancelled);
  CHECK(pool->backlog() == 0);
}

TEST_CASE_METHOD(Pool, "Stop does not wait for repetitions") {
  fail_always({ErrorCode::kUnavailable, "away"});
  start().submit(bind("a", "n1"));
  REQUIRE(failed(1));
  const auto before = std::chrono::steady_clock::now();
  pool->stop();
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(1));
  CHECK(reported() == 1);
}

TEST_CASE_METHOD(Pool,
                 "Thousands of commands for hundreds of pods are each reported once, the last one stands") {
  for (int p = 0; p < 200; ++p) api.put(muster::test::make_member("p" + std::to_string(p), "g", 1));
  api.set_faults([n = 0](const std::string&, const std::string&) mutable -> std::optional<FakeWriter::Fault> {
    if (++n % 7 != 0) return std::nullopt;
    return FakeWriter::Fault{{ErrorCode::kUnavailable, "cut"}, n % 2 == 0};
  });
  start(8);
  for (int round = 0; round < 20; ++round) {
    for (int p = 0; p < 200; ++p) {
      Nominate command =
          nominate("p" + std::to_string(p), "n" + std::to_string(round), "p" + std::to_string(round));
      command.deadline = in(1'000'000);
      pool->submit(std::move(command));
    }
  }
  REQUIRE(soon([&] {
    clock.pass(Duration(5));
    return idle();
  }));
  CHECK(soon([&] { return reported() == 4'000; }));
  for (int p = 0; p < 200; ++p) CHECK(api.pod("p" + std::to_string(p)).nominated_node == "n19");
}

TEST_CASE_METHOD(Pool, "What stands behind a command that became needless is begun all the same") {
  fail_always({ErrorCode::kThrottled, "budget"}, "evict");
  start().submit(Evict{id("a"), true, false, in(1'000)});
  REQUIRE(failed(1));
  pool->submit(Mark{id("a"), "restart", in(1'000)});
  api.set_faults({});
  pool->submit(Evict{id("a"), true, true, in(1'000)});
  CHECK(soon([&] {
    clock.pass(Duration(10));
    return idle();
  }));
  REQUIRE_FALSE(api.calls().empty());
  CHECK(api.calls().back() == "evict a at once");
  CHECK(reported() == 3);
}
