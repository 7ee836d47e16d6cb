// The single writer in virtual time: what comes in, what goes out, what is published.
#include "engine/coordinator.h"

#include <catch2/catch.hpp>

#include "desk.h"

using namespace muster;
using namespace muster::group;
using muster::test::bound_to;
using muster::test::Desk;
using muster::test::kGpu;
using muster::test::make_member;
using muster::test::make_node;
using muster::test::make_pod;
using muster::test::only;

namespace {

// Two nodes in one rack, a group of two that is released.
struct Released : Desk {
  Released() {
    list_nodes({make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1"), make_node("n3", "b1", "r1")});
    list_pods({make_member("a", "g", 2), make_member("b", "g", 2)});
    settle();
    REQUIRE_FALSE(planned("a").empty());
    REQUIRE_FALSE(planned("b").empty());
  }
};

}  // namespace

TEST_CASE_METHOD(Desk, "Nothing is planned before both nodes and pods have been listed") {
  SECTION("nodes first") {
    list_nodes({make_node("n1", "b1", "r1")});
    CHECK(advance().empty());
    CHECK_FALSE(coordinator.synced());
    list_pods({make_member("a", "g", 1)});
  }
  SECTION("pods first") {
    list_pods({make_member("a", "g", 1)});
    CHECK(advance().empty());
    CHECK_FALSE(coordinator.synced());
    list_nodes({make_node("n1", "b1", "r1")});
  }
  SECTION("single changes are no list") {
    see(make_node("n1", "b1", "r1"));
    see(make_member("a", "g", 1));
    CHECK(advance().empty());
    CHECK_FALSE(coordinator.synced());
    list_nodes({make_node("n1", "b1", "r1")});
    list_pods({make_member("a", "g", 1)});
  }
  CHECK(coordinator.synced());
  CHECK(only<Nominate>(advance()).size() == 1);
}

TEST_CASE_METHOD(Desk, "A bind call before the lists is refused, whosever pod it is") {
  call("a", "n1");
  auto answered = only<AnswerBind>(coordinator.take_commands());
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].result.error().code == ErrorCode::kUnavailable);
  list_pods({make_member("a", "g", 1)});
  call("a", "n1");
  call("x", "n1");
  const Commands said = coordinator.take_commands();
  CHECK(only<Bind>(said).empty());
  CHECK(only<AnswerBind>(said).size() == 2);
}

TEST_CASE_METHOD(Released, "A group goes from listed pods to bound ones") {
  CHECK(planned("a") != planned("b"));
  call("a", planned("a"));
  CHECK(only<Bind>(settle()).empty());
  call("b", planned("b"));
  const Commands said = settle();
  CHECK(only<Bind>(said).size() == 2);
  CHECK(only<AnswerBind>(said).size() == 2);
  for (const AnswerBind& answer : only<AnswerBind>(said)) CHECK(answer.result);
  CHECK(state() == State::kBound);
  CHECK(api.pod("a").annotations.at("muster.dev/domain") == "block=b1,rack=b1/r1");
  CHECK(coordinator.counts().reservations == 0);
  CHECK(coordinator.counts().groups.at(State::kBound) == 1);
  CHECK(answers.promises()->empty());
}

