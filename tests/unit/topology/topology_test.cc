#include "muster/topology.h"

#include <catch2/catch.hpp>

#include "topology/natural_order.h"

using namespace muster;

namespace {

Topology build(const TopologySpec& spec, std::vector<HostSpec> hosts) {
  auto built = Topology::build(spec, std::move(hosts));
  REQUIRE(built.has_value());
  return std::move(*built);
}

const TopologySpec kFabric{{{"fabric", {{"block", {"example.com/block"}}, {"rack", {}}}}}};

std::string names(const Topology& topology, DomainId domain) {
  std::string all;
  for (const HostIndex host : topology.hosts(domain)) all += topology.host_name(host) + " ";
  return all;
}

DomainId only(const Topology& topology, std::string_view level, std::string_view value) {
  const DomainRange range = topology.domains(*topology.find_level(level));
  for (uint32_t i = range.first; i < range.last; ++i)
    if (topology.value(static_cast<DomainId>(i)) == value) return static_cast<DomainId>(i);
  return kNoDomain;
}

}  // namespace

TEST_CASE("topology: names are ordered as people read them") {
  CHECK(topology::natural_compare("r2", "r10") < 0);
  CHECK(topology::natural_compare("r10", "r2") > 0);
  CHECK(topology::natural_compare("r02", "r2") != 0);
  CHECK(topology::natural_compare("a", "a") == 0);
  CHECK(topology::natural_compare("a1b", "a1c") < 0);
  CHECK(topology::natural_compare("", "a") < 0);
  CHECK(topology::natural_compare("99999999999999999999999", "100000000000000000000000") < 0);
}

TEST_CASE("topology: hosts are numbered depth first whatever the order of the input") {
  const auto topology = build(kFabric, {{"n10", {{"b1", "r1"}}},
                                        {"m", {{"b2", "r1"}}},
                                        {"n9", {{"b1", "r10"}}},
                                        {"n2", {{"b1", "r2"}}},
                                        {"n1", {{"b1", "r1"}}}});
  CHECK(names(topology, kClusterDomain) == "n1 n10 n2 n9 m ");
  CHECK(names(topology, only(topology, "block", "b1")) == "n1 n10 n2 n9 ");
  CHECK(names(topology, only(topology, "rack", "b1/r1")) == "n1 n10 ");
  CHECK(topology.find_host("n9") == HostIndex{3});
  CHECK_FALSE(topology.find_host("n3").has_value());
}

TEST_CASE("topology: the same label value under two parents names two domains") {
  const auto topology = build(kFabric, {{"a", {{"b1", "1"}}}, {"b", {{"b2", "1"}}}});
  const auto rack = *topology.find_level("rack");
  CHECK(topology.domains(rack).size() == 2);
  CHECK(topology.domain_of(HostIndex{0}, rack) != topology.domain_of(HostIndex{1}, rack));
  CHECK(topology.value(topology.domain_of(HostIndex{1}, rack)) == "b2/1");
  CHECK(topology.describe(topology.domain_of(HostIndex{1}, rack)) == "rack b2/1");
}

TEST_CASE("topology: a host without a level's label is in no domain of it and below the level above") {
  const auto topology =
      build(kFabric,
            {{"full", {{"b1", "r1"}}}, {"no-rack", {{"b1", ""}}}, {"no-block", {{"", "r1"}}}, {"bare", {}}});
  const auto block = *topology.find_level("block");
  const auto rack = *topology.find_level("rack");
  const auto host = [&](const char* name) { return *topology.find_host(name); };
  CHECK(topology.domain_of(host("no-rack"), rack) == kNoDomain);
  CHECK(topology.domain_of(host("no-rack"), block) == topology.domain_of(host("full"), block));
  CHECK(topology.domain_of(host("no-block"), block) == kNoDomain);
  CHECK(topology.value(topology.domain_of(host("no-block"), rack)) == "r1");
  CHECK(topology.domain_of(host("no-block"), rack) != topology.domain_of(host("full"), rack));
  CHECK(topology.leaf_domain(host("bare")) == kClusterDomain);
  CHECK(topology.domain_of(host("bare"), kClusterLevel) == kClusterDomain);
}

