#include <catch2/catch.hpp>

#include "config/config.h"

namespace muster::config {
namespace {

const std::string kHead = "apiVersion: muster.dev/v1alpha1\nkind: MusterConfiguration\n";

TEST_CASE("config: limits are read, and what is left out has its default") {
  const auto configuration = parse(kHead +
                                       "limits:\n  membersPerGroup: 64\n  longestHold: 1m\n  "
                                       "stepsPerDecision: 7\n  perNamespace: {heldMembers: 100}\n",
                                   "f");
  REQUIRE(configuration.has_value());
  CHECK(configuration->limits.members_per_group == 64);
  CHECK(configuration->limits.longest_hold == Duration(60'000));
  CHECK(configuration->limits.held_members == 100);
  CHECK(configuration->limits.steps_per_decision == 7);
  CHECK(configuration->limits.node_sets == Limits{}.node_sets);
}

TEST_CASE("config: a limit of zero, a misspelt one and one that is no number are refused by name") {
  const auto message = [](const std::string& text) {
    const auto configuration = parse(kHead + text, "f");
    return configuration ? "" : configuration.error().message;
  };
  CHECK(message("limits: {membersPerGroup: 0}\n").find("limits.membersPerGroup") != std::string::npos);
  CHECK(message("limits: {membersPerGroup: 100001}\n") ==
        "f:3: limits.membersPerGroup: 100001 is out of the range 1 to 100000");
  CHECK(message("limits: {membersPerGroup: 100000}\n").empty());
  CHECK(message("limits: {perNamespace: {nodeSet: 1}}\n").find("nodeSets") != std::string::npos);
  CHECK(message("limits: {longestHold: forever}\n").find("limits.longestHold") != std::string::npos);
}

}  // namespace
}  // namespace muster::config
