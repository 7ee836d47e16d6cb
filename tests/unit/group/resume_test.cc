// Promise 3: what stands in the API is enough to go on after a restart.
#include <catch2/catch.hpp>
#include <set>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;
using muster::test::SlotRoom;

namespace {

struct Restarted {
  GroupBench bench;
  Restarted() {
    bench.room.slots = {{"n1", 2}, {"n2", 4}};
    for (const char* uid : {"a", "b", "c", "d"}) static_cast<void>(bench.pod(uid));
  }
  void promise(const std::string& uid, const std::string& node, const std::string& plan) {
    bench.pod(uid).nominated_node = node;
    bench.pod(uid).plan = plan;
  }
  std::set<std::string> withdrawn() const {
    std::set<std::string> uids;
    for (const Withdraw& w : only<Withdraw>(bench.out)) uids.insert(w.pod.uid);
    return uids;
  }
};

}  // namespace

TEST_CASE_METHOD(Restarted, "A plan that stands on all members is taken up and released again") {
  promise("a", "n1", "p7");
  promise("b", "n1", "p7+");
  promise("c", "n2", "p7.2");
  promise("d", "n2", "p7.3+");
  bench.pod("d").held_by_gate = false;
  bench.restart_and_resume();
  CHECK(bench.state() == State::kReserved);
  CHECK(bench.room.reserved ==
        std::map<std::string, std::string>{{"a", "n1"}, {"b", "n1"}, {"c", "n2"}, {"d", "n2"}});
  const Commands said = bench.take();
  CHECK(said.size() == 4);
  for (const Release& release : only<Release>(said)) CHECK(release.gated == (release.pod.uid != "d"));
  CHECK(bench.node_of("c") == "n2");
  CHECK(bench.group().next_timer() == bench.now + Duration(30'000));
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  CHECK(only<Bind>(bench.take()).size() == 4);
}

TEST_CASE_METHOD(Restarted, "A plan that stands on too few members is withdrawn and made again") {
  promise("a", "n1", "p7");
  promise("b", "n1", "p7");
  SECTION("gated") {}
  SECTION("without gates, so that kube-scheduler had them already") {
    for (const char* uid : {"a", "b", "c", "d"}) bench.pod(uid).held_by_gate = false;
  }
  bench.restart_and_resume();
  CHECK(withdrawn() == std::set<std::string>{"a", "b"});
  for (const char* uid : {"a", "b"}) {
    bench.call(uid, 1, "n1");
    CHECK_FALSE(only<AnswerBind>(bench.out).back().result);
  }
  CHECK(only<Bind>(bench.out).empty());
  bench.carry_out();
  CHECK(bench.room.reserved.empty());
  CHECK(bench.plan());
  CHECK(bench.room.reserved.size() == 4);
}

TEST_CASE_METHOD(Restarted, "The room of a promise that is not taken up stays taken until it is gone") {
  promise("a", "n1", "p7");
  promise("b", "n1", "p7");
  bench.restart_and_resume();
  bench.take();
  CHECK(bench.room.reserved.size() == 2);
  CHECK(bench.group().found() == std::set<std::string>{"a", "b"});
  CHECK_FALSE(bench.plan());
  SECTION("seen withdrawn") {
    for (const char* uid : {"a", "b"}) promise(uid, "", "");
  }
  SECTION("bound after all") { bench.pod("a").node = bench.pod("b").node = "n1"; }
  SECTION("deleted") {
    for (const char* uid : {"a", "b"}) bench.pod(uid).terminating = true;
  }
  bench.see("a");
  CHECK(bench.room.reserved.size() == 1);
  CHECK_FALSE(bench.plan());
  bench.see("b");
  CHECK(bench.room.reserved.empty());
  CHECK(bench.group().found().empty());
}

TEST_CASE_METHOD(Restarted, "A pod that is gone holds nothing for another Muster") {
  promise("a", "n1", "p7");
  bench.restart_and_resume();
  REQUIRE(bench.room.reserved.size() == 1);
  bench.erase("a");
  CHECK(bench.group().found().empty());
}

TEST_CASE_METHOD(Restarted, "A nomination without its node still stands for a binding") {
  promise("a", "n1", "p7");
  bench.restart_and_resume();
  promise("a", "", "p7");  // kube-scheduler has cleared the node
  bench.see("a");
  CHECK(bench.room.reserved.size() == 1);
}

TEST_CASE_METHOD(Restarted, "What is not seen withdrawn is withdrawn again and again") {
  promise("a", "n1", "p7");
  bench.restart_and_resume();
  bench.take();
  for (int i = 0; i < 3; ++i) {
    CHECK(bench.group().next_timer() == bench.now + Duration(30'000));
    bench.pass(Duration(30'000));
    CHECK(withdrawn() == std::set<std::string>{"a"});
    bench.take();
  }
  CHECK(bench.room.reserved.size() == 1);
}

TEST_CASE_METHOD(Restarted, "A plan that was taken up keeps its room when it ends, until it is withdrawn") {
  for (const char* uid : {"a", "b"}) promise(uid, "n1", "p7");
  for (const char* uid : {"c", "d"}) promise(uid, "n2", "p7");
  bench.restart_and_resume();
  bench.take();
  SECTION("by its deadline") { bench.pass(Duration(30'000)); }
  SECTION("by a node that is refused") { bench.group().node_refused("a", "n1", bench.context()); }
  CHECK(bench.state() == State::kPending);
  CHECK(only<Nominate>(bench.out).empty());
  CHECK(withdrawn().size() == 4);
  CHECK(bench.room.reserved.size() == 4);
  bench.carry_out();
  CHECK(bench.room.reserved.empty());
  bench.pass(Duration(2'000));
  CHECK(bench.plan());
}

TEST_CASE_METHOD(Restarted, "Who leaves a plan that was taken up keeps its room likewise") {
  for (const char* uid : {"a", "b", "c", "d"}) test::Asking(bench.pod(uid))->min_member = 3;
  for (const char* uid : {"a", "b", "c", "d"}) promise(uid, "n2", "p7");
  bench.restart_and_resume();
  bench.take();
  for (const char* uid : {"a", "b", "c", "d"}) bench.call(uid, 1);
  REQUIRE(bench.state() == State::kBinding);
  bench.take();
  const auto refused = fail(ErrorCode::kForbidden, "no");
  bench.group().bind_done("a", "p7", refused, bench.context());
  CHECK(withdrawn() == std::set<std::string>{"a"});
  CHECK(bench.room.reserved.contains("a"));
}

TEST_CASE_METHOD(Restarted, "A plan that was half bound is taken up with the bound members counted") {
  for (const char* uid : {"a", "b"}) {
    bench.pod(uid).node = "n1";
    bench.pod(uid).plan = "p7";
    bench.pod(uid).held_by_gate = false;
  }
  for (const char* uid : {"c", "d"}) promise(uid, "n2", "p7");
  bench.restart_and_resume();
  CHECK(bench.state() == State::kRepairing);
  CHECK(withdrawn().empty());
  CHECK(bench.room.reserved.size() == 2);
  bench.call("c", 1);
  CHECK(only<Bind>(bench.take()).empty());
  bench.call("d", 2);
  CHECK(only<Bind>(bench.take()).size() == 2);
}

TEST_CASE_METHOD(Restarted, "A plan that does not hold any more is withdrawn") {
  for (const char* uid : {"a", "b", "c", "d"}) promise(uid, "n2", "p7");
  SECTION("because the room has gone") { bench.room.slots["n2"] = 3; }
  SECTION("because the node has gone") { bench.room.slots.erase("n2"); }
  SECTION("because it breaks a constraint") { bench.room.holds = false; }
  bench.restart_and_resume();
  CHECK(withdrawn().size() == 4);
  CHECK(bench.state() == State::kPending);
  bench.carry_out();
  CHECK(bench.room.reserved.empty());
}

TEST_CASE_METHOD(Restarted, "A plan half reserved when one of its nodes turns out full is not taken up") {
  for (const char* uid : {"a", "b"}) promise(uid, "n1", "p7");
  for (const char* uid : {"c", "d"}) promise(uid, "n2", "p7");
  bench.restart();
  for (const char* uid : {"a", "b", "c", "d"}) bench.see(uid);
  bench.room.bound["x"] = bench.room.bound["y"] = bench.room.bound["z"] = "n2";
  // valid() would have seen it; reserve() has the last word.
  struct Believer final : Room {
    SlotRoom& real;
    explicit Believer(SlotRoom& r) : real(r) {}
    Answer solve(const Question& q) override { return real.solve(q); }
    bool valid(const Question&, const std::vector<Placed>&) override { return true; }
    bool reserve(const GroupKey& k, const Member& m, const std::string& n) override {
      return real.reserve(k, m, n);
    }
    bool keep(const GroupKey& k, const Member& m, const std::string& n) override {
      return real.keep(k, m, n);
    }
    void unreserve(const std::string& uid) override { real.unreserve(uid); }
    std::string domain_of(const std::string& node) const override { return real.domain_of(node); }
  };
  Believer believer(bench.room);
  const Context context = bench.context();
  bench.group().resume({context.now, believer, context.progress, context.new_plan_id, context.out});
  CHECK(bench.group().found().size() == 4);
  CHECK(withdrawn().size() == 4);
}

TEST_CASE_METHOD(Restarted, "Of two plans the larger is taken up and the other withdrawn") {
  static_cast<void>(bench.pod("e"));
  for (const char* uid : {"a", "b", "c", "d"}) test::Asking(bench.pod(uid))->min_member = 3;
  test::Asking(bench.pod("e"))->min_member = 3;
  for (const char* uid : {"a", "b"}) promise(uid, "n1", "p7");
  for (const char* uid : {"c", "d", "e"}) promise(uid, "n2", "p8");
  bench.restart_and_resume();
  CHECK(withdrawn() == std::set<std::string>{"a", "b"});
  bench.carry_out();
  CHECK(bench.room.reserved.size() == 3);
}

TEST_CASE_METHOD(Restarted, "Half a promise is none") {
  bench.pod("a").plan = "p7";
  bench.pod("b").nominated_node = "n1";
  bench.restart_and_resume();
  CHECK(withdrawn() == std::set<std::string>{"a", "b"});
  CHECK(bench.state() == State::kPending);
}

TEST_CASE_METHOD(Restarted, "A rejected group takes up nothing") {
  for (const char* uid : {"a", "b", "c", "d"}) promise(uid, "n2", "p7");
  test::Asking(bench.pod("d"))->min_member = 3;
  bench.restart_and_resume();
  CHECK(withdrawn().size() == 4);
  CHECK(bench.state() == State::kRejected);
}

TEST_CASE_METHOD(Restarted, "Nothing is withdrawn before all members have been listed") {
  for (const char* uid : {"a", "b", "c", "d"}) promise(uid, "n2", "p7");
  bench.restart();
  for (const char* uid : {"a", "b", "c", "d"}) {
    bench.see(uid);
    CHECK(bench.take().empty());
  }
}

TEST_CASE_METHOD(Restarted, "A bound group with nothing promised rests") {
  for (const char* uid : {"a", "b", "c", "d"}) {
    bench.pod(uid).node = "n2";
    bench.pod(uid).plan = "p7";
  }
  bench.restart_and_resume();
  CHECK(bench.take().empty());
  CHECK(bench.state() == State::kBound);
}
