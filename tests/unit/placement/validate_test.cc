// Contradictory requests are named by the path of the offending key.
#include <catch2/catch.hpp>

#include "muster/request.h"
#include "support/builders.h"

using namespace muster;
using namespace muster::test;

namespace {

struct Fixture {
  Bench bench = make_grid(1, 1, 2);
  PlacementRequest request;

  Fixture() {
    request.subgroups.resize(3);
    request.subgroups[1].name = "prefill";
    request.subgroups[2].name = "replica-0";
    request.subgroups[2].parent = 1;
    add_members(request, 4, {{bench.gpu, 1}}, kEveryHost, 2);
    add_members(request, 4, {{bench.gpu, 2}}, kEveryHost, 1);
  }
  [[nodiscard]] std::string message() const {
    const auto valid = validate(request, bench.state);
    return valid ? "valid" : valid.error().message;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "validate: a plain tree is valid") { CHECK(message() == "valid"); }

TEST_CASE_METHOD(Fixture, "validate: an unknown level is named with its path") {
  request.subgroups[2].required = "rakc";
  CHECK(message() ==
        "subgroups.prefill.subgroups.replica-0.topologyRequired: unknown level \"rakc\" (levels: block, "
        "rack, host)");
}

TEST_CASE_METHOD(Fixture, "validate: a level coarser than the one above is refused") {
  request.subgroups[1].required = "rack";
  request.subgroups[2].required = "block";
  CHECK(message() ==
        "subgroups.prefill.subgroups.replica-0.topologyRequired: level \"block\" is coarser than \"rack\", "
        "which "
        "subgroups.prefill requires");
}

TEST_CASE_METHOD(Fixture, "validate: slices of a level coarser than one above are refused") {
  request.subgroups[1].required = "host";
  request.subgroups[2].slices = {{2, "rack"}};
  CHECK(message() ==
        "subgroups.prefill.subgroups.replica-0.slices: level \"rack\" is coarser than \"host\", which "
        "subgroups.prefill requires");
}

TEST_CASE_METHOD(Fixture, "validate: preferred above required is refused") {
  request.subgroups[0].required = "rack";
  request.subgroups[0].preferred = "block";
  CHECK(message() == "topologyPreferred: level \"block\" is above or beside topologyRequired \"rack\"");
}

TEST_CASE_METHOD(Fixture, "validate: exclusive use on the level of an ancestor is refused") {
  request.subgroups[1].required = "rack";
  request.subgroups[2].exclusive = "rack";
  CHECK(message() ==
        "subgroups.prefill.subgroups.replica-0.exclusive: level \"rack\" is not finer than \"rack\", which "
        "subgroups.prefill requires");
}

TEST_CASE_METHOD(Fixture, "validate: minima that cannot be reached are refused") {
  request.subgroups[2].minimum = 5;
  CHECK(message() == "subgroups.prefill.subgroups.replica-0.minMember: 5 is more than the 4 members");
  request.subgroups[1].min_subgroups = 0;  // it may do without the one below
  CHECK(message() == "valid");
  request.subgroups[1].min_subgroups = 1;
  CHECK(message() == "subgroups.prefill.minSubgroups: 1 is more than the 0 subgroups with enough members");
  request.subgroups[2].minimum.reset();
  request.subgroups[1].min_subgroups = 2;
  CHECK(message() == "subgroups.prefill.minSubgroups: 2 is more than the 1 subgroups");
}

TEST_CASE_METHOD(Fixture, "validate: slices have to divide and to get finer") {
  request.subgroups[2].slices = {{4, "block"}, {3, "rack"}};
  CHECK(message() == "subgroups.prefill.subgroups.replica-0.slices: 3 does not divide 4");
  request.subgroups[2].slices = {{3, "rack"}};
  CHECK(message() ==
        "subgroups.prefill.subgroups.replica-0.slices: 3 does not divide the number of members 4");
  request.subgroups[2].begun = true;  // it is completed member by member
  CHECK(message() == "valid");
  request.subgroups[2].begun = false;
  request.subgroups[2].slices = {{4, "rack"}, {2, "block"}};
  CHECK(message() ==
        "subgroups.prefill.subgroups.replica-0.slices: level \"block\" is not below the level before it");
  request.subgroups[2].slices = {{0, "rack"}};
  CHECK(message() == "subgroups.prefill.subgroups.replica-0.slices: size 0 of 0@rack");
  request.subgroups[2].slices = {{2, "rack"}};
  CHECK(message() == "valid");
  request.subgroups[2].slices.clear();
  request.subgroups[1].slices = {{2, "rack"}};
  CHECK(message() ==
        "subgroups.prefill.slices: a subgroup with subgroups below cannot be sliced; slice those");
}

TEST_CASE_METHOD(Fixture, "validate: amounts, indexes and limits") {
  request.roles[0].demand[0].amount = -1;
  CHECK(message() == "roles[0].nvidia.com/gpu: -1 is negative");
  request.roles[0].demand[0].amount = 1;
  request.members[0].role = 9;
  CHECK(message() == "members[0]: unknown role 9");
  request.members[0].role = 0;
  request.subgroups[1].parent = 2;
  CHECK(message() == "subgroups[1].parent: 2 is not an earlier subgroup");
  request.subgroups[1].parent = 0;
  request.members.resize(kMaxMembers + 1);
  CHECK(message() == "members: 100001, at most 100000");
}
