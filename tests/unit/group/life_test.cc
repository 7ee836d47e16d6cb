// Bound and after: late joiners, lost members, completed members, a name used again.
#include <catch2/catch.hpp>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

struct Bound {
  GroupBench bench;
  Bound() {
    bench.room.slots = {{"n1", 4}, {"n2", 4}};
    for (const char* uid : {"a", "b", "c", "d"}) {
      bench.pod(uid).controller = "job";
      bench.pod(uid).controller_uid = "job-1";
      bench.see(uid);
    }
    bench.reserve();
    bench.bind_all();
    bench.take();
    REQUIRE(bench.state() == State::kBound);
  }
  void succeed(const std::string& uid) {
    bench.pod(uid).succeeded = true;
    bench.see(uid);
  }
  void fail_pod(const std::string& uid) {
    bench.pod(uid).failed = true;
    bench.see(uid);
  }
  void replace(const std::string& uid, const std::string& controller_uid) {
    bench.pod(uid).controller = "job";
    bench.pod(uid).controller_uid = controller_uid;
    bench.see(uid);
  }
};

}  // namespace

TEST_CASE_METHOD(Bound, "Late joiners are planned with the bound members where they are") {
  bench.create("e");
  CHECK(bench.state() == State::kBound);
  bench.reserve();
  CHECK(bench.room.last_question.fixed.size() == 4);
  CHECK(bench.node_of("e") == "n2");
  bench.call("e", 1);
  const auto bindings = only<Bind>(bench.take());
  REQUIRE(bindings.size() == 1);
  CHECK(bindings[0].annotations.at("muster.dev/rank") == "4");
}

TEST_CASE_METHOD(Bound, "A late joiner that finds no room leaves the group bound") {
  bench.room.slots = {{"n1", 4}};
  bench.create("e");
  CHECK(bench.plan());
  CHECK(bench.state() == State::kBound);
  CHECK(bench.group().reason() ==
        "group ns/g is bound; no room for more members: no member can be added now");
  CHECK(bench.room.reserved.empty());
}

TEST_CASE_METHOD(Bound, "A late joiner's plan ends when the group falls below its minimum meanwhile") {
  bench.create("e");
  bench.reserve();
  REQUIRE(bench.node_of("e") == "n2");
  bench.erase("a");  // with e they are four again
  CHECK(bench.room.reserved.size() == 1);
  SECTION("because one more is deleted") { bench.erase("b"); }
  SECTION("because one more fails") { fail_pod("b"); }
  CHECK(bench.room.reserved.empty());
  CHECK(bench.state() == State::kRepairing);
  bench.call("e", 1, "n2");
  CHECK(only<Bind>(bench.take()).empty());
  bench.create("f");
  CHECK(bench.plan());
  CHECK(bench.room.reserved.size() == 2);
}

TEST_CASE_METHOD(Bound, "A lost member's replacement is planned alone and waits for nobody else") {
  bench.erase("b");
  CHECK(bench.state() == State::kRepairing);
  CHECK(bench.group().reason() == "group ns/g has lost members, 3 of 4 members run");
  CHECK(bench.group().spare() == -1);
  replace("b2", "job-1");
  bench.reserve();
  CHECK(bench.room.reserved.size() == 1);
  bench.call("b2", 1);
  CHECK(only<Bind>(bench.take()).size() == 1);
}

TEST_CASE_METHOD(Bound, "Two lost members are not replaced before both replacements exist") {
  bench.erase("a");
  bench.erase("b");
  replace("a2", "job-1");
  CHECK_FALSE(bench.plan());
  replace("b2", "job-1");
  CHECK(bench.plan());
  CHECK(bench.room.reserved.size() == 2);
}

TEST_CASE_METHOD(Bound, "Completed members count for a group that goes on") {
  succeed("a");
  succeed("b");
  CHECK(bench.state() == State::kBound);
  CHECK(bench.group().spare() == 0);
  fail_pod("c");
  CHECK(bench.state() == State::kRepairing);
  replace("c2", "job-1");
  CHECK(bench.plan());
  CHECK(bench.room.last_question.completed == std::map<std::string, uint32_t>{{"", 2}});
  CHECK(bench.room.reserved.size() == 1);
}

