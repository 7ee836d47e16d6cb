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
  void release() {
    REQUIRE(carry_out(Nominate{kPod, "n1", "p1", kDeadline}, api));
    REQUIRE(carry_out(Release{kPod, "n1", "p1", true, kDeadline}, api));
  }
  Result<void> bind(const std::string& node = "n1") {
    return carry_out(
        Bind{kPod, node, "p1", {{"muster.dev/rank", "3"}}, kDeadline, api.pod("a").resource_version}, api);
  }
  Result<void> bind_at(const std::string& version) {
    return carry_out(Bind{kPod, "n1", "p1", {}, kDeadline, version}, api);
  }
  // What is called from here on.
  std::vector<std::string> calls() const {
    const auto all = api.calls();
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
  }
  void forget_calls() { before = api.calls().size(); }
  std::size_t before = 0;
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

TEST_CASE_METHOD(Api, "A pod that has changed and still carries the plan is bound as it is then") {
  release();
  const std::string seen = api.pod("a").resource_version;
  SECTION("something else was written") { REQUIRE(api.set_ready({"ns", "a", "uid-a"}, false)); }
  SECTION("it was released without a gate") {
    REQUIRE(carry_out(Release{kPod, "n1", "p1", false, kDeadline}, api));
  }
  forget_calls();
  CHECK(bind_at(seen));
  CHECK(calls() == std::vector<std::string>{"bind a n1", "get a", "bind a n1"});
  CHECK(api.pod("a").node_name == "n1");
}

TEST_CASE_METHOD(Api, "A pod that was never seen with its plan is looked at before it is bound") {
  release();
  forget_calls();
  CHECK(bind_at(""));
  CHECK(calls() == std::vector<std::string>{"get a", "bind a n1"});
}

TEST_CASE_METHOD(Api, "A pod whose plan was taken back is not bound, however late the binding comes") {
  release();
  std::string seen = api.pod("a").resource_version;
  REQUIRE(carry_out(Withdraw{kPod}, api));
  SECTION("nothing was promised since") {}
  SECTION("another plan promises the same node") {
    REQUIRE(carry_out(Nominate{kPod, "n1", "p2", kDeadline}, api));
  }
  SECTION("a change of the same plan moved it") {
    REQUIRE(carry_out(Nominate{kPod, "n2", "p1.1", kDeadline}, api));
  }
  SECTION("whoever binds it has not seen it") { seen.clear(); }
  const auto result = bind_at(seen);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kConflict);
  CHECK(result.error().message == "pod ns/a does not carry plan p1 any more");
  CHECK(api.pod("a").node_name.empty());
}

TEST_CASE("A pod that changes all the time is bound later") {
  struct Restless final : FakeWriter {
    Result<void> bind(const kube::PodRef& ref, const std::string& node,
                      const kube::StringMap& annotations) override {
      REQUIRE(nominate({ref.ns, ref.name, ref.uid}, "n1", "p1"));
      return FakeWriter::bind(ref, node, annotations);
    }
  };
  Restless api;
  api.put(muster::test::make_member("a", "g", 1));
  const auto result = carry_out(Bind{kPod, "n1", "p1", {}, kDeadline, "1"}, api);
  REQUIRE_FALSE(result);
  CHECK(reaction_of(result.error().code) == Reaction::kRetry);
}

TEST_CASE_METHOD(Api, "A pod of no group is bound whatever it carries and however it has changed") {
  REQUIRE(carry_out(Release{kPod, "n1", "p1", true, kDeadline}, api));
  forget_calls();
  CHECK(carry_out(Bind{kPod, "n1", "", {}, kDeadline}, api));
  CHECK(calls() == std::vector<std::string>{"bind a n1"});
}

TEST_CASE_METHOD(Api, "A conflict on a pod that is not bound stays what the server said") {
  REQUIRE(carry_out(Nominate{kPod, "n1", "p1", kDeadline}, api));
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
  CHECK(bind_at("1").error().code == ErrorCode::kNotFound);
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
