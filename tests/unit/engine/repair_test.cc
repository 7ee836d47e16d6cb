// Lost nodes and members with the real books: replacements stay in the domain, the rest stays where it is.
#include <catch2/catch.hpp>
#include <set>

#include "desk.h"

using namespace muster;
using namespace muster::group;
using muster::test::Desk;
using muster::test::make_member;
using muster::test::make_node;
using muster::test::only;

namespace {

struct Cluster : Desk {
  std::map<std::string, kube::Node> nodes;
  int next_uid = 0;

  void rack(const std::string& block, const std::string& name, int hosts) {
    for (int i = 0; i < hosts; ++i) {
      const std::string node = fmt::format("{}-{}-{:02}", block, name, i);
      nodes[node] = make_node(node, block, name);
    }
  }
  void list(std::vector<kube::Pod> pods) {
    std::vector<kube::Node> all;
    for (const auto& [name, node] : nodes) all.push_back(node);
    list_nodes(std::move(all));
    list_pods(std::move(pods));
    bring_up();
  }
  static kube::Pod member(const std::string& name, int index, int minimum, const kube::StringMap& more) {
    kube::Pod pod = make_member(name, "g", minimum);
    pod.controller = kube::OwnerReference{"Job", "job", "job-1"};
    pod.labels["batch.kubernetes.io/job-completion-index"] = std::to_string(index);
    for (const auto& [key, value] : more) pod.annotations["muster.dev/" + key] = value;
    return pod;
  }
  static std::vector<kube::Pod> members(int count, int minimum, const kube::StringMap& more) {
    std::vector<kube::Pod> pods;
    for (int i = 0; i < count; ++i) pods.push_back(member(fmt::format("p{:03}", i), i, minimum, more));
    return pods;
  }
  // Everybody who is planned is asked for.
  void bring_up() {
    settle();
    std::vector<std::string> names;
    for (const auto& [uid, seen] : coordinator.find({"ns", "g"})->members()) names.push_back(seen.pod.name);
    for (const std::string& name : names) {
      if (const std::string node = planned(name); !node.empty()) call(name, node);
    }
    settle();
  }
  std::string node_of(const std::string& pod) { return api.pod(pod).node_name; }
  void not_ready(const std::string& name) {
    kube::Node node = nodes.at(name);
    node.ready = false;
    see(node);
  }
  // The controller makes the pod of this index again, when the old one is gone.
  void replace(const std::string& name, int index, int minimum, const kube::StringMap& more) {
    gone(api.pod(name));
    see(member(name + "r", index, minimum, more));
    bring_up();
  }
};

std::string rack_of(const std::string& node) { return node.substr(0, node.rfind('-')); }

}  // namespace