TEST_CASE("topology: a second tree has its own intervals over the same hosts") {
  const TopologySpec spec{{{"fabric", {{"rack", {}}}}, {"accelerator", {{"clique", {}}}}}};
  const auto topology =
      build(spec, {{"a", {{"r1"}, {"c2"}}}, {"b", {{"r1"}, {"c1"}}}, {"c", {{"r2"}, {"c2"}}}});
  CHECK(names(topology, only(topology, "clique", "c2")) == "a c ");
  CHECK(names(topology, only(topology, "clique", "c1")) == "b ");
  CHECK(names(topology, only(topology, "rack", "r1")) == "a b ");
  CHECK_FALSE(topology.nests(*topology.find_level("rack"), *topology.find_level("clique")));
  CHECK(topology.nests(*topology.find_level("rack"), topology.host_level()));
  CHECK(topology.coarser(*topology.find_level("clique")) == kClusterLevel);
}

TEST_CASE("topology: levels are found by name, tree and name, alias or host name") {
  const TopologySpec spec{
      {{"fabric", {{"rack", {"example.com/rack"}}}}, {"power", {{"rack", {}}, {"feed", {}}}}}};
  const auto topology = build(spec, {});
  CHECK(*topology.find_level("fabric/rack") == *topology.find_level("example.com/rack"));
  CHECK(topology.find_level("feed").has_value());
  CHECK(*topology.find_level("host") == *topology.find_level("kubernetes.io/hostname"));
  const auto ambiguous = topology.find_level("rack");
  REQUIRE_FALSE(ambiguous.has_value());
  CHECK(ambiguous.error().message ==
        "level \"rack\" is ambiguous: name the tree as well (levels: fabric/rack, power/rack, power/feed, "
        "host)");
  const auto unknown = build(kFabric, {}).find_level("rakc");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().message == "unknown level \"rakc\" (levels: block, rack, host)");
}

TEST_CASE("topology: contradictions are refused with the name that repeats") {
  const auto message = [](const TopologySpec& spec, std::vector<HostSpec> hosts) {
    const auto built = Topology::build(spec, std::move(hosts));
    return built ? std::string() : built.error().message;
  };
  CHECK(message(kFabric, {{"a", {}}, {"a", {}}}) == "host name: \"a\" is repeated");
  CHECK(message({{{"f", {{"x", {}}, {"x", {}}}}}}, {}) == "topology.trees.f.levels: name \"x\" is repeated");
  CHECK(message({{{"f", {}}, {"f", {}}}}, {}) == "topology.trees: name \"f\" is repeated");
  CHECK(message({{{"f", {{"host", {}}}}}}, {}).find("implied") != std::string::npos);
  CHECK(message(kFabric, {{"a", {{"b", "r", "x"}}}}) == "host a: 3 labels in tree 0, which has 2 levels");
  CHECK(message(kFabric, {{"", {}}}) == "host name: empty");
}

TEST_CASE("topology: domains inside a domain are those of its interval") {
  const auto topology = build(
      kFabric, {{"a", {{"b1", "r1"}}}, {"b", {{"b1", "r2"}}}, {"c", {{"b2", "r1"}}}, {"d", {{"b2", "r1"}}}});
  const auto rack = *topology.find_level("rack");
  const DomainId b2 = only(topology, "block", "b2");
  const DomainRange inside = topology.domains_within(b2, rack);
  REQUIRE(inside.size() == 1);
  CHECK(topology.value(static_cast<DomainId>(inside.first)) == "b2/r1");
  CHECK(topology.domains_within(b2, topology.host_level()).size() == 2);
  CHECK(topology.domains_within(kClusterDomain, rack).size() == 3);
  CHECK(topology.domains_within(static_cast<DomainId>(inside.first), *topology.find_level("block")).size() ==
        0);
}
