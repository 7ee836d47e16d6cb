// Members that have completed count on when their pods are deleted: by a TTL, by the clean-up of a node that
// is gone, by hand. And what a Muster that starts afterwards makes of a group that lacks them.
#include "failing_group.h"

namespace muster::group {
namespace {

void clean_up(Life& life, const Names& uids) {
  for (const std::string& uid : uids) life.succeed(uid);
  for (const std::string& uid : uids) life.erase(uid);
}

// Of the four, those that a Muster that starts now finds bound.
struct Found : Life {
  explicit Found(const Names& running, FailurePolicy policy = FailurePolicy::kRepair) : Life(policy) {
    bound();
    for (const std::string& uid : kMembers) {
      pod(uid).index = uid.front() - 'a';
      if (std::find(running.begin(), running.end(), uid) == running.end()) pods.erase(uid);
    }
    for (auto it = room.bound.begin(); it != room.bound.end();)
      it = pods.contains(it->first) ? std::next(it) : room.bound.erase(it);
  }
  void stays_bound_for_long() {
    CHECK(state() == State::kBound);
    pass(10 * kGrace);
    CHECK(state() == State::kBound);
    CHECK(evicted().empty());
  }
};

}  // namespace

TEST_CASE("Completed members count on when their pods are deleted, whatever the policy") {
  const auto policy = GENERATE(FailurePolicy::kRepair, FailurePolicy::kRestart, FailurePolicy::kIgnore);
  Life life(policy);
  clean_up(life.bound(), {"a", "b"});
  CHECK(life.state() == State::kBound);
  CHECK(life.group().completed() == 2);
  CHECK(life.group().spare() == 0);
  life.pass(10 * kGrace);
  CHECK(life.state() == State::kBound);
  CHECK(life.evicted().empty());
}

TEST_CASE("Who is lost after completed pods were deleted is replaced alone") {
  Life life;
  clean_up(life.bound(), {"a", "b"});
  life.let_fail("c");
  CHECK(life.state() == State::kRepairing);
  life.remake();
  REQUIRE(life.plan());
  CHECK(life.room.last_question.completed == std::map<std::string, uint32_t>{{"", 2}});
  CHECK(life.room.reserved.size() == 1);
  life.bound();
}

TEST_CASE("The last running member is replaced although the pods of all others are deleted") {
  Life life;
  clean_up(life.bound(), {"a", "b", "c"});
  life.let_fail("d");
  life.make("d'");
  CHECK(life.plan());
  CHECK(life.room.reserved.size() == 1);
}

TEST_CASE("A group that begins anew counts nobody whose pod was deleted before") {
  Life life;
  clean_up(life.bound(), {"a", "b"});
  SECTION("when its last pod is gone") {
    for (const char* uid : {"c", "d"}) life.erase(uid);
    for (const char* uid : {"w", "x", "y"}) life.make(uid);
  }
  SECTION("when another controller makes its pods") {
    for (const char* uid : {"c", "d"}) life.succeed(uid);
    for (const std::string uid : {"w", "x", "y"}) {
      life.pod(uid).controller_uid = "job-2";
      life.see(uid);
    }
  }
  CHECK(life.group().completed() == 0);
  CHECK(life.state() == State::kGathering);
  CHECK_FALSE(life.plan());
}

TEST_CASE("Who completes because it is made to go has not completed") {
  Life life;
  life.bound().pod("a").terminating = true;
  life.see("a");
  CHECK(life.state() == State::kRepairing);
  life.succeed("a");
  CHECK(life.state() == State::kRepairing);
  life.see("a");
  life.erase("a");
  CHECK(life.state() == State::kRepairing);
  CHECK(life.group().completed() == 0);
}

TEST_CASE("Whether somebody was stopped is unknown to a Muster that finds it ended and going") {
  Life life;
  life.bound();
  for (const char* uid : {"a", "b", "c"}) life.pod(uid).index = uid[0] - 'a';
  life.pod("a").terminating = life.pod("a").succeeded = true;
  SECTION("so the others are not made to go") {
    life.restart_and_resume();
    life.erase("a");
    life.pass(10 * kGrace);
    CHECK(life.state() == State::kBound);
    CHECK(life.evicted().empty());
  }
  SECTION("so a group that begins anew does not count it") {
    for (const char* uid : {"b", "c", "d"}) life.pods.erase(uid);
    life.room.bound.clear();
    life.restart_and_resume();
    for (const char* uid : {"b'", "c'", "d'"}) life.make(uid);
    CHECK(life.state() == State::kGathering);
    CHECK_FALSE(life.plan());
  }
}

TEST_CASE("Who completes and is deleted afterwards has completed") {
  Life life;
  life.bound().succeed("a");
  life.pod("a").terminating = true;
  life.see("a");
  life.erase("a");
  CHECK(life.state() == State::kBound);
  CHECK(life.group().completed() == 1);
}

TEST_CASE("Members that completed in a subgroup count on there") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  GroupSpec spec;
  spec.min_member = 4;
  spec.subgroups.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    spec.subgroups[i].name = i == 0 ? "a" : "b";
    spec.subgroups[i].min_member = 2;
  }
  for (const std::string uid : {"a0", "a1", "b0", "b1"}) {
    bench.pod(uid).spec = spec;
    bench.pod(uid).subgroup = uid.substr(0, 1);
    bench.see(uid);
  }
  bench.reserve();
  bench.bind_all();
  bench.pod("a0").succeeded = true;
  bench.see("a0");
  bench.erase("a0");
  CHECK(bench.state() == State::kBound);
  SECTION("and not for another one") {
    bench.pod("b0").failed = true;
    bench.see("b0");
    CHECK(bench.group().reason().find("3 of 4 members") != std::string::npos);
  }
  SECTION("and are supposed there by a Muster that starts then") {
    bench.restart_and_resume();
    CHECK(bench.state() == State::kBound);
    CHECK(bench.group().standing().have.at("a") == 2);
    CHECK(bench.group().standing().have.at("b") == 2);
  }
}