TEST_CASE_METHOD(Bound, "A group whose members have all completed is at rest") {
  for (const char* uid : {"a", "b", "c", "d"}) succeed(uid);
  CHECK(bench.state() == State::kBound);
  CHECK_FALSE(bench.group().wants_plan(bench.now, 99));
  CHECK_FALSE(bench.group().next_timer());
  bench.pass(Duration(1'000'000));
  CHECK(bench.take().empty());
}

TEST_CASE_METHOD(Bound, "The last running member of a Job is replaced although all others have completed") {
  for (const char* uid : {"a", "b", "c"}) succeed(uid);
  fail_pod("d");
  CHECK(bench.state() == State::kGathering);
  replace("d2", "job-1");
  CHECK(bench.plan());
  CHECK(bench.room.reserved.size() == 1);
  bench.reserve();
  bench.bind_all();
  CHECK(bench.state() == State::kBound);
}

TEST_CASE_METHOD(Bound, "A name used again after its group has ended starts anew") {
  for (const char* uid : {"a", "b", "c", "d"}) succeed(uid);
  SECTION("by bare pods") { bench.create_all({"w", "x", "y"}); }
  SECTION("by another controller of the same name") {
    for (const char* uid : {"w", "x", "y"}) replace(uid, "job-2");
  }
  CHECK(bench.state() == State::kGathering);
  CHECK_FALSE(bench.plan());
  CHECK(bench.group().reason() == "group ns/g is gathering: 3 of 4 members exist");
  replace("z", "job-2");
  CHECK(bench.plan());
  CHECK(bench.room.last_question.completed.empty());
  CHECK(bench.room.reserved.size() == 4);
}

TEST_CASE_METHOD(Bound, "Pods of an earlier life stay forgotten when the new one runs") {
  for (const char* uid : {"a", "b", "c", "d"}) succeed(uid);
  bench.create_all({"w", "x", "y", "z"});
  bench.reserve();
  bench.bind_all();
  REQUIRE(bench.state() == State::kBound);
  CHECK(bench.group().spare() == 0);
  bench.see("a");
  CHECK(bench.group().spare() == 0);
  bench.erase("w");
  CHECK(bench.state() == State::kRepairing);
}

TEST_CASE_METHOD(Bound, "Members that all fail gather again as a whole") {
  for (const char* uid : {"a", "b", "c", "d"}) fail_pod(uid);
  for (const char* uid : {"a2", "b2", "c2"}) replace(uid, "job-1");
  CHECK(bench.state() == State::kGathering);
  CHECK_FALSE(bench.plan());
  replace("d2", "job-1");
  CHECK(bench.plan());
  CHECK(bench.room.reserved.size() == 4);
}

TEST_CASE_METHOD(Bound,
                 "A restart does not forget completed members, in whatever order the pods are listed") {
  succeed("a");
  succeed("b");
  fail_pod("c");
  bench.pod("c2").controller_uid = "";
  const std::vector<std::vector<std::string>> orders = {{"a", "b", "c", "c2", "d"},
                                                        {"d", "c2", "c", "b", "a"}};
  for (const auto& order : orders) {
    bench.restart();
    for (const std::string& uid : order) bench.see(uid);
    bench.group().resume(bench.context());
    CHECK(bench.state() == State::kRepairing);
    CHECK(bench.group().spare() == -1);
    CHECK(bench.plan());
    CHECK(bench.room.reserved.size() == 1);
  }
}

TEST_CASE_METHOD(Bound, "Terminating members are not live and their replacements are awaited") {
  bench.pod("a").terminating = true;
  bench.see("a");
  CHECK(bench.state() == State::kRepairing);
  CHECK(bench.group().live() == 3);
}

TEST_CASE("What is published of members is told once per change") {
  GroupBench bench;
  bench.room.slots = {{"n1", 4}};
  bench.create_all({"a", "b"}, 2);
  bench.reserve();
  CHECK_FALSE(bench.group().take_moved().empty());
  const uint64_t version = bench.group().version();
  CHECK(bench.group().take_moved().empty());
  bench.call("a", 1);
  CHECK(bench.group().version() == version);
  bench.erase("b");
  auto moved = bench.group().take_moved();
  std::sort(moved.begin(), moved.end());
  CHECK(moved == std::vector<std::string>{"a", "b"});
  CHECK(bench.group().version() != version);
}
