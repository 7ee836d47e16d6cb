// What a tenant who may create pods can do to others by annotations alone, and where it ends.
#include <catch2/catch.hpp>
#include <set>

#include "engine/coordinator.h"
#include "support/kube_objects.h"

namespace muster::engine {
namespace {

using group::State;

struct Tenants {
  explicit Tenants(group::Limits limits = {}) : coordinator(options(limits), ids(), answers) {
    std::vector<kube::Node> nodes;
    for (int i = 0; i < 4; ++i) nodes.push_back(muster::test::make_node("n" + std::to_string(i), "b1", "r1"));
    coordinator.nodes_changed({kube::Replace<kube::Node>{nodes}}, now);
    coordinator.pods_changed({kube::Replace<kube::Pod>{}}, now);
  }
  static CoordinatorOptions options(const group::Limits& limits) {
    CoordinatorOptions options;
    options.trees = muster::test::block_rack_trees();
    options.limits = limits;
    return options;
  }
  static std::function<std::string()> ids() {
    return [n = 0]() mutable { return "p" + std::to_string(++n); };
  }
  static kube::Pod pod(const std::string& ns, const std::string& group, int number,
                       const std::string& minimum) {
    kube::Pod pod;
    pod.ns = ns;
    pod.name = group + "-" + std::to_string(number);
    pod.uid = ns + "/" + pod.name;
    pod.scheduler_name = "muster";
    pod.annotations = {{"muster.dev/group-name", group}, {"muster.dev/min-member", minimum}};
    pod.scheduling_gates = {"muster.dev/hold"};
    pod.requests.set(std::string(muster::test::kGpu), 1);
    pod.requests.set("pods", 1);
    return pod;
  }
  void see(kube::Pod pod) { coordinator.pods_changed({kube::Upsert<kube::Pod>{std::move(pod)}}, now); }
  void members(const std::string& ns, const std::string& group, int count) {
    for (int i = 0; i < count; ++i) see(pod(ns, group, i, std::to_string(count)));
  }
  group::Commands advance() {
    coordinator.advance(now);
    return coordinator.take_commands();
  }
  [[nodiscard]] State state(const std::string& ns, const std::string& group) const {
    return coordinator.find({ns, group})->state();
  }
  [[nodiscard]] std::string reason(const std::string& ns, const std::string& group) const {
    return coordinator.find({ns, group})->reason();
  }
  [[nodiscard]] static std::size_t told(const group::Commands& commands, group::EventReason reason) {
    std::size_t count = 0;
    for (const auto& command : commands) {
      const auto* tell = std::get_if<group::Tell>(&command);
      count += tell != nullptr && tell->reason == reason;
    }
    return count;
  }

