// The condition muster.dev/group-ready: true for all or for none, and never written without need.
#include <catch2/catch.hpp>

#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

using Writes = std::vector<std::pair<std::string, bool>>;

struct Served : GroupBench {
  explicit Served(std::vector<std::string> uids = {"a", "b", "c"}, uint32_t minimum = 3) {
    room.slots = {{"n1", 8}};
    for (const std::string& uid : uids) {
      pod(uid, minimum).readiness_gate = true;
      see(uid);
    }
    reserve();
    bind_all();
    REQUIRE(state() == State::kBound);
  }
  void runs(const std::string& uid, bool ready = true) {
    pod(uid).containers_ready = ready;
    see(uid);
  }
  Writes written() {
    while (!out.empty()) carry_out();
    Writes all = std::exchange(readiness, {});
    std::sort(all.begin(), all.end());
    return all;
  }
};

}  // namespace

TEST_CASE_METHOD(Served, "Readiness is true for all members once the last needed one is ready") {
  runs("a");
  runs("b");
  CHECK(written().empty());
  runs("c");
  CHECK(written() == Writes{{"a", true}, {"b", true}, {"c", true}});
  runs("a");
  CHECK(written().empty());
}

TEST_CASE_METHOD(Served, "Readiness ends for all members as soon as one too few is ready") {
  for (const char* uid : {"a", "b", "c"}) runs(uid);
  static_cast<void>(written());
  const Writes none{{"a", false}, {"b", false}, {"c", false}};
  SECTION("its containers are not ready any more") {
    runs("b", false);
    CHECK(written() == none);
  }
  SECTION("its node is not ready") {
    pod("b").fate = NodeFate::kNotReady;
    group().node_fared("b", NodeFate::kNotReady, context());
    CHECK(written() == none);
  }
  SECTION("it is deleted") {
    erase("b");
    CHECK(written() == Writes{{"a", false}, {"c", false}});
  }
  SECTION("it is going") {
    pod("b").terminating = true;
    see("b");
    CHECK(written() == Writes{{"a", false}, {"c", false}});
  }
  SECTION("and comes back with it") {
    runs("b", false);
    static_cast<void>(written());
    runs("b");
    CHECK(written() == Writes{{"a", true}, {"b", true}, {"c", true}});
  }
}

TEST_CASE("A member beyond the minimum neither makes nor breaks readiness, and shows the group's") {
  Served served({"a", "b", "c", "d"}, 3);
  for (const char* uid : {"a", "b", "c"}) served.runs(uid);
  CHECK(served.written() == Writes{{"a", true}, {"b", true}, {"c", true}, {"d", true}});
  served.runs("d");
  served.runs("d", false);
  CHECK(served.written().empty());
}

TEST_CASE_METHOD(Served, "A member that has completed counts") {
  runs("a");
  runs("b");
  pod("c").succeeded = true;
  see("c");
  CHECK(written() == Writes{{"a", true}, {"b", true}});
}

TEST_CASE_METHOD(Served, "A write under way is not written again, and one that failed is") {
  for (const char* uid : {"a", "b", "c"}) runs(uid);
  const auto writes = only<SetReady>(take());
  REQUIRE(writes.size() == 3);
  see("a");  // not shown yet
  CHECK(only<SetReady>(take()).empty());
  group().ready_set(writes[0], fail(ErrorCode::kUnavailable, "cut"), context());
  CHECK(only<SetReady>(take()).size() == 1);
  group().ready_set(writes[0], fail(ErrorCode::kForbidden, "no"), context());
  CHECK(only<SetReady>(take()).empty());
  runs("b", false);
  const auto back = only<SetReady>(take());
  REQUIRE(back.size() == 3);
  CHECK_FALSE(back[0].ready);
}

TEST_CASE_METHOD(Served, "A restart writes only what is shown wrongly") {
  for (const char* uid : {"a", "b", "c"}) runs(uid);
  static_cast<void>(written());
  restart_and_resume();
  CHECK(only<SetReady>(out).empty());
  pods.at("b").containers_ready = false;
  pods.at("c").shown_ready = false;
  restart_and_resume();
  CHECK(written() == Writes{{"a", false}, {"b", false}});
}

TEST_CASE("Members without the gate are never written to") {
  Served served;
  for (const char* uid : {"a", "b", "c"}) {
    served.pod(uid).readiness_gate = false;
    served.runs(uid);
  }
  CHECK(served.written().empty());
}

TEST_CASE("A subgroup below its minimum is not ready while another one is") {
  GroupBench bench;
  bench.room.slots = {{"n1", 8}};
  for (const char* uid : {"p1", "p2", "q1", "q2"}) {
    Member& member = bench.pod(uid, 2);
    member.readiness_gate = true;
    member.subgroup = uid[0] == 'p' ? "p" : "q";
    SubgroupSpec p;
    p.name = "p";
    p.min_member = 2;
    SubgroupSpec q = p;
    q.name = "q";
    test::Asking(member)->subgroups = {p, q};
    test::Asking(member)->min_subgroups = 1;
    bench.see(uid);
  }
  bench.reserve();
  bench.bind_all();
  for (const char* uid : {"p1", "p2", "q1"}) {
    bench.pod(uid).containers_ready = true;
    bench.see(uid);
  }
  while (!bench.out.empty()) bench.carry_out();
  std::sort(bench.readiness.begin(), bench.readiness.end());
  CHECK(bench.readiness == Writes{{"p1", true}, {"p2", true}});
}