TEST_CASE_METHOD(Released,
                 "While a group is reserved its room is promised, and free again when the plan ends") {
  CHECK(answers.promises()->at(planned("a")).get(kGpu) == 0);
  CHECK(answers.promises()->size() == 2);
  now += Duration(30'000);
  CHECK(coordinator.next_timer() <= now);
  settle();
  CHECK(answers.promises()->empty());
  CHECK(planned("a").empty());
  CHECK(reason("a").find("muster: group ns/g") == 0);
}

TEST_CASE_METHOD(Desk, "Who is released finds its node published in the same turn") {
  list_nodes({make_node("n1", "b1", "r1")});
  list_pods({make_member("a", "g", 1)});
  for (const Nominate& nominate : only<Nominate>(advance())) coordinator.done(nominate, {}, now);
  CHECK(planned("a").empty());
  const Commands said = advance();
  REQUIRE(only<Release>(said).size() == 1);
  CHECK(planned("a") == "n1");
}

TEST_CASE_METHOD(Desk, "A member without a gate finds its node published in the turn that nominates it") {
  list_nodes({make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1")});
  kube::Pod a = make_member("a", "g", 2);
  a.scheduling_gates.clear();
  list_pods({a, make_member("b", "g", 2)});
  CHECK(only<Nominate>(advance()).size() == 2);
  CHECK_FALSE(planned("a").empty());
  CHECK(planned("b").empty());
}

TEST_CASE_METHOD(Released, "Binds of pods of no group are passed on and answered with their result") {
  see(make_pod("x", 1));
  call("x", "n3");
  call("ghost", "n3");  // deleted meanwhile
  const Commands said = settle();
  const auto bindings = only<Bind>(said);
  REQUIRE(bindings.size() == 2);
  CHECK(bindings[0].annotations.empty());
  CHECK(bindings[0].deadline == now + Duration(50'000));
  const auto answered = only<AnswerBind>(said);
  REQUIRE(answered.size() == 2);
  CHECK(answered[0].call == 1);
  CHECK(answered[0].result);
  CHECK(answered[1].result.error().code == ErrorCode::kNotFound);
  CHECK(api.pod("x").node_name == "n3");
}

TEST_CASE_METHOD(Released, "A second bind call of a pod of no group takes the place of the first") {
  see(make_pod("x", 1));
  call("x", "n3");
  call("x", "n3");
  const auto answered = only<AnswerBind>(settle());
  REQUIRE(answered.size() == 2);
  CHECK(answered[0].call == 1);
  CHECK_FALSE(answered[0].result);
  CHECK(answered[1].call == 2);
  CHECK(answered[1].result);
}

TEST_CASE_METHOD(Released, "A call that was given up on gets no answer and does not open the barrier") {
  call("a", planned("a"));
  coordinator.bind_abandoned("uid-a", 1);
  call("b", planned("b"));
  CHECK(only<Bind>(settle()).empty());
  see(make_pod("x", 1));
  call("x", "n3");
  coordinator.bind_abandoned("uid-x", 3);
  const Commands said = settle();
  CHECK(only<Bind>(said).size() == 1);
  CHECK(only<AnswerBind>(said).empty());
}

TEST_CASE_METHOD(Released, "A reservation that its node cannot keep is planned again on another one") {
  const std::string before = planned("a");
  const std::string other = planned("b");
  SECTION("cordoned") {
    kube::Node node = make_node(before, "b1", "r1");
    node.unschedulable = true;
    see(node);
  }
  SECTION("removed") {
    coordinator.nodes_changed({kube::Remove<kube::Node>{make_node(before, "b1", "r1")}}, now);
  }
  SECTION("missing from a new list") {
    list_nodes({make_node(other, "b1", "r1"), make_node("n3", "b1", "r1")});
  }
  SECTION("filled by a pod of no group") { see(bound_to(make_pod("x", 2), before)); }
  const auto nominations = only<Nominate>(advance());
  REQUIRE(nominations.size() == 1);
  CHECK(nominations[0].pod.name == "a");
  CHECK(nominations[0].node == "n3");
  CHECK(planned("a") == "n3");
  CHECK(planned("b") == other);
  CHECK(coordinator.books().balanced());
}

TEST_CASE_METHOD(Desk, "What a bound member comes to ask for, and its end, is room for others at once") {
  list_nodes({make_node("n1", "b1", "r1", 8)});
  kube::Pod bound = bound_to(make_member("a", "g", 1, 4), "n1");
  list_pods({bound, make_member("b", "h", 1, 6)});
  advance();
  CHECK(state("h") == State::kPending);
  SECTION("it asks for less") { bound.requests.set(kGpu, 2); }
  SECTION("it has succeeded") { bound.phase = kube::PodPhase::kSucceeded; }
  see(bound);
  advance();
  CHECK(state("h") == State::kReserved);
}

TEST_CASE_METHOD(Released, "A change of a node that does not matter to a reservation moves nobody") {
  kube::Node node = make_node(planned("a"), "b1", "r1");
  node.labels["example.com/colour"] = "green";
  see(node);
  see(bound_to(make_pod("x", 0), planned("b")));
  CHECK(only<Nominate>(advance()).empty());
}

TEST_CASE_METHOD(Released, "A new list without a member drops it") {
  list_pods({make_member("a", "g", 2)});
  const Commands said = advance();
  CHECK(only<Withdraw>(said).size() == 1);
  CHECK(state() == State::kGathering);
  CHECK(coordinator.counts().reservations == 0);
  CHECK(reason("b") == "muster: this pod has not been seen yet");
}

TEST_CASE_METHOD(Released, "A new list without a bound pod of no group frees its room") {
  see(bound_to(make_pod("x", 8), "n3"));
  see(make_member("c", "h", 1));
  settle();
  CHECK(state("h") == State::kPending);
  kube::Pod a = api.pod("a");
  kube::Pod b = api.pod("b");
  list_pods({a, b, make_member("c", "h", 1)});
  settle();
  CHECK(planned("c") == "n3");
}

TEST_CASE_METHOD(Released, "A group whose last member goes is forgotten, and its name begins anew") {
  gone(api.pod("a"));
  gone(api.pod("b"));
  advance();
  CHECK(coordinator.find({"ns", "g"}) == nullptr);
  CHECK(coordinator.counts().groups.empty());
  CHECK_FALSE(coordinator.next_timer());
  see(make_member("a", "g", 1));
  settle();
  CHECK_FALSE(planned("a").empty());
}

TEST_CASE_METHOD(Released, "A pod whose group annotation is edited leaves one group and enters another") {
  kube::Pod pod = api.pod("a");
  pod.annotations["muster.dev/group-name"] = "h";
  pod.annotations["muster.dev/min-member"] = "1";
  see(pod);
  settle();
  CHECK(state("g") == State::kGathering);
  CHECK_FALSE(planned("a").empty());
  pod = api.pod("a");
  pod.annotations.erase("muster.dev/group-name");
  see(pod);
  settle();
  CHECK(coordinator.find({"ns", "h"}) == nullptr);
  CHECK_FALSE(answers.knows("uid-a"));
  CHECK(coordinator.counts().reservations == 0);
}

TEST_CASE_METHOD(
    Desk, "Groups are planned by priority, then by age, and a small one may pass one that does not fit") {
  kube::Pod young = make_member("young", "young", 1);
  young.creation_seconds = 20;
  kube::Pod old = make_member("old", "old", 1);
  old.creation_seconds = 10;
  kube::Pod urgent = make_member("urgent", "urgent", 1);
  urgent.creation_seconds = 30;
  urgent.priority = 5;
  kube::Pod huge = make_member("huge", "huge", 1, 9);
  huge.priority = 9;
  list_nodes({make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1")});
  list_pods({young, old, urgent, huge});
  settle();
  CHECK(state("huge") == State::kPending);
  CHECK(state("urgent") == State::kReserved);
  CHECK(state("old") == State::kReserved);
  CHECK(state("young") == State::kPending);
}

TEST_CASE_METHOD(Desk, "Of two groups with room for one, one is planned whole and the other holds nothing") {
  list_nodes({make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1")});
  list_pods({make_member("a1", "a", 2), make_member("b1", "b", 2), make_member("a2", "a", 2),
             make_member("b2", "b", 2)});
  settle();
  CHECK(coordinator.counts().reservations == 2);
  CHECK((state("a") == State::kReserved) != (state("b") == State::kReserved));
}

TEST_CASE_METHOD(Desk, "A group that does not fit is asked again when room is gained and not otherwise") {
  list_nodes({make_node("n1", "b1", "r1")});
  const kube::Pod hog = bound_to(make_pod("hog", 4), "n1");
  list_pods({hog, make_member("a", "g", 1)});
  settle();
  const uint64_t plans = coordinator.counts().plans;
  for (int i = 0; i < 5; ++i) {
    now += Duration(1'000);
    see(make_pod("x" + std::to_string(i), 1));
    settle();
  }
  CHECK(coordinator.counts().plans == plans);
  CHECK(reason("a").find("waits for room") != std::string::npos);
  gone(hog);
  settle();
  CHECK(planned("a") == "n1");
}

TEST_CASE_METHOD(Released, "What stands in the API is taken up by the next coordinator") {
  call("a", planned("a"));
  settle();
  const std::string a = planned("a");
  const std::string b = planned("b");

  Desk next;
  next.list_pods({api.pod("a"), api.pod("b")});
  CHECK(next.advance().empty());
  next.list_nodes({make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1"), make_node("n3", "b1", "r1")});
  next.settle();
  CHECK(next.ids == 0);  // no new plan
  CHECK(next.planned("a") == a);
  CHECK(next.planned("b") == b);
  next.call("a", a);
  next.call("b", b);
  CHECK(only<Bind>(next.settle()).size() == 2);
  CHECK(next.state() == State::kBound);
}

TEST_CASE_METHOD(Released, "A group whose node is gone when Muster begins anew is planned again") {
  Desk next;
  next.list_nodes({make_node(planned("b"), "b1", "r1"), make_node("n3", "b1", "r1")});
  next.list_pods({api.pod("a"), api.pod("b")});
  next.settle();
  CHECK(next.ids == 1);
  CHECK(next.coordinator.counts().reservations == 2);
}

TEST_CASE_METHOD(Released,
                 "Victims of preemption are protected while their group would fall below its minimum") {
  CHECK_FALSE(answers.expendable({"uid-a"}, 0));
  call("a", planned("a"));
  call("b", planned("b"));
  settle();
  CHECK_FALSE(answers.expendable({"uid-a"}, 0));
  see(make_member("c", "g", 2));
  settle();
  call("c", planned("c"));
  settle();
  REQUIRE(state() == State::kBound);
  CHECK(answers.expendable({"uid-a"}, 0));
  CHECK_FALSE(answers.expendable({"uid-a", "uid-c"}, 0));
}

TEST_CASE_METHOD(Desk,
                 "Victims of preemption are protected while their subgroup would fall below its minimum") {
  list_nodes({make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1"), make_node("n3", "b1", "r1")});
  std::vector<kube::Pod> pods;
  for (const char* name : {"leader", "worker-1", "worker-2"}) {
    pods.push_back(make_member(name, "g", 2));
    pods.back().annotations["muster.dev/subgroup"] = std::string(name).substr(0, 6);
    pods.back().annotations["muster.dev/group-spec"] =
        R"({"subgroups":{"leader":{"minMember":1},"worker":{}}})";
  }
  list_pods(pods);
  settle();
  for (const kube::Pod& pod : pods) call(pod.name, planned(pod.name));
  settle();
  REQUIRE(state() == State::kBound);
  CHECK(answers.expendable({"uid-worker-1"}, 0));
  CHECK_FALSE(answers.expendable({"uid-leader"}, 0));
}

TEST_CASE_METHOD(Desk, "Pods of other schedulers and of kube-scheduler's own gangs are no members") {
  list_nodes({make_node("n1", "b1", "r1")});
  kube::Pod other = make_member("other", "g", 1);
  other.scheduler_name = "default-scheduler";
  kube::Pod native = make_member("native", "g", 1);
  native.in_native_group = true;
  list_pods({other, native});
  CHECK(advance().empty());
  CHECK(coordinator.counts().groups.empty());
}

TEST_CASE_METHOD(Desk, "The same events give the same commands") {
  const auto run = [] {
    Desk desk;
    desk.list_nodes({make_node("n1", "b1", "r1"), make_node("n2", "b1", "r2"), make_node("n3", "b2", "r1")});
    desk.list_pods({make_member("a", "g", 2), make_member("b", "g", 2), make_member("c", "h", 1, 4)});
    std::string text;
    for (const Command& command : desk.settle()) {
      std::visit(
          [&](const auto& c) {
            if constexpr (requires { c.node; }) text += c.pod.name + ">" + c.node + " ";
          },
          command);
    }
    return text;
  };
  const std::string first = run();
  CHECK_FALSE(first.empty());
  CHECK(run() == first);
}

TEST_CASE_METHOD(Desk, "Groups have their turns by priority, then by age, also when they are asked again") {
  list_nodes({make_node("n1", "b1", "r1")});
  kube::Pod young = make_member("young", "young", 1);
  kube::Pod old = make_member("old", "old", 1);
  kube::Pod important = make_member("important", "important", 1);
  young.creation_seconds = 20;
  old.creation_seconds = 10;
  important.creation_seconds = 30;
  important.priority = 5;
  const kube::Pod hog = bound_to(make_pod("hog"), "n1");
  list_pods({hog, young, old, important});
  settle();
  CHECK(planned("important").empty());
  gone(hog);
  settle();
  CHECK(planned("important") == "n1");
  gone(api.pod("important"));
  settle();
  CHECK(planned("old") == "n1");
  CHECK(planned("young").empty());
}

TEST_CASE_METHOD(Desk,
                 "Groups that come at once are each planned once, however slowly kube-scheduler takes them") {
  constexpr int kGroups = 30;
  std::vector<kube::Node> nodes;
  std::vector<kube::Pod> pods;
  for (int i = 0; i < kGroups; ++i) {
    const std::string number = std::to_string(100 + i);
    nodes.push_back(make_node("n" + number, "b1", "r1"));
    for (const char* member : {"a", "b"}) {
      pods.push_back(make_member(member + number, "g" + number, 2, 4));
      pods.back().annotations["muster.dev/hold-timeout"] = "8s";
    }
  }
  list_nodes(nodes);
  list_pods(pods);
  std::size_t nominations = only<Nominate>(settle()).size();
  for (const kube::Pod& pod : pods) {
    now += Duration(1'000);
    call(pod.name, planned(pod.name));
    nominations += only<Nominate>(settle()).size();
  }
  CHECK(coordinator.counts().groups.at(State::kBound) == kGroups);
  CHECK(nominations == pods.size());
}

TEST_CASE_METHOD(Desk, "Of two promises of one room neither is taken up, and both keep it until withdrawn") {
  list_nodes({make_node("n1", "b1", "r1")});
  kube::Pod a = make_member("a", "g", 1);
  kube::Pod b = make_member("b", "h", 1);
  for (kube::Pod* pod : {&a, &b}) {
    pod->nominated_node = "n1";
    pod->annotations["muster.dev/plan"] = "old-" + pod->name;
  }
  list_pods({a, b});
  const Commands said = advance();
  CHECK(only<Withdraw>(said).size() == 2);
  CHECK(only<Release>(said).empty());
  CHECK(coordinator.counts().reservations == 2);
  a.nominated_node.clear();
  a.annotations.erase("muster.dev/plan");
  see(a);
  CHECK(only<Nominate>(advance()).empty());  // the other's binding may still come
  b.nominated_node.clear();
  b.annotations.erase("muster.dev/plan");
  see(b);
  CHECK(only<Nominate>(advance()).size() == 1);
}

TEST_CASE_METHOD(Desk,
                 "A member that is planned anew stays in the slice of its rank, whoever has come since") {
  const auto rack = [](const std::string& node) { return node.substr(0, 2); };
  const auto member = [](const std::string& name) {
    kube::Pod pod = make_member(name, "g", 4);
    pod.annotations["muster.dev/slices"] = "2@rack";
    return pod;
  };
  std::vector<kube::Node> nodes;
  for (const char* name : {"r1-a", "r1-b", "r1-c"}) nodes.push_back(make_node(name, "b1", "r1"));
  for (const char* name : {"r2-a", "r2-b"}) nodes.push_back(make_node(name, "b1", "r2"));
  list_nodes(nodes);
  list_pods({member("a0"), member("a1"), member("a2"), member("a3")});
  settle();
  REQUIRE(rack(planned("a0")) == rack(planned("a1")));
  REQUIRE(rack(planned("a2")) == rack(planned("a3")));

  see(member("a0b"));  // would be the second of the group, were ranks given anew
  settle();
  const std::string moved = rack(planned("a3")) == "r2" ? "a3" : "a1";
  coordinator.node_refused("uid-" + moved, planned(moved), now);
  settle();
  for (const char* name : {"a0", "a1", "a2", "a3"}) call(name, planned(name));
  settle();
  CHECK(rack(api.pod("a0").node_name) == rack(api.pod("a1").node_name));
  CHECK(rack(api.pod("a2").node_name) == rack(api.pod("a3").node_name));
}
