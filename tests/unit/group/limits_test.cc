#include "group/limits.h"

#include <catch2/catch.hpp>

namespace muster::group {
namespace {

TEST_CASE("limits: a minimum above what a group may have is refused by name and value, in subgroups too") {
  Limits limits;
  limits.members_per_group = 100;
  GroupSpec spec;
  spec.min_member = 100;
  CHECK(check(spec, limits).has_value());
  spec.min_member = 1'000'000;
  REQUIRE_FALSE(check(spec, limits).has_value());
  CHECK(check(spec, limits).error().message ==
        "muster.dev/min-member: 1000000 is more than the 100 members that a group may have here "
        "(limits.membersPerGroup)");
  spec.min_member = 1;
  SubgroupSpec inner;
  inner.name = "inner";
  inner.min_member = 101;
  SubgroupSpec outer;
  outer.name = "outer";
  outer.subgroups = {inner};
  spec.subgroups = {outer};
  CHECK(check(spec, limits).error().message ==
        "minMember of subgroup inner: 101 is more than the 100 members that a group may have here "
        "(limits.membersPerGroup)");
}

TEST_CASE("limits: nobody may hold room for longer than is allowed") {
  Limits limits;
  limits.longest_hold = Duration(60'000);
  GroupSpec spec;
  spec.hold_timeout = Duration(60'000);
  CHECK(check(spec, limits).has_value());
  spec.hold_timeout = Duration(90'000);
  CHECK(check(spec, limits).error().message ==
        "muster.dev/hold-timeout: 1m30s is longer than the 1m that a plan may be held here "
        "(limits.longestHold)");
}

TEST_CASE("limits: a group may have as many members as the limit says, and no more") {
  CHECK(check_size(2, 2).has_value());
  CHECK_FALSE(check_size(3, 2).has_value());
}

TEST_CASE("limits: node sets are counted before one more comes") {
  Limits limits;
  limits.node_sets = 1;
  CHECK(check_node_sets(0, limits).has_value());
  CHECK_FALSE(check_node_sets(1, limits).has_value());
}

TEST_CASE("limits: a namespace that holds much without using it waits, others do not") {
  Limits limits;
  limits.held_members = 10;
  Allowance allowance(limits);
  allowance.holds("greedy", 8);
  CHECK_FALSE(allowance.refuse("greedy", 2).has_value());
  CHECK(allowance.refuse("greedy", 3).has_value());
  allowance.planned("greedy", 2);
  CHECK(allowance.refuse("greedy", 1).value() ==
        "10 members of the namespace hold room that they do not use yet, and 1 more would be beyond 10 "
        "(limits.perNamespace.heldMembers)");
  CHECK_FALSE(allowance.refuse("modest", 10).has_value());
  // Else a group larger than the limit could never be.
  CHECK_FALSE(allowance.refuse("large", 11).has_value());
}

TEST_CASE("limits: of many groups that wait in a namespace the first are considered, others lose no turn") {
  Limits limits;
  limits.waiting_groups = 3;
  Allowance allowance(limits);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(allowance.refuse("many", 1).has_value());
  CHECK(allowance.refuse("many", 1).value().find("more than 3 groups of the namespace wait") == 0);
  CHECK_FALSE(allowance.refuse("few", 1).has_value());
}

}  // namespace
}  // namespace muster::group