TEST_CASE_METHOD(Cluster,
                 "A replacement stays in the rack of the others although another rack has more room") {
  const kube::StringMap rack_only{{"topology-required", "rack"}};
  rack("b1", "r1", 5);
  list(members(4, 4, rack_only));
  REQUIRE(state() == State::kBound);
  for (int i = 0; i < 8; ++i) see(make_node(fmt::format("b1-r2-{:02}", i), "b1", "r2"));
  coordinator.nodes_changed({kube::Remove<kube::Node>{nodes.at(node_of("p002"))}}, now);
  CHECK(state() == State::kBound);  // a list may lag behind
  now += Duration(5'000);
  const auto evictions = only<Evict>(settle());
  REQUIRE(evictions.size() == 1);
  CHECK(evictions[0].pod.name == "p002");
  CHECK(evictions[0].at_once);
  CHECK(state() == State::kRepairing);
  replace("p002", 2, 4, rack_only);
  CHECK(state() == State::kBound);
  CHECK(rack_of(node_of("p002r")) == "b1-r1");
}

TEST_CASE_METHOD(Cluster, "A member that is being evicted keeps its GPUs until its pod is gone") {
  rack("b1", "r1", 2);
  list(members(2, 2, {}));
  REQUIRE(state() == State::kBound);
  const std::string node = node_of("p001");
  kube::Pod going = api.pod("p001");
  going.terminating = true;
  see(going);
  see(member("p001r", 1, 2, {}));
  see(make_member("next", "next", 1));
  bring_up();
  CHECK(state() == State::kRepairing);
  CHECK(planned("p001r").empty());
  CHECK(planned("next").empty());
  gone(going);
  bring_up();
  CHECK(state() == State::kBound);
  CHECK(node_of("p001r") == node);
  CHECK(planned("next").empty());
}

TEST_CASE_METHOD(Cluster, "A replacement goes into the slice of the member that it replaces") {
  const kube::StringMap slices{{"topology-required", "block"}, {"slices", "2@rack"}};
  for (const char* name : {"r1", "r2", "r3"}) rack("b1", name, 3);
  list(members(4, 4, slices));
  REQUIRE(state() == State::kBound);
  const std::string home = rack_of(node_of("p003"));
  REQUIRE(rack_of(node_of("p002")) == home);
  kube::Pod lost = api.pod("p003");
  lost.phase = kube::PodPhase::kFailed;
  see(lost);
  replace("p003", 3, 4, slices);
  CHECK(state() == State::kBound);
  CHECK(rack_of(node_of("p003r")) == home);
}

TEST_CASE_METHOD(Cluster, "A replacement leaves a slice without room, but not the required domain") {
  const kube::StringMap slices{{"topology-required", "block"}, {"slices", "2@rack"}};
  for (const char* name : {"r1", "r2"}) rack("b1", name, 2);
  rack("b1", "r3", 1);
  rack("b2", "r1", 2);
  list(members(4, 4, slices));
  REQUIRE(state() == State::kBound);
  const std::string node = node_of("p003");
  const bool in_b1 = node.starts_with("b1");
  kube::Pod lost = api.pod("p003");
  not_ready(node);
  now += Duration(10'000);
  settle();
  replace("p003", 3, 4, slices);
  CHECK(state() == State::kBound);
  CHECK(node_of("p003r").starts_with("b1") == in_b1);
  CHECK(rack_of(node_of("p003r")) != rack_of(node_of("p002")));
}

TEST_CASE_METHOD(Cluster, "A member is replaced when another one has completed, although fewer are live") {
  rack("b1", "r1", 5);
  list(members(4, 4, {}));
  kube::Pod done = api.pod("p000");
  done.phase = kube::PodPhase::kSucceeded;
  see(done);
  kube::Pod lost = api.pod("p001");
  lost.phase = kube::PodPhase::kFailed;
  see(lost);
  settle();
  CHECK(state() == State::kRepairing);
  replace("p001", 1, 4, {});
  CHECK(state() == State::kBound);
}

TEST_CASE_METHOD(Cluster,
                 "Of 500 nodes two fail together: two members are replaced, 498 stay where they are") {
  const kube::StringMap block{{"topology-required", "block"}};
  for (int r = 0; r < 26; ++r) rack("b1", fmt::format("r{:02}", r), 20);
  for (int r = 0; r < 4; ++r) rack("b2", fmt::format("r{:02}", r), 20);
  list(members(500, 500, block));
  REQUIRE(state() == State::kBound);
  std::map<std::string, std::string> before;
  for (int i = 0; i < 500; ++i) before[fmt::format("p{:03}", i)] = node_of(fmt::format("p{:03}", i));
  not_ready(before["p007"]);
  not_ready(before["p300"]);
  CHECK(coordinator.next_timer() == now + Duration(10'000));
  settle();
  CHECK(state() == State::kBound);
  now += Duration(10'000);
  std::set<std::string> evicted;
  for (const Evict& evict : only<Evict>(settle())) evicted.insert(evict.pod.name);
  CHECK(evicted == std::set<std::string>{"p007", "p300"});
  for (const char* name : {"p007", "p300"}) gone(api.pod(name));
  see(member("p007r", 7, 500, block));
  see(member("p300r", 300, 500, block));
  bring_up();
  CHECK(state() == State::kBound);
  CHECK(node_of("p007r").starts_with("b1"));
  CHECK(node_of("p300r").starts_with("b1"));
  for (const auto& [name, node] : before) {
    if (!evicted.contains(name)) CHECK(node_of(name) == node);
  }
}

TEST_CASE_METHOD(Cluster, "A node that comes back in time loses nobody") {
  rack("b1", "r1", 4);
  list(members(4, 4, {}));
  not_ready(node_of("p000"));
  now += Duration(9'999);
  settle();
  see(nodes.at(node_of("p000")));
  now += Duration(60'000);
  CHECK(settle().empty());
  CHECK(state() == State::kBound);
}

TEST_CASE_METHOD(Cluster, "What was known of a node that is gone ends with the last pod on it") {
  rack("b1", "r1", 4);
  kube::Pod other = muster::test::make_pod("other", 1);
  other.node_name = "b1-r1-03";
  std::vector<kube::Pod> pods = members(2, 2, {});
  pods.push_back(other);
  list(std::move(pods));
  coordinator.nodes_changed({kube::Remove<kube::Node>{nodes.at("b1-r1-03")}}, now);
  now += Duration(60'000);
  settle();
  gone(other);
  settle();
  // A pod on another node of this name, which has not been seen yet, has the whole grace.
  kube::Pod late = member("late", 2, 2, {});
  late.node_name = "b1-r1-03";
  see(late);
  CHECK(settle().empty());
  now += Duration(5'000);
  settle();
  CHECK(api.pod("late").terminating);
}

TEST_CASE_METHOD(Cluster,
                 "A group that finds no room again lets go of all and is planned as a whole when there is") {
  rack("b1", "r1", 4);
  list(members(4, 4, {}));
  not_ready(node_of("p001"));
  now += Duration(10'000);
  settle();
  gone(api.pod("p001"));
  see(member("p001r", 1, 4, {}));
  settle();
  CHECK(state() == State::kRepairing);
  now += Duration(60'000);
  settle();
  CHECK(api.pod("p000").terminating);
  CHECK(api.pod("p000").annotations.at("muster.dev/let-go") == "unwind");
  for (const char* name : {"p000", "p002", "p003"}) {
    gone(api.pod(name));
    see(member(std::string(name) + "r", name[3] - '0', 4, {}));
  }
  now += Duration(1'000);
  bring_up();
  CHECK(state() == State::kPending);
  CHECK(coordinator.counts().reservations == 0);
  see(make_node("new", "b1", "r1"));
  bring_up();
  CHECK(state() == State::kBound);
  CHECK(api.pod("p000r").annotations.at("muster.dev/restarts") == "1");
}
