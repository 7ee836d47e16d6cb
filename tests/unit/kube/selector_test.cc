#include "kube/selector.h"

#include <catch2/catch.hpp>

namespace muster::kube {
namespace {

using Requirements = std::vector<SelectorRequirement>;

Node node_with(Labels labels) {
  Node node;
  node.name = "host-1";
  node.ready = true;
  node.labels = std::move(labels);
  return node;
}

NodeSet requiring(Requirements labels, Requirements fields = {}) {
  NodeSet set;
  set.required_affinity = {{std::move(labels), std::move(fields)}};
  return set;
}

const Node kHost = node_with({{"zone", "a"}, {"gpus", "8"}, {"generation", "007"}, {"empty", ""}});

bool host_matches(SelectorRequirement requirement) {
  return matches(requiring({std::move(requirement)}), kHost);
}

TEST_CASE("a pod that asks for nothing may use every node that is in order") {
  CHECK(matches({}, kHost));
  CHECK_FALSE(why_not({}, kHost).has_value());
}

TEST_CASE("every label of a node selector must be there with that value") {
  NodeSet set;
  set.node_selector = {{"zone", "a"}, {"gpus", "8"}};
  CHECK(matches(set, kHost));
  set.node_selector["gpus"] = "4";
  CHECK_FALSE(matches(set, kHost));
  set.node_selector = {{"missing", ""}};
  CHECK_FALSE(matches(set, kHost));
  set.node_selector = {{"empty", ""}};
  CHECK(matches(set, kHost));
}

TEST_CASE("In needs the label and one of the values") {
  CHECK(host_matches({"zone", "In", {"b", "a"}}));
  CHECK_FALSE(host_matches({"zone", "In", {"b"}}));
  CHECK_FALSE(host_matches({"missing", "In", {""}}));
  CHECK(host_matches({"empty", "In", {""}}));
}

TEST_CASE("NotIn also holds where the label is missing") {
  CHECK(host_matches({"zone", "NotIn", {"b"}}));
  CHECK(host_matches({"missing", "NotIn", {"b"}}));
  CHECK_FALSE(host_matches({"zone", "NotIn", {"a", "b"}}));
}

TEST_CASE("Exists and DoesNotExist look at the key only") {
  CHECK(host_matches({"empty", "Exists", {}}));
  CHECK_FALSE(host_matches({"missing", "Exists", {}}));
  CHECK(host_matches({"missing", "DoesNotExist", {}}));
  CHECK_FALSE(host_matches({"zone", "DoesNotExist", {}}));
}

TEST_CASE("Gt and Lt compare whole numbers") {
  CHECK(host_matches({"gpus", "Gt", {"7"}}));
  CHECK_FALSE(host_matches({"gpus", "Gt", {"8"}}));
  CHECK(host_matches({"gpus", "Lt", {"10"}}));
  CHECK_FALSE(host_matches({"gpus", "Lt", {"8"}}));
  CHECK(host_matches({"generation", "Gt", {"06"}}));
  CHECK_FALSE(host_matches({"zone", "Gt", {"1"}}));
  CHECK_FALSE(host_matches({"missing", "Lt", {"1"}}));
}

TEST_CASE("requirements of a term are joined by and, terms by or") {
  NodeSet set = requiring({{"zone", "In", {"a"}}, {"gpus", "In", {"4"}}});
  CHECK_FALSE(matches(set, kHost));
  set.required_affinity->push_back({{{"zone", "Exists", {}}}, {}});
  CHECK(matches(set, kHost));
}

TEST_CASE("node selector and affinity must both hold") {
  NodeSet set = requiring({{"zone", "In", {"a"}}});
  set.node_selector = {{"gpus", "4"}};
  CHECK_FALSE(matches(set, kHost));
}

TEST_CASE("an affinity without terms, or whose only term is empty, matches nothing") {
  NodeSet set;
  set.required_affinity.emplace();
  CHECK_FALSE(matches(set, kHost));
  set.required_affinity->push_back({});
  CHECK_FALSE(matches(set, kHost));
}

TEST_CASE("a node can be chosen by its name") {
  CHECK(matches(requiring({}, {{"metadata.name", "In", {"host-1"}}}), kHost));
  CHECK_FALSE(matches(requiring({}, {{"metadata.name", "In", {"host-2"}}}), kHost));
  CHECK(matches(requiring({}, {{"metadata.name", "NotIn", {"host-2"}}}), kHost));
  CHECK_FALSE(matches(requiring({}, {{"metadata.name", "NotIn", {"host-1"}}}), kHost));
}

TEST_CASE("a malformed requirement voids its term and leaves the others") {
  const Requirements malformed = {
      {"zone", "In", {}},
      {"zone", "in", {"a"}},
      {"zone", "Exists", {"a"}},
      {"gpus", "Gt", {"many"}},
      {"gpus", "Gt", {"1", "2"}},
      {"gpus", "Lt", {}},
      {"gpus", "Lt", {"9223372036854775808"}},
      {"zone", "In", {"a", "not a label value"}},
      {"missing", "NotIn", {"-x"}},
      {"", "DoesNotExist", {}},
      {"a/b/c", "DoesNotExist", {}},
      {"UPPER.case/x", "DoesNotExist", {}},
      {"trailing./x", "DoesNotExist", {}},
  };
  for (const auto& requirement : malformed) {
    CAPTURE(requirement.key, requirement.op);
    NodeSet set = requiring({requirement});
    CHECK_FALSE(matches(set, kHost));
    set.required_affinity->push_back({{{"zone", "Exists", {}}}, {}});
    CHECK(matches(set, kHost));
  }
  CHECK_FALSE(matches(requiring({}, {{"metadata.name", "In", {"host-1", "host-2"}}}), kHost));
  CHECK_FALSE(matches(requiring({}, {{"metadata.name", "Exists", {}}}), kHost));
}

TEST_CASE("a well-formed key with a prefix is accepted") {
  CHECK(host_matches({"topology.example.com/rack-1_a", "DoesNotExist", {}}));
}

const Taint kTaint{"dedicated", "training", "NoSchedule"};

TEST_CASE("a toleration matches by key, effect and value") {
  CHECK(tolerates({"dedicated", "Equal", "training", "NoSchedule"}, kTaint));
  CHECK(tolerates({"dedicated", "", "training", ""}, kTaint));
  CHECK(tolerates({"dedicated", "Exists", "", "NoSchedule"}, kTaint));
  CHECK(tolerates({"", "Exists", "", ""}, kTaint));
  CHECK_FALSE(tolerates({"dedicated", "Equal", "serving", ""}, kTaint));
  CHECK_FALSE(tolerates({"dedicated", "Exists", "", "NoExecute"}, kTaint));
  CHECK_FALSE(tolerates({"other", "Exists", "", ""}, kTaint));
  CHECK_FALSE(tolerates({"dedicated", "equals", "training", ""}, kTaint));
}

TEST_CASE("tolerations Gt and Lt compare the taint's number with theirs") {
  const Taint level{"sla", "950", "NoExecute"};
  CHECK(tolerates({"sla", "Gt", "900", ""}, level));
  CHECK_FALSE(tolerates({"sla", "Gt", "950", ""}, level));
  CHECK(tolerates({"sla", "Lt", "951", ""}, level));
  CHECK_FALSE(tolerates({"sla", "Lt", "0951", ""}, level));
  CHECK_FALSE(tolerates({"sla", "Gt", "-0", ""}, level));
  CHECK_FALSE(tolerates({"sla", "Gt", "many", ""}, level));
  CHECK_FALSE(tolerates({"sla", "Gt", "1", ""}, Taint{"sla", "0950", "NoExecute"}));
}

TEST_CASE("NoSchedule and NoExecute keep a pod away, PreferNoSchedule does not") {
  Node node = kHost;
  node.taints = {{"soft", "", "PreferNoSchedule"}};
  CHECK(matches({}, node));
  for (const char* effect : {"NoSchedule", "NoExecute"}) {
    node.taints = {{"soft", "", "PreferNoSchedule"}, {"hard", "", effect}};
    const auto why = why_not({}, node);
    REQUIRE(why.has_value());
    CHECK(why->reason == Mismatch::kTaint);
    CHECK(why->taint == node.taints[1]);
  }
}

TEST_CASE("every taint must be tolerated") {
  Node node = kHost;
  node.taints = {kTaint, {"second", "", "NoExecute"}};
  NodeSet set;
  set.tolerations = {{"dedicated", "Exists", "", ""}};
  REQUIRE(why_not(set, node).has_value());
  CHECK(describe(*why_not(set, node)) == "taint second:NoExecute");
  set.tolerations.push_back({"second", "Exists", "", ""});
  CHECK(matches(set, node));
}

TEST_CASE("a node marked unschedulable is for those who tolerate the unschedulable taint") {
  Node node = kHost;
  node.unschedulable = true;
  REQUIRE(why_not({}, node).has_value());
  CHECK(why_not({}, node)->reason == Mismatch::kUnschedulable);
  NodeSet set;
  set.tolerations = {{"node.kubernetes.io/unschedulable", "Exists", "", "NoSchedule"}};
  CHECK(matches(set, node));
  set.tolerations = {{"node.kubernetes.io/unschedulable", "Exists", "", "NoExecute"}};
  CHECK_FALSE(matches(set, node));
}

TEST_CASE("a node that is not ready is refused even when all taints are tolerated") {
  Node node = kHost;
  node.ready = false;
  node.taints = {{"node.kubernetes.io/not-ready", "", "NoSchedule"}};
  NodeSet set;
  set.tolerations = {{"", "Exists", "", ""}};
  REQUIRE(why_not(set, node).has_value());
  CHECK(why_not(set, node)->reason == Mismatch::kNotReady);
}

TEST_CASE("a node that was never asked for is not called tainted or cordoned") {
  Node node = kHost;
  node.unschedulable = true;
  node.ready = false;
  node.taints = {kTaint};
  NodeSet set;
  set.node_selector = {{"zone", "b"}};
  REQUIRE(why_not(set, node).has_value());
  CHECK(why_not(set, node)->reason == Mismatch::kSelector);
}

TEST_CASE("a reason is described in words people know from kubectl") {
  CHECK(describe({Mismatch::kTaint, kTaint}) == "taint dedicated=training:NoSchedule");
  CHECK(describe({Mismatch::kSelector, {}}) == "node selector");
  CHECK(describe({Mismatch::kUnschedulable, {}}) == "unschedulable");
  CHECK(describe({Mismatch::kNotReady, {}}) == "not ready");
}

}  // namespace
}  // namespace muster::kube
