// Promise 1 and the steps to it: nominate, release, bind calls, the barrier, seen bound.
#include <catch2/catch.hpp>
#include <set>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

struct Planned {
  GroupBench bench;
  Planned() {
    bench.room.slots = {{"n1", 2}, {"n2", 8}};
    bench.create_all({"a", "b", "c", "d"});
    bench.plan();
  }
};

struct Released : Planned {
  Released() {
    bench.reserve();
    bench.take();
  }
};

// The first two members have no gate.
struct Mixed {
  GroupBench bench;
  Mixed() {
    bench.room.slots = {{"n1", 2}, {"n2", 8}};
    for (const char* uid : {"a", "b"}) bench.pod(uid).held_by_gate = false;
    bench.create_all({"a", "b", "c", "d"});
    bench.plan();
  }
  void confirm(const std::string& uid) { bench.group().nominated(uid, "p1", {}, bench.context()); }
};

}  // namespace

TEST_CASE_METHOD(Planned, "All members are nominated before one is released") {
  const Commands first = bench.take();
  const auto nominations = only<Nominate>(first);
  REQUIRE(nominations.size() == 4);
  CHECK(only<Release>(first).empty());
  CHECK(nominations[0].plan == "p1");
  CHECK(nominations[0].deadline == bench.now + Duration(30'000));
  for (const char* uid : {"a", "b", "c"}) bench.group().nominated(uid, "p1", {}, bench.context());
  CHECK(bench.take().empty());
  CHECK(bench.node_of("a").empty());

  bench.group().nominated("d", "p1", {}, bench.context());
  CHECK(only<Release>(bench.take()).size() == 4);
  CHECK(bench.node_of("a") == "n1");
  CHECK(bench.node_of("d") == "n2");
}

TEST_CASE_METHOD(Planned, "A nomination of another plan confirms nothing") {
  bench.take();
  for (const char* uid : {"a", "b", "c", "d"}) {
    bench.group().nominated(uid, "p0", {}, bench.context());
    bench.group().nominated(uid, "p1.1", {}, bench.context());
  }
  CHECK(bench.take().empty());
  for (int i = 0; i < 4; ++i) bench.group().nominated("a", "p1", {}, bench.context());
  CHECK(bench.take().empty());  // four times the same member
}

TEST_CASE_METHOD(Mixed,
                 "A member without a gate is released by its nomination, and is not written to again") {
  CHECK(only<Nominate>(bench.out).size() == 4);
  CHECK(bench.node_of("a") == "n1");
  CHECK(bench.node_of("b") == "n1");
  CHECK(bench.node_of("c").empty());
  bench.carry_out();
  std::set<std::string> released;
  for (const Release& release : only<Release>(bench.carry_out())) released.insert(release.pod.uid);
  CHECK(released == std::set<std::string>{"c", "d"});
  CHECK(bench.node_of("c") == "n2");
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Mixed, "A member without a gate may be asked for before the nominations stand") {
  bench.take();
  bench.call("a", 1);
  bench.call("b", 2);
  CHECK(bench.take().empty());
  for (const char* uid : {"b", "c", "d"}) confirm(uid);
  CHECK(bench.take().empty());
  confirm("a");
  CHECK(only<Release>(bench.take()).size() == 2);
  bench.call("c", 3);
  CHECK(bench.take().empty());
  bench.call("d", 4);
  CHECK(only<Bind>(bench.take()).size() == 4);
}

TEST_CASE("The barrier stays closed until the last nomination stands, though every member is asked for") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  for (const char* uid : {"a", "b", "c", "d"}) bench.pod(uid).held_by_gate = false;
  bench.create_all({"a", "b", "c", "d"});
  bench.plan();
  bench.take();
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  for (const char* uid : {"a", "b", "c"}) bench.group().nominated(uid, "p1", {}, bench.context());
  CHECK(bench.take().empty());
  CHECK(bench.state() == State::kReserved);
  SECTION("and opens then") {
    bench.group().nominated("d", "p1", {}, bench.context());
    const Commands said = bench.take();
    CHECK(said.size() == 4);
    CHECK(only<Bind>(said).size() == 4);
  }
  SECTION("and what waits at it is sent away when that one fails") {
    bench.group().nominated("d", "p1", fail(ErrorCode::kForbidden, "no"), bench.context());
    const Commands said = bench.take();
    CHECK(only<Bind>(said).empty());
    CHECK(only<AnswerBind>(said).size() == 4);
    CHECK(only<Withdraw>(said).size() == 4);
    CHECK(bench.room.reserved.empty());
  }
}

TEST_CASE_METHOD(
    Planned, "A member that lost its gate after the plan was made is released by a change that wakes it") {
  bench.take();
  bench.pod("b").held_by_gate = false;
  bench.see("b");
  CHECK(bench.node_of("b").empty());
  for (const char* uid : {"a", "b", "c", "d"}) bench.group().nominated(uid, "p1", {}, bench.context());
  const auto released = only<Release>(bench.take());
  CHECK(released.size() == 4);
  for (const Release& release : released) CHECK(release.gated == (release.pod.uid != "b"));
}

TEST_CASE_METHOD(Released, "No binding is posted before the last planned member is asked for, then all are") {
  for (const char* uid : {"a", "b", "c"}) bench.call(uid, 1);
  CHECK(bench.take().empty());
  CHECK(bench.state() == State::kReserved);
  bench.call("d", 4);
  const Commands said = bench.take();
  const auto bindings = only<Bind>(said);
  REQUIRE(bindings.size() == 4);
  CHECK(said.size() == 4);  // and nobody is answered yet
  CHECK(bench.state() == State::kBinding);
  CHECK(bindings[0].annotations == std::map<std::string, std::string>{{"muster.dev/plan", "p1"},
                                                                      {"muster.dev/rank", "0"},
                                                                      {"muster.dev/domain", "rack=n1"}});
  CHECK(bindings[3].node == "n2");
}

TEST_CASE_METHOD(Released, "A binding names the version at which its pod was seen with the plan") {
  bench.pod("a").version = "7";
  bench.pod("b").version = "8";
  bench.pod("b").plan = "p1+";
  bench.pod("c").version = "9";
  bench.pod("c").plan = "p0";
  for (const char* uid : {"a", "b", "c"}) bench.see(uid);
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  const auto bindings = only<Bind>(bench.take());
  REQUIRE(bindings.size() == 4);
  CHECK(bindings[0].version == "7");
  CHECK(bindings[1].version == "8");
  CHECK(bindings[2].version.empty());  // it may have lost the plan: whoever binds it looks first
}

TEST_CASE_METHOD(Released, "Members left out of the plan are not waited for") {
  bench.erase("d");
  for (const char* uid : {"x", "y"}) bench.create(uid, 4);
  // The plan has ended with d; five exist now and four are the minimum.
  bench.room.slots = {{"n1", 4}};
  bench.reserve();
  bench.take();
  REQUIRE(bench.room.reserved.size() == 4);
  uint64_t number = 0;
  for (const auto& [uid, node] : std::map(bench.room.reserved)) bench.call(uid, ++number);
  CHECK(only<Bind>(bench.take()).size() == 4);
}

TEST_CASE_METHOD(Released,
                 "Each call is answered with its own binding's result, and the watch makes it Bound") {
  for (uint64_t i = 0; i < 4; ++i) bench.call(std::string(1, static_cast<char>('a' + i)), 10 + i);
  bench.take();
  bench.group().bind_done("b", "p1", {}, bench.context());
  auto answers = only<AnswerBind>(bench.take());
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].call == 11);
  CHECK(answers[0].result);
  for (const char* uid : {"a", "c", "d"}) bench.group().bind_done(uid, "p1", {}, bench.context());
  CHECK(only<AnswerBind>(bench.take()).size() == 3);
  CHECK(bench.state() == State::kBinding);

  for (const char* uid : {"a", "b", "c", "d"}) {
    CHECK(bench.state() == State::kBinding);
    bench.pod(uid).node = bench.room.reserved.at(uid);
    bench.see(uid);
  }
  CHECK(bench.state() == State::kBound);
  CHECK(bench.room.reserved.empty());
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Released, "A call is answered when the binding is seen, should its report come later") {
  for (uint64_t i = 0; i < 4; ++i) bench.call(std::string(1, static_cast<char>('a' + i)), 10 + i);
  bench.take();
  std::set<uint64_t> answered;
  for (const char* uid : {"a", "b", "c", "d"}) {
    bench.pod(uid).node = bench.room.reserved.at(uid);
    bench.see(uid);
    for (const AnswerBind& answer : only<AnswerBind>(bench.take())) {
      CHECK(answer.result);
      answered.insert(answer.call);
    }
    bench.group().bind_done(uid, "p1", {}, bench.context());
  }
  CHECK(answered == std::set<uint64_t>{10, 11, 12, 13});
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Released, "A pod that is seen bound is bound, whatever the late report says") {
  for (uint64_t i = 0; i < 4; ++i) bench.call(std::string(1, static_cast<char>('a' + i)), 10 + i);
  bench.take();
  bench.pod("a").node = "n1";
  bench.see("a");
  bench.take();
  bench.group().bind_done("a", "p1", fail(ErrorCode::kUnavailable, "timed out"), bench.context());
  CHECK(bench.take().empty());
  CHECK(bench.state() == State::kBinding);
}

