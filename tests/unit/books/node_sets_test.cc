#include "books/node_sets.h"

#include <catch2/catch.hpp>

#include "books/books.h"
#include "support/kube_objects.h"

namespace muster::books {
namespace {

kube::NodeSet zone(const std::string& value) {
  kube::NodeSet set;
  set.node_selector = {{"zone", value}};
  return set;
}

TEST_CASE("equal node sets have one number, different ones do not") {
  NodeSets sets;
  const auto a = sets.intern(zone("a"));
  CHECK(a.is_new);
  CHECK(a.id != kEveryHost);
  CHECK_FALSE(sets.intern(zone("a")).is_new);
  CHECK(sets.intern(zone("a")).id == a.id);
  CHECK(sets.intern(zone("b")).id != a.id);
  CHECK(sets.at(a.id) == zone("a"));
}

TEST_CASE("a node set's number is used again when its last pod has gone, and not before") {
  NodeSets sets;
  const NodeSetId a = sets.intern(zone("a")).id;
  NodeSets::Use one;
  NodeSets::Use two;
  CHECK(sets.hold(one, "x", a) == kEveryHost);
  CHECK(sets.hold(two, "y", a) == kEveryHost);
  CHECK(sets.hold(one, "x", a) == kEveryHost);
  CHECK(sets.drop(one) == kEveryHost);
  CHECK(sets.drop(one) == kEveryHost);
  CHECK(sets.intern(zone("b")).id != a);
  CHECK(sets.drop(two) == a);
  const auto c = sets.intern(zone("c"));
  CHECK(c.id == a);
  CHECK(c.is_new);
  CHECK_FALSE(c.is_added);
  CHECK(sets.at(c.id) == zone("c"));
}

TEST_CASE("a pod that changes its node set lets go of the one before") {
  NodeSets sets;
  const NodeSetId a = sets.intern(zone("a")).id;
  const NodeSetId b = sets.intern(zone("b")).id;
  NodeSets::Use pod;
  CHECK(sets.hold(pod, "x", a) == kEveryHost);
  CHECK(sets.hold(pod, "x", b) == a);
  CHECK(sets.held_by("x") == 1);
  CHECK(sets.held_by("x", zone("b")) == b);
  CHECK(sets.held_by("x", zone("a")) == kEveryHost);
  CHECK(sets.held_by("y", zone("b")) == kEveryHost);
}

TEST_CASE("ever new node sets of pods that come and go occupy no more than the pods that are there") {
  NodeSets sets;
  std::vector<NodeSets::Use> pods(10'000);
  for (std::size_t i = 0; i < pods.size(); ++i) {
    const NodeSetId id = sets.intern(zone(std::to_string(i))).id;
    CHECK(sets.hold(pods[i], "tenant", id) == kEveryHost);
    if (i >= 10) sets.drop(pods[i - 10]);
  }
  CHECK(sets.count() <= 12);
  CHECK(sets.held_by("tenant") == 10);
}

// The next member that gets the number must be judged by its own set.
TEST_CASE("a node set's number that is used again means the new set's hosts") {
  Books books(muster::test::block_rack_trees());
  kube::Node a = muster::test::make_node("a", "b1", "r1");
  kube::Node b = muster::test::make_node("b", "b1", "r1");
  a.labels["zone"] = "a";
  b.labels["zone"] = "b";
  books.replace_nodes({a, b});
  const auto seen = [&](const std::string& uid, const std::string& value) {
    group::Member member;
    member.pod = {"x", uid, uid};
    member.node_set = books.intern_node_set(zone(value));
    books.upsert_member({"x", "g"}, member);
    books.prepare(member);
    return member.node_set;
  };
  const auto usable = [&](NodeSetId set, const std::string& node) {
    const auto& cluster = books.cluster();
    return cluster.exclusion(set, *cluster.topology().find_host(node)) == Exclusion::kNone;
  };
  const NodeSetId first = seen("1", "a");
  CHECK(usable(first, "a"));
  CHECK_FALSE(usable(first, "b"));
  books.remove_pod("1");
  const NodeSetId second = seen("2", "b");
  CHECK(second == first);
  CHECK_FALSE(usable(second, "a"));
  CHECK(usable(second, "b"));
}

}  // namespace
}  // namespace muster::books
