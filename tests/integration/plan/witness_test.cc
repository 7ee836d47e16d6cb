// The witness sees what is wrong: a plan that keeps each promise, and the same plan with one promise broken.
#include "witness.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "objects.h"

namespace muster::plan_cases {
namespace {

constexpr const char* kCase = R"(
title: x
levels: block,rack
nodes:
  - {count: 8, name: "n{i}", labels: {block: "b{i/4}", rack: "r{i/2%2}"}, resources: {gpu: 8}}
  - {name: tainted, labels: {block: b0, rack: r0}, resources: {gpu: 8}, taints: [{key: a, effect: NoSchedule}]}
pods: [{name: busy, node: n7, resources: {gpu: 8}}]
groups:
  - name: g
    annotations: ANNOTATIONS
    pods: [{count: 4, name: "g-{i}", SUBGROUP resources: {gpu: 4}}]
  - {name: other, annotations: {min-member: 1}, pods: [{name: other-0, node: n6, resources: {gpu: 1}}]}
expect: {status: 0}
)";

Case make(const std::string& annotations, const std::string& subgroup = "") {
  std::string text = kCase;
  text.replace(text.find("ANNOTATIONS"), 11, annotations);
  text.replace(text.find("SUBGROUP"), 8, subgroup);
  const auto path =
      std::filesystem::temp_directory_path() / ("muster-witness-" + std::to_string(getpid()) + ".yaml");
  std::ofstream(path) << text;
  Case made = read_cases(path.string()).front();
  std::filesystem::remove(path);
  return made;
}

// Members g-0, g-1, … on the nodes, with the domains that belong to them.
Json on(const Case& it, const std::vector<std::string>& nodes) {
  Json group{{"namespace", "default"}, {"name", "g"},
             {"verdict", "fits"},      {"placed", nodes.size()},
             {"pods", Json::array()},  {"domains", {{"block", Json::array()}, {"rack", Json::array()}}}};
  std::set<std::string> blocks;
  std::set<std::string> racks;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    group["pods"].push_back({{"name", "g-" + std::to_string(i)}, {"node", nodes[i]}, {"rank", i}});
    for (const Json& node : it.nodes) {
      if (node["metadata"]["name"] != nodes[i]) continue;
      const std::string block = node["metadata"]["labels"]["block"];
      blocks.insert(block);
      racks.insert(block + "/" + node["metadata"]["labels"]["rack"].get<std::string>());
    }
  }
  group["domains"]["block"] = blocks;
  group["domains"]["rack"] = racks;
  return group;
}

std::string first_objection(const Case& it, const Json& group) {
  const auto all = objections(it, Json::array({group}));
  return all.empty() ? "" : all.front();
}

}  // namespace

TEST_CASE("The witness has nothing against a plan that keeps every promise") {
  const Case it = make("{min-member: 4, topology-required: rack, slices: 2@host}");
  CHECK(first_objection(it, on(it, {"n0", "n0", "n1", "n1"})).empty());
}

TEST_CASE("The witness objects to a node that is too full") {
  const Case it = make("{min-member: 3}");
  CHECK(first_objection(it, on(it, {"n0", "n0", "n0"})).find("n0: nvidia.com/gpu is overcommitted") == 0);
  CHECK(first_objection(it, on(it, {"n7", "n0", "n0"})).find("n7: nvidia.com/gpu is overcommitted") == 0);
}

TEST_CASE("The witness objects to nodes that a member may not use or that are not there") {
  const Case it = make("{min-member: 1}");
  CHECK(first_objection(it, on(it, {"tainted"})) == "default/g: tainted does not admit g-0");
  CHECK(first_objection(it, on(it, {"n99"})) == "default/g: g-0 is on a node that does not exist");
}

TEST_CASE("The witness objects to a second domain of the required level") {
  const Case it = make("{min-member: 2, topology-required: rack}");
  CHECK(first_objection(it, on(it, {"n0", "n2"})).find("2 domains of the required level rack") !=
        std::string::npos);
  CHECK(first_objection(it, on(it, {"n0", "n4"})).find("2 domains of the required level rack") !=
        std::string::npos);
}

TEST_CASE("The witness objects to slices that are torn or not whole") {
  const Case it = make("{min-member: 2, slices: 2@rack}");
  CHECK(first_objection(it, on(it, {"n0", "n2"})).find("slice 0 of 2@rack is in 2 domains") !=
        std::string::npos);
  CHECK(first_objection(it, on(it, {"n0", "n0", "n2"})).find("slice 1 of 2@rack has 1 of 2") !=
        std::string::npos);
}

TEST_CASE("The witness objects to minima that are not reached") {
  const Case whole = make("{min-member: 3}");
  CHECK(first_objection(whole, on(whole, {"n0", "n1"})).find("the group has 2 of 3 members") !=
        std::string::npos);
  const Case part = make("{min-member: 1, group-spec: {subgroups: {a: {minMember: 2}}}}", "subgroup: a,");
  CHECK(first_objection(part, on(part, {"n0"})).find("a has 1 of 2 members") != std::string::npos);
}

TEST_CASE("The witness objects to a domain that is not used alone") {
  const Case it = make("{min-member: 1, group-spec: {exclusive: rack}}");
  CHECK(first_objection(it, on(it, {"n6"})) == "default/g: rack b1/r1 is not used alone");
  CHECK(first_objection(it, on(it, {"n4"})).empty());
}

TEST_CASE("The witness objects to members that do not wait, are placed twice or are told wrongly") {
  const Case it = make("{min-member: 1}");
  Json group = on(it, {"n0", "n0"});
  group["pods"][1]["name"] = "g-0";
  CHECK(first_objection(it, group) == "default/g: g-0 is placed twice");
  group = on(it, {"n0"});
  group["pods"][0]["name"] = "other-0";
  CHECK(first_objection(it, group) == "default/g: other-0 is no member that waits");
  group = on(it, {"n0", "n0"});
  group["pods"][1]["rank"] = 0;
  CHECK(first_objection(it, group) == "default/g: g-1 has a rank that another member has");
  group = on(it, {"n0"});
  group["placed"] = 2;
  CHECK(first_objection(it, group) == "default/g: placed is not the number of pods");
  group = on(it, {"n0"});
  group["domains"]["rack"] = {"b1/r1"};
  CHECK(first_objection(it, group) == "default/g: the domains of level rack are not those of the nodes");
  group = on(it, {"n0"});
  group["verdict"] = "no";
  group["reason"]["message"] = "x";
  CHECK(first_objection(it, group) == "default/g: does not fit and is placed");
}

TEST_CASE("Quantities are read as thousandths") {
  CHECK(thousandths("2") == 2000);
  CHECK(thousandths("500m") == 500);
  CHECK(thousandths("1.5Gi") == 1'610'612'736'000);
  CHECK_THROWS(thousandths("1GiB"));
}

}  // namespace muster::plan_cases