TEST_CASE_METHOD(Released, "A binding of unknown outcome is posted again and keeps its room") {
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, static_cast<uint64_t>(uid[0]));
  const std::string node = bench.room.reserved.at("a");
  bench.take();
  bench.group().bind_done("a", "p1", fail(ErrorCode::kUnavailable, "timed out"), bench.context());
  const auto out = bench.take();
  REQUIRE(only<AnswerBind>(out).size() == 1);
  CHECK_FALSE(only<AnswerBind>(out)[0].result);
  REQUIRE(only<Bind>(out).size() == 1);
  CHECK(only<Bind>(out)[0].pod.uid == "a");
  CHECK(only<Bind>(out)[0].node == node);
  CHECK(bench.room.reserved.at("a") == node);
  CHECK(bench.state() == State::kBinding);
}

TEST_CASE_METHOD(Released, "A second call of a member takes the place of the first") {
  bench.call("a", 1);
  bench.call("a", 2);
  const auto answers = only<AnswerBind>(bench.take());
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].call == 1);
  CHECK_FALSE(answers[0].result);
  // Two calls of one member are no two members.
  bench.call("b", 3);
  bench.call("c", 4);
  CHECK(only<Bind>(bench.take()).empty());
  bench.call("d", 5);
  CHECK(only<Bind>(bench.take()).size() == 4);
}

