// Groups whose members complete one after another, with the real books: who is lost meanwhile is replaced, in
// the place that was its own.
#include <catch2/catch.hpp>

#include "desk.h"

using namespace muster;
using namespace muster::group;
using muster::test::bound_to;
using muster::test::Desk;
using muster::test::make_member;
using muster::test::make_node;

namespace {

struct Finishing : Desk {
  kube::StringMap asks;  // annotations of every member, without the prefix

  Finishing() {
    std::vector<kube::Node> nodes;
    for (const char* rack : {"r1", "r2"}) {
      for (int i = 0; i < 4; ++i) nodes.push_back(make_node(fmt::format("{}-{}", rack, i), "b1", rack));
    }
    list_nodes(nodes);
  }
  [[nodiscard]] kube::Pod member(const std::string& name, int index, const std::string& subgroup = "") const {
    kube::Pod pod = make_member(name, "g", 4);
    for (const auto& [key, value] : asks) pod.annotations["muster.dev/" + key] = value;
    if (!subgroup.empty()) pod.annotations["muster.dev/subgroup"] = subgroup;
    pod.controller = kube::OwnerReference{"Job", "job", "job-1"};
    pod.labels["batch.kubernetes.io/job-completion-index"] = std::to_string(index);
    return pod;
  }
  // As a binding leaves it.
  [[nodiscard]] kube::Pod bound(const std::string& name, int index, const std::string& node,
                                const std::string& subgroup = "") const {
    kube::Pod pod = bound_to(member(name, index, subgroup), node);
    pod.annotations["muster.dev/rank"] = std::to_string(index);
    return pod;
  }
  void begin(std::vector<kube::Pod> pods) {
    list_pods(std::move(pods));
    settle();
    REQUIRE(state() == State::kBound);
  }
  void ends(const std::string& name, kube::PodPhase phase) {
    kube::Pod pod = api.pod(name);
    pod.phase = phase;
    see(pod);
  }
  void completes(const std::string& name) { ends(name, kube::PodPhase::kSucceeded); }
  void fails(const std::string& name) { ends(name, kube::PodPhase::kFailed); }
};

std::string rack_of(const std::string& node) { return node.substr(0, node.rfind('-')); }

}  // namespace

TEST_CASE_METHOD(Finishing, "The last member of a sliced group is replaced when the others have completed") {
  const int completed = GENERATE(1, 2, 3);
  CAPTURE(completed);
  asks = {{"slices", "2@rack"}};
  begin({bound("p0", 0, "r1-0"), bound("p1", 1, "r1-1"), bound("p2", 2, "r2-0"), bound("p3", 3, "r2-1")});
  for (int i = 0; i < completed; ++i) completes(fmt::format("p{}", i));
  for (int i = completed; i < 4; ++i) fails(fmt::format("p{}", i));
  for (int i = completed; i < 4; ++i) see(member(fmt::format("p{}r", i), i));
  settle();
  for (int i = completed; i < 4; ++i) {
    CAPTURE(i, reason(fmt::format("p{}r", i)));
    CHECK(planned(fmt::format("p{}r", i)) != "");
  }
  if (completed < 3) CHECK(rack_of(planned("p2r")) == rack_of(planned("p3r")));
}

TEST_CASE_METHOD(Finishing,
                 "The last member of a sliced subgroup is replaced when the others have completed") {
  const bool has_minimum = GENERATE(false, true);
  CAPTURE(has_minimum);
  asks = {{"group-spec", has_minimum ? R"({"subgroups":{"d":{"minMember":4,"slices":"2@rack"}}})"
                                     : R"({"subgroups":{"d":{"slices":"2@rack"}}})"}};
  begin({bound("p0", 0, "r1-0", "d"), bound("p1", 1, "r1-1", "d"), bound("p2", 2, "r2-0", "d"),
         bound("p3", 3, "r2-1", "d")});
  for (const char* name : {"p0", "p1", "p2"}) completes(name);
  fails("p3");
  see(member("p3r", 3, "d"));
  settle();
  CAPTURE(reason("p3r"));
  CHECK(planned("p3r") != "");
}

TEST_CASE_METHOD(Finishing,
                 "A replacement joins its slice of a subgroup although the first member has ended") {
  enum class First { kRuns, kHasCompleted, kHasFailed, kWasReplaced };
  const First first = GENERATE(First::kRuns, First::kHasCompleted, First::kHasFailed, First::kWasReplaced);
  CAPTURE(static_cast<int>(first));
  asks = {{"min-member", "3"}, {"group-spec", R"({"subgroups":{"d":{"slices":"2@rack"}}})"}};
  begin({bound("p0", 0, "r1-0", "d"), bound("p1", 1, "r1-1", "d"), bound("p2", 2, "r2-0", "d"),
         bound("p3", 3, "r2-1", "d")});
  if (first == First::kHasCompleted) completes("p0");
  if (first == First::kHasFailed || first == First::kWasReplaced) fails("p0");
  gone(api.pod("p2"));
  if (first == First::kWasReplaced) see(member("p0r", 0, "d"));
  see(member("p2r", 2, "d"));
  settle();
  CHECK(rack_of(planned("p2r")) == "r2");
  if (first == First::kWasReplaced) CHECK(rack_of(planned("p0r")) == "r1");
}

TEST_CASE_METHOD(Finishing, "A subgroup stands when all below it have completed, however deep they are") {
  const std::string below = GENERATE("", "/a", "/a/b");
  CAPTURE(below);
  const std::string x = below.empty()   ? "{}"
                        : below == "/a" ? R"({"subgroups":{"a":{}}})"
                                        : R"({"subgroups":{"a":{"minSubgroups":1,"subgroups":{"b":{}}}}})";
  asks = {{"min-member", "2"}, {"group-spec", R"({"minSubgroups":2,"subgroups":{"x":)" + x + R"(,"y":{}}})"}};
  begin({bound("p0", 0, "r1-0", "x" + below), bound("p1", 1, "r1-1", "y"), bound("p2", 2, "r1-2", "y")});
  completes("p0");
  gone(api.pod("p1"));
  see(member("p1r", 1, "y"));
  settle();
  CAPTURE(reason("p1r"));
  CHECK(planned("p1r") != "");
}
