// One attempt at one command: done twice is done once.
#include "binder/carry_out.h"

#include <catch2/catch.hpp>

#include "support/fake_writer.h"
#include "support/kube_objects.h"

using namespace muster;
using namespace muster::group;
using muster::binder::carry_out;
using muster::test::FakeWriter;

namespace {

const PodId kPod{"ns", "a", "uid-a"};
const TimePoint kDeadline{};

struct Api {
  FakeWriter api;
  Api() {
    kube::Pod pod = muster::test::make_member("a", "g", 1);
    api.put(pod);
  }
  void release() { REQUIRE(carry_out(Release{kPod, "n1", "p1", true, kDeadline}, api)); }
  Result<void> bind(const std::string& node = "n1") {
    return carry_out(Bind{kPod, node, "p1", {{"muster.dev/rank", "3"}}, kDeadline}, api);
  }
};

}  // namespace

TEST_CASE_METHOD(Api, "Nominate writes node and plan, Withdraw takes both back") {
  CHECK(carry_out(Nominate{kPod, "n1", "p1", kDeadline}, api));
  CHECK(api.pod("a").nominated_node == "n1");
  CHECK(api.pod("a").annotations.at("muster.dev/plan") == "p1");
  CHECK(carry_out(Withdraw{kPod}, api));
  CHECK(carry_out(Withdraw{kPod}, api));
  CHECK(api.pod("a").nominated_node.empty());
  CHECK_FALSE(api.pod("a").annotations.contains("muster.dev/plan"));
}

TEST_CASE_METHOD(Api, "Release removes the gate, or changes a pod that has none so that it is tried again") {
  CHECK(carry_out(Release{kPod, "n1", "p1", true, kDeadline}, api));
  CHECK(carry_out(Release{kPod, "n1", "p1", true, kDeadline}, api));
  CHECK(api.pod("a").scheduling_gates.empty());
  CHECK(carry_out(Release{kPod, "n1", "p1", false, kDeadline}, api));
  CHECK(api.pod("a").annotations.at("muster.dev/plan") == "p1+");
  CHECK(api.pod("a").nominated_node == "n1");
}

TEST_CASE_METHOD(Api, "Bind binds with its annotations in one write") {
  release();
  CHECK(bind());
  CHECK(api.pod("a").node_name == "n1");
  CHECK(api.pod("a").annotations.at("muster.dev/rank") == "3");
}

TEST_CASE_METHOD(Api, "A pod that is bound there already is bound") {
  release();
  REQUIRE(bind());
  CHECK(bind());
}

TEST_CASE_METHOD(Api, "A pod that is bound elsewhere is a conflict that names the node") {
  release();
  REQUIRE(bind("n2"));
  const auto result = bind();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kConflict);
  CHECK(result.error().message == "pod ns/a is bound to n2");
}

TEST_CASE_METHOD(Api,
                 "A pod that was replaced by another of its name is not found, and the other is left alone") {
  kube::Pod other = muster::test::make_member("a", "g", 1);
  other.uid = "uid-other";
  other.scheduling_gates.clear();
  SECTION("not bound") {}
  SECTION("bound to the very node") { other.node_name = "n1"; }
  api.put(other);
  const auto result = bind();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kNotFound);
  CHECK(api.pod("a").node_name == other.node_name);
}

TEST_CASE_METHOD(Api, "A conflict on a pod that is not bound stays what the server said") {
  const auto result = bind();  // the gate is still there
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kConflict);
  CHECK(result.error().message == "pod a cannot be bound");
}

TEST_CASE_METHOD(Api, "A conflict that cannot be looked into is told by the reading's error") {
  release();
  REQUIRE(bind("n2"));
  api.set_faults([](const std::string& verb, const std::string&) -> std::optional<FakeWriter::Fault> {
    if (verb != "get") return std::nullopt;
    return FakeWriter::Fault{{ErrorCode::kUnavailable, "cut"}, false};
  });
  CHECK(bind().error().code == ErrorCode::kUnavailable);  // to be repeated
}

TEST_CASE_METHOD(Api, "A pod that has gone is not found") {
  api.erase("a");
  CHECK(bind().error().code == ErrorCode::kNotFound);
  CHECK(carry_out(Nominate{kPod, "n1", "p1", kDeadline}, api).error().code == ErrorCode::kNotFound);
}

TEST_CASE_METHOD(Api, "Marks, evictions and readiness reach the pod as they were meant") {
  REQUIRE(carry_out(Mark{kPod, "restart", kDeadline}, api));
  CHECK(api.pod("a").annotations.at("muster.dev/let-go") == "restart");
  REQUIRE(carry_out(SetReady{kPod, true, kDeadline}, api));
  CHECK(api.pod("a").group_ready == true);
  REQUIRE(carry_out(Evict{kPod, true, false, kDeadline}, api));
  REQUIRE(carry_out(Evict{kPod, false, true, kDeadline}, api));
  CHECK(api.pod("a").terminating);
  CHECK(api.calls() == std::vector<std::string>{"mark a restart", "ready a True", "evict a",
                                                "evict a at once past budgets"});
}