TEST_CASE_METHOD(Released, "The barrier does not count a call that nobody waits for any more") {
  for (const char* uid : {"a", "b", "c"}) bench.call(uid, static_cast<uint64_t>(uid[0]));
  bench.group().bind_abandoned("b", 'x');  // not its call
  bench.group().bind_abandoned("nobody", 1);
  bench.group().bind_abandoned("b", 'b');
  bench.call("d", 4);
  CHECK(only<Bind>(bench.take()).empty());
  bench.call("b", 5);
  CHECK(only<Bind>(bench.take()).size() == 4);
  bench.group().bind_abandoned("a", 'a');  // open already: harmless
  CHECK(bench.state() == State::kBinding);
}

TEST_CASE_METHOD(Released, "A call for another node than the planned one is refused and does not count") {
  for (const char* uid : {"a", "b", "c"}) bench.call(uid, 1);
  bench.call("d", 9, "n7");
  const Commands said = bench.take();
  CHECK(only<Bind>(said).empty());
  REQUIRE(only<AnswerBind>(said).size() == 1);
  CHECK(only<AnswerBind>(said)[0].result.error().message == "muster: the pod is planned on n2, not on n7");
}

TEST_CASE_METHOD(Planned, "A call before the release is refused with the group's reason") {
  bench.take();
  bench.call("a", 1, "n1");
  const auto answers = only<AnswerBind>(bench.take());
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].result.error().message.starts_with("muster: group ns/g is planned"));
}

TEST_CASE_METHOD(Released, "A call for a pod that is bound already succeeds there and fails elsewhere") {
  bench.bind_all();
  bench.take();
  bench.group().bind_called("a", "n1", 7, bench.context());
  bench.group().bind_called("a", "n2", 8, bench.context());
  bench.group().bind_called("stranger", "n2", 9, bench.context());
  const auto answers = only<AnswerBind>(bench.take());
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].result);
  CHECK(answers[1].result.error().message == "muster: the pod is bound to n1");
  CHECK(answers[2].result.error().message == "muster: the pod is not known yet");
}

TEST_CASE_METHOD(Released,
                 "A call repeated while bindings are under way is answered by the binding's report") {
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  bench.take();
  bench.call("c", 2);
  CHECK(only<AnswerBind>(bench.take()).size() == 1);  // the first one is told to go
  bench.group().bind_done("c", "p1", {}, bench.context());
  const auto answers = only<AnswerBind>(bench.take());
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].call == 2);
  CHECK(answers[0].result);
}

TEST_CASE_METHOD(Released, "A member that fails to be bound leaves the plan, the others are bound") {
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  bench.take();
  bench.group().bind_done("b", "p1", fail(ErrorCode::kNotFound, "gone"), bench.context());
  const Commands said = bench.take();
  CHECK_FALSE(only<AnswerBind>(said).at(0).result);
  CHECK(only<Tell>(said).at(0).reason == EventReason::kBindFailed);
  CHECK_FALSE(bench.room.reserved.contains("b"));
  CHECK(bench.state() == State::kBinding);
  for (const char* uid : {"a", "c", "d"}) {
    bench.pod(uid).node = bench.room.reserved.at(uid);
    bench.see(uid);
  }
  CHECK(bench.state() == State::kRepairing);
  CHECK_FALSE(bench.plan());  // not at once: the API said no a moment ago
  bench.pass(Duration(1'000));
  CHECK(bench.plan());
  CHECK(bench.room.reserved.contains("b"));
}

TEST_CASE_METHOD(Released,
                 "A release whose reply is lost does not stop a plan that kube-scheduler goes on with") {
  bench.call("a", 1);
  bench.group().released("a", "p1", fail(ErrorCode::kUnavailable, "cut"), bench.context());
  CHECK(bench.state() == State::kReserved);
  bench.group().released("b", "p1", fail(ErrorCode::kCancelled, "needless"), bench.context());
  CHECK(bench.state() == State::kReserved);
  bench.group().released("b", "p1", fail(ErrorCode::kUnavailable, "cut"), bench.context());
  CHECK(bench.room.reserved.empty());
}

TEST_CASE_METHOD(Released, "A pod bound by somebody else counts as bound and is not waited for") {
  for (const char* uid : {"a", "b", "c"}) bench.call(uid, 1);
  bench.pod("d").node = "n9";
  bench.see("d");
  const auto bindings = only<Bind>(bench.take());
  CHECK(bindings.size() == 3);
}