  TimePoint now{Duration(1'000'000)};
  Answers answers;
  Coordinator coordinator;
};

TEST_CASE("limits: a group of a million is refused in words, and holds nothing") {
  Tenants t;
  t.see(Tenants::pod("tenant", "huge", 0, "1000000"));
  t.advance();
  CHECK(t.state("tenant", "huge") == State::kRejected);
  CHECK(t.reason("tenant", "huge").find("1000000") != std::string::npos);
  CHECK(t.coordinator.counts().reservations == 0);
}

TEST_CASE("limits: a group with more members than it may have is refused as a whole") {
  group::Limits limits;
  limits.members_per_group = 3;
  Tenants t(limits);
  for (int i = 0; i < 4; ++i) t.see(Tenants::pod("tenant", "g", i, "2"));
  t.advance();
  CHECK(t.state("tenant", "g") == State::kRejected);
  CHECK(t.reason("tenant", "g").find("more than the 3 members") != std::string::npos);
  // A change to one of the first does not make it whole again.
  kube::Pod first = Tenants::pod("tenant", "g", 0, "2");
  first.priority = 5;
  t.see(first);
  t.advance();
  CHECK(t.state("tenant", "g") == State::kRejected);
  CHECK(t.coordinator.counts().reservations == 0);
}

TEST_CASE("limits: a group of the largest size is repaired, and a moment of one member more is no verdict") {
  group::Limits limits;
  limits.members_per_group = 3;
  Tenants t(limits);
  std::vector<kube::Pod> pods;
  for (int i = 0; i < 3; ++i) {
    pods.push_back(muster::test::bound_to(Tenants::pod("tenant", "g", i, "3"), "n" + std::to_string(i)));
    pods.back().controller = kube::OwnerReference{"Job", "job", "job-1"};
    t.see(pods.back());
  }
  t.advance();
  REQUIRE(t.state("tenant", "g") == State::kBound);
  kube::Pod replacement = Tenants::pod("tenant", "g", 3, "3");
  replacement.controller = pods[0].controller;
  SECTION("it has failed") {
    pods[0].phase = kube::PodPhase::kFailed;
    t.see(pods[0]);
    t.see(replacement);
  }
  SECTION("it is being deleted") {
    pods[0].terminating = true;
    t.see(pods[0]);
    t.see(replacement);
  }
  SECTION("the replacement is seen first") {
    t.see(replacement);
    t.advance();
    CHECK(t.state("tenant", "g") == State::kRejected);
    t.coordinator.pods_changed({kube::Remove<kube::Pod>{pods[0]}}, t.now);
  }
  t.advance();
  CHECK(t.coordinator.counts().reservations == 1);
  CHECK(t.state("tenant", "g") == State::kRepairing);
}

TEST_CASE("limits: a minimum that no one can meet holds nothing and is in nobody's way") {
  Tenants t;
  t.members("tenant", "never", 2);
  kube::Pod more = Tenants::pod("tenant", "wishes", 0, "5000");
  t.see(more);
  t.members("other", "real", 3);
  t.advance();
  CHECK(t.state("tenant", "wishes") == State::kGathering);
  CHECK(t.state("other", "real") == State::kReserved);
}

TEST_CASE("limits: a group's name means nothing in another namespace") {
  Tenants t;
  t.members("mine", "train", 2);
  t.see(Tenants::pod("theirs", "train", 0, "3"));
  kube::Pod bad = Tenants::pod("theirs", "train", 1, "x");
  t.see(bad);
  t.advance();
  CHECK(t.state("mine", "train") == State::kReserved);
  CHECK(t.state("theirs", "train") == State::kRejected);
}

TEST_CASE("limits: a namespace that holds room without using it gets no more, and others do") {
  group::Limits limits;
  limits.held_members = 4;
  Tenants t(limits);
  t.members("tenant", "a", 3);
  t.advance();
  CHECK(t.state("tenant", "a") == State::kReserved);
  t.members("tenant", "b", 3);
  t.members("other", "c", 3);
  const auto commands = t.advance();
  CHECK(t.state("tenant", "b") == State::kPending);
  CHECK(Tenants::told(commands, group::EventReason::kLimitReached) == 3);
  CHECK(t.state("other", "c") == State::kReserved);
  // It is said once, and the group is planned when the namespace has let go.
  CHECK(Tenants::told(t.advance(), group::EventReason::kLimitReached) == 0);
  for (int i = 0; i < 3; ++i) {
    t.coordinator.pods_changed({kube::Remove<kube::Pod>{Tenants::pod("tenant", "a", i, "3")}}, t.now);
  }
  t.advance();
  CHECK(t.state("tenant", "b") == State::kReserved);
}

TEST_CASE("limits: a replacement counts alone, however many of its group are bound") {
  group::Limits limits;
  limits.held_members = 3;
  Tenants t(limits);
  for (int i = 0; i < 4; ++i) {
    kube::Pod pod = Tenants::pod("tenant", "large", i, "4");
    pod.node_name = "n" + std::to_string(i);
    pod.scheduling_gates.clear();
    t.see(pod);
  }
  t.members("tenant", "other", 1);
  t.advance();
  REQUIRE(t.state("tenant", "large") == State::kBound);
  REQUIRE(t.coordinator.counts().reservations == 1);
  t.coordinator.pods_changed({kube::Remove<kube::Pod>{Tenants::pod("tenant", "large", 0, "4")}}, t.now);
  t.see(Tenants::pod("tenant", "large", 4, "4"));
  t.see(Tenants::pod("tenant", "large", 5, "4"));
  t.see(Tenants::pod("tenant", "one-more", 0, "1"));
  const auto commands = t.advance();
  CHECK(t.coordinator.counts().reservations == 3);
  // Those that wait count all the same.
  CHECK(t.state("tenant", "one-more") == State::kPending);
  CHECK(Tenants::told(commands, group::EventReason::kLimitReached) == 1);
}

TEST_CASE("limits: nobody holds room for longer than is allowed, whatever the annotation says") {
  Tenants t;
  kube::Pod pod = Tenants::pod("tenant", "long", 0, "1");
  pod.annotations["muster.dev/hold-timeout"] = "23h";
  t.see(pod);
  t.advance();
  CHECK(t.state("tenant", "long") == State::kRejected);
  CHECK(t.reason("tenant", "long").find("hold-timeout") != std::string::npos);
}

TEST_CASE("limits: node selectors that are ever new occupy no more than the pods that are there") {
  group::Limits limits;
  limits.node_sets = 5;
  Tenants t(limits);
  for (int i = 0; i < 200; ++i) {
    kube::Pod pod = Tenants::pod("tenant", "g" + std::to_string(i), 0, "1");
    pod.node_set.node_selector = {{"zone", std::to_string(i)}};
    t.see(pod);
    t.advance();
    if (i >= 4) {
      kube::Pod old = Tenants::pod("tenant", "g" + std::to_string(i - 4), 0, "1");
      t.coordinator.pods_changed({kube::Remove<kube::Pod>{old}}, t.now);
    }
  }
  CHECK(t.coordinator.books().node_sets().count() <= 7);
  for (int i = 0; i < 3; ++i) {
    kube::Pod pod = Tenants::pod("tenant", "more" + std::to_string(i), 0, "1");
    pod.node_set.node_selector = {{"zone", "more" + std::to_string(i)}};
    t.see(pod);
  }
  t.advance();
  CHECK(t.state("tenant", "more0") != State::kRejected);
  CHECK(t.state("tenant", "more2") == State::kRejected);
  CHECK(t.reason("tenant", "more2").find("more than the 5 different ones") != std::string::npos);
}

TEST_CASE("limits: a member with one node selector too many is let in when another one has gone") {
  group::Limits limits;
  limits.node_sets = 1;
  Tenants t(limits);
  const auto pod = [](const std::string& group, const std::string& zone) {
    kube::Pod made = Tenants::pod("tenant", group, 0, "1");
    made.node_set.node_selector = {{"zone", zone}};
    return made;
  };
  t.see(pod("first", "a"));
  t.see(pod("second", "b"));
  t.see(pod("third", "c"));
  t.see(pod("fourth", "b"));
  t.advance();
  for (const char* group : {"second", "third", "fourth"}) CHECK(t.state("tenant", group) == State::kRejected);
  const auto leave = [&](const std::string& group, const std::string& zone) {
    t.coordinator.pods_changed({kube::Remove<kube::Pod>{pod(group, zone)}}, t.now);
    t.advance();
  };
  leave("first", "a");
  // Two that ask for the same share one.
  CHECK(t.state("tenant", "second") == State::kPending);
  CHECK(t.state("tenant", "fourth") == State::kPending);
  CHECK(t.state("tenant", "third") == State::kRejected);
  leave("fourth", "b");
  CHECK(t.state("tenant", "third") == State::kRejected);
  leave("second", "b");
  CHECK(t.state("tenant", "third") == State::kPending);
}

TEST_CASE("limits: what is wrong with a member besides its node selector is told when that is let in") {
  group::Limits limits;
  limits.node_sets = 1;
  Tenants t(limits);
  kube::Pod first = Tenants::pod("tenant", "first", 0, "1");
  first.node_set.node_selector = {{"zone", "a"}};
  t.see(first);
  kube::Pod second = Tenants::pod("tenant", "second", 0, "none");
  second.node_set.node_selector = {{"zone", "b"}};
  t.see(second);
  t.coordinator.pods_changed({kube::Remove<kube::Pod>{first}}, t.now);
  t.advance();
  CHECK(t.state("tenant", "second") == State::kRejected);
  CHECK(t.reason("tenant", "second").find("none") != std::string::npos);
}

}  // namespace
}  // namespace muster::engine
