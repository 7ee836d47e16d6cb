// The long form of a request, muster.dev/group-spec.
#include "books/group_spec.h"

#include <catch2/catch.hpp>

#include "books/annotations.h"

using namespace muster;
using namespace muster::books;

namespace {

Result<group::GroupSpec> parse(const std::string& json, kube::StringMap more = {}) {
  kube::StringMap all{{"muster.dev/group-name", "g"}, {"muster.dev/group-spec", json}};
  for (auto& [key, value] : more) all[key] = value;
  return parse_spec(all);
}

std::string error_of(const std::string& json, kube::StringMap more = {}) {
  const auto spec = parse(json, std::move(more));
  REQUIRE_FALSE(spec);
  CHECK(spec.error().code == ErrorCode::kInvalid);
  return spec.error().message;
}

}  // namespace

TEST_CASE("The long form says all that the short keys do, and more") {
  const auto spec = parse(R"({"minMember": 6, "topologyRequired": "block", "topologyPreferred": "rack",
      "slices": "2@rack", "exclusive": "rack", "placement": "Spread", "minSubgroups": 1,
      "subgroups": {"prefill": {"minMember": 2, "topologyRequired": "rack"},
                    "decode": {"subgroups": {"r0": {"minMember": 1}}}}})");
  REQUIRE(spec);
  CHECK(spec->min_member == 6);
  CHECK(spec->topology_required == "block");
  CHECK(spec->topology_preferred == "rack");
  CHECK(spec->exclusive == "rack");
  CHECK(spec->spread);
  CHECK(spec->min_subgroups == 1u);
  REQUIRE(spec->subgroups.size() == 2);
  CHECK(spec->subgroups[0].name == "decode");
  CHECK(spec->subgroups[0].subgroups.at(0).min_member == 1u);
  CHECK(spec->subgroups[1].topology_required == "rack");
}

TEST_CASE("Short keys and the long form have to say the same") {
  CHECK(parse(R"({"minMember": 4})", {{"muster.dev/min-member", "4"}}));
  CHECK(parse(R"({})", {{"muster.dev/min-member", "4"}})->min_member == 4);
  CHECK(error_of(R"({"minMember": 5})", {{"muster.dev/min-member", "4"}}) ==
        "muster.dev/group-spec: minMember: 5 here, but muster.dev/min-member is 4");
  CHECK(
      error_of(R"({"minMember": 1, "topologyRequired": "rack"})", {{"muster.dev/topology-required", "block"}})
          .find("topologyRequired: \"rack\" here") != std::string::npos);
}

TEST_CASE("A wrong long form is refused with the path and the value") {
  CHECK(error_of("{").find("is not JSON") != std::string::npos);
  CHECK(error_of("[]") == "muster.dev/group-spec: $: \"[]\" is not an object");
  CHECK(error_of("{}").find("minMember: missing") != std::string::npos);
  CHECK(error_of(R"({"minMember": "four"})") ==
        "muster.dev/group-spec: minMember: \"four\" is not a whole number from 1 to 100000");
  CHECK(error_of(R"({"minMember": 0})").find("minMember: \"0\"") != std::string::npos);
  CHECK(error_of(R"({"minMember": 1.5})").find("minMember: \"1.5\"") != std::string::npos);
  CHECK(error_of(R"({"minMember": 18446744073709551615})").find("minMember: ") != std::string::npos);
  CHECK(error_of(R"({"minMember": -1})").find("minMember: ") != std::string::npos);
  CHECK(error_of(R"({"minMembers": 1})") ==
        "muster.dev/group-spec: minMembers: unknown key; the nearest known one is minMember");
  CHECK(error_of(R"({"minMember": 1, "placement": "pack"})").find("placement: \"pack\"") !=
        std::string::npos);
  CHECK(error_of(R"({"minMember": 1, "slices": 4})").find("slices: \"4\"") != std::string::npos);
  CHECK(error_of(R"({"minMember": 1, "subgroups": {"a": {"minMember": "two"}}})") ==
        "muster.dev/group-spec: subgroups.a.minMember: \"two\" is not a whole number from 1 to 100000");
  CHECK(error_of(R"({"minMember": 1, "subgroups": {"a": {"subgroups": {"b/c": {}}}}})")
            .find("subgroups.a.subgroups: \"b/c\" is not a name") != std::string::npos);
  CHECK(error_of(R"({"minMember": 1, "subgroups": []})").find("subgroups: \"[]\"") != std::string::npos);
}

TEST_CASE("A long form nested without end or with subgroups without number is refused, not followed") {
  std::string deep = R"({"minMember": 1)";
  for (int i = 0; i < 5'000; ++i) deep += R"(, "subgroups": {"a": {"minSubgroups": 0)";
  for (int i = 0; i < 5'000; ++i) deep += "}}";
  CHECK_FALSE(parse(deep + "}"));
  CHECK_FALSE(parse(std::string(100'000, '[')));
  std::string wide = R"({"minMember": 1, "subgroups": {"a": {})";
  for (int i = 0; i < 10'001; ++i) wide += ", \"s" + std::to_string(i) + "\": {}";
  CHECK(error_of(wide + "}}").find("more than 10000 subgroups") != std::string::npos);
}

TEST_CASE("A subgroup that the long form does not name is refused, and a label where it names none") {
  const std::string two = R"({"minMember": 1, "subgroups": {"prefill": {"subgroups": {"r0": {}}}}})";
  CHECK(parse(two, {{"muster.dev/subgroup", "prefill"}}));
  CHECK(parse(two, {{"muster.dev/subgroup", "prefill/r0"}}));
  CHECK(error_of(two, {{"muster.dev/subgroup", "decode"}}) ==
        "muster.dev/subgroup: \"decode\" is not among the subgroups of muster.dev/group-spec");
  CHECK_FALSE(parse(two, {{"muster.dev/subgroup", "prefill/r1"}}));
  CHECK(parse(R"({"minMember": 1})", {{"muster.dev/subgroup", "anything"}}));
}
