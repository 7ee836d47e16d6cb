// What a «no» says.
#include <catch2/catch.hpp>

#include "muster/solver.h"
#include "support/builders.h"

using namespace muster;
using namespace muster::test;

namespace {

std::string reason(const PlacementRequest& request, ClusterState& state) {
  REQUIRE(validate(request, state).has_value());
  const Verdict verdict = solve(request, state);
  REQUIRE(std::holds_alternative<CertifiedNo>(verdict));
  return describe(verdict, request, state);
}

}  // namespace

TEST_CASE("reason: the level at which it would fit and the minimum that would are named") {
  auto bench = make_grid(2, 2, 2);
  CHECK(reason(identical(3, {{bench.gpu, 8}}, "rack"), bench.state) ==
        "rack b0/r0 holds 2 of 3: nvidia.com/gpu short by 8; it fits at level block; it fits with a minimum "
        "of 2");
  CHECK(reason(identical(5, {{bench.gpu, 8}}, "block"), bench.state) ==
        "block b0 holds 4 of 5: nvidia.com/gpu short by 8; it fits without a required level; it fits with a "
        "minimum of 4");
}

TEST_CASE("reason: the host that would have to free least is named") {
  auto bench = make_grid(1, 1, 2);
  bench.state.charge(HostIndex{0}, {{bench.gpu, 6}});
  bench.state.charge(HostIndex{1}, {{bench.gpu, 2}});
  CHECK(reason(identical(2, {{bench.gpu, 4}}, "rack"), bench.state) ==
        "rack b0/r0 holds 1 of 2: nvidia.com/gpu short by 2 on 1 host; it fits if n0 frees 2 of "
        "nvidia.com/gpu; it "
        "fits with a minimum of 1");
}

TEST_CASE("reason: slices are counted as slices") {
  auto bench = make_grid(1, 3, 3);
  auto request = identical(8, {{bench.gpu, 8}}, "block");
  request.subgroups[0].slices = {{2, "rack"}};
  CHECK(reason(request, bench.state).find("block b0 holds 3 of 4 slices") == 0);
}

TEST_CASE("reason: the subgroup that no domain holds is named") {
  auto bench = make_grid(1, 2, 2);
  PlacementRequest request;
  request.subgroups.resize(3);
  request.subgroups[1].name = "prefill";
  request.subgroups[2].name = "decode";
  request.subgroups[2].required = "rack";
  add_members(request, 1, {{bench.gpu, 8}}, kEveryHost, 1);
  add_members(request, 3, {{bench.gpu, 8}}, kEveryHost, 2);
  CHECK(reason(request, bench.state).find("subgroup decode: rack b0/r0 holds 2 of 3") == 0);
}

TEST_CASE("reason: no host at all, and why") {
  auto bench = make_grid(1, 1, 2);
  bench.state.set_status(HostIndex{0}, Exclusion::kNotReady);
  bench.state.set_status(HostIndex{1}, Exclusion::kUnschedulable);
  const std::string text = reason(identical(1, {{bench.gpu, 1}}), bench.state);
  CHECK(text.find("2 hosts excluded: not ready (1), unschedulable (1)") != std::string::npos);
}

TEST_CASE("reason: bound members that contradict a required level") {
  auto bench = make_grid(1, 2, 1);
  auto request = identical(3, {{bench.gpu, 1}}, "rack");
  request.members[0].bound = HostIndex{0};
  request.members[1].bound = HostIndex{1};
  CHECK(reason(request, bench.state) ==
        "members that are bound already are not in one domain of the required level");
}