TEST_CASE("A Muster that starts takes whom it has never seen for completed") {
  const auto policy = GENERATE(FailurePolicy::kRepair, FailurePolicy::kRestart, FailurePolicy::kIgnore);
  Found life({"c", "d"}, policy);
  life.restart_and_resume();
  life.stays_bound_for_long();
  SECTION("and still replaces a member that it sees lost, and evicts nobody for it") {
    life.let_fail("c");
    CHECK(life.state() == State::kRepairing);
    life.pass(2 * kGrace);
    CHECK(life.evicted().empty());
    life.make("c'", policy);
    CHECK(life.plan());
    CHECK(life.room.reserved.size() == 1);
  }
  SECTION("until a newcomer is bound in its place") {
    life.make("a'", policy);
    CHECK(life.state() == State::kBound);
    life.bound();
    CHECK(life.group().completed() == 1);
    life.make("b'", policy);
    life.bound();
    CHECK(life.group().completed() == 0);
    life.let_fail("c");
    CHECK(life.state() == State::kRepairing);
  }
  SECTION("and a newcomer without room breaks nobody") {
    life.room.slots = {{"n1", 2}};
    life.make("a'", policy);
    CHECK(life.plan());
    life.stays_bound_for_long();
  }
}

TEST_CASE("A Muster that starts repairs what it finds lost") {
  Found life({"b", "c", "d"}, GENERATE(FailurePolicy::kRepair, FailurePolicy::kRestart));
  SECTION("a member that has failed and is not replaced yet") {
    life.make("a");
    life.pod("a").index = 0;
    life.pod("a").node = "n1";
    life.pod("a").failed = true;
  }
  SECTION("a replacement that waits") { life.make("a'"); }
  life.pod("b").spec = life.pod("c").spec = life.pod("d").spec;
  for (auto& [uid, member] : life.pods) member.spec = life.pod("d").spec;
  life.restart_and_resume();
  CHECK(life.state() == State::kRepairing);
  life.pass(kGrace);
  CHECK(life.evicted() == Names{"b", "c", "d"});
}

TEST_CASE("Who waits with a rank of its own has not come for one who had another rank") {
  Life life;
  life.make("e");
  life.bound();  // five of four needed
  for (const std::string uid : {"a", "b", "c", "d", "e"}) life.pod(uid).index = uid.front() - 'a';
  clean_up(life, {"b"});
  for (const char* uid : {"c", "e"}) life.erase(uid);
  life.room.slots = {{"n1", 2}};
  life.make("e'");
  SECTION("the vacant rank is that of somebody who completed") {
    life.make("c'");
    life.pod("e'").index = 4;
    life.pod("c'").index = 2;
    life.restart_and_resume();
    CHECK(life.group().completed() == 1);
    CHECK(life.state() == State::kRepairing);
    life.pass(10 * kGrace);
    CHECK(life.evicted().empty());
  }
  SECTION("without a rank it may have come for anybody") {
    life.make("c'");
    life.restart_and_resume();
    CHECK(life.group().completed() == 0);
  }
}

TEST_CASE("Who is found lost has not left the rank of one who completed") {
  Life life;
  life.make("e");
  life.bound();
  for (const std::string uid : {"a", "b", "c", "d", "e"}) life.pod(uid).index = uid.front() - 'a';
  clean_up(life, {"b"});
  for (const char* uid : {"c", "e"}) life.pod(uid).terminating = true;
  life.restart_and_resume();
  CHECK(life.group().completed() == 1);
  CHECK(life.state() == State::kRepairing);
  life.pass(10 * kGrace);
  CHECK(life.evicted().empty());
}

TEST_CASE("A member that failed long ago and was replaced is not found lost") {
  Found life({"b", "c", "d"});
  life.make("b-before");
  life.pod("b-before").index = 1;
  life.pod("b-before").node = "n1";
  life.pod("b-before").failed = true;
  life.restart_and_resume();
  life.stays_bound_for_long();
}

TEST_CASE("A standby that has seen the group whole takes nobody for completed whom it has seen lost") {
  Life life;
  life.bound();
  life.restart();
  for (const std::string& uid : kMembers) life.see(uid);
  life.erase("a");
  life.group().find_claims(life.context());
  life.group().resume(life.context());
  CHECK(life.state() == State::kRepairing);
  life.pass(kGrace);
  CHECK(life.evicted() == Names{"b", "c", "d"});
}

TEST_CASE("A standby remembers who completed before it took over") {
  Life life;
  life.bound();
  life.restart();
  for (const std::string& uid : kMembers) life.see(uid);
  clean_up(life, {"a", "b"});
  life.group().find_claims(life.context());
  life.group().resume(life.context());
  CHECK(life.state() == State::kBound);
  CHECK(life.group().completed() == 2);
}

TEST_CASE("Bindings that Muster's end has cut short are no sign of members that completed") {
  Life life;
  for (const Bind& c : only<Bind>(life.binding())) {
    if (c.pod.uid < "c") life.pod(c.pod.uid).node = c.node;
  }
  SECTION("the plan of the rest still stands") {}
  SECTION("the plan was withdrawn") {
    for (const char* uid : {"c", "d"}) {
      life.pod(uid).plan.clear();
      life.pod(uid).nominated_node.clear();
    }
  }
  life.restart_and_resume();
  CHECK(life.state() == State::kRepairing);
  CHECK(life.group().completed() == 0);
}

}  // namespace muster::group
