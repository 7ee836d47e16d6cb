// The solver against exhaustive search: no false «no», no wrong «fits». The number of instances is 20,000, or
// MUSTER_ORACLE_INSTANCES.
#include "oracle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "generator.h"
#include "muster/checker.h"
#include "muster/solver.h"
#include "span.h"

using namespace muster;
using namespace muster::test;

namespace {

uint64_t number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Tally {
  uint64_t instances = 0;
  uint64_t fits = 0;
  uint64_t no = 0;
  uint64_t undecided = 0;
  uint64_t oracle_open = 0;
  double solver_seconds = 0;
  double oracle_seconds = 0;
  double slowest = 0;  // of the solver's answers, in seconds
};

double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void check_one(Shape shape, uint64_t seed, Tally& tally) {
  Instance instance = make_instance(shape, seed);
  ++tally.instances;
  const double start = seconds();
  const Verdict verdict = solve(instance.request, instance.state);
  const double solved = seconds();
  const OracleAnswer truth = exhaustive(instance.request, instance.state);
  tally.solver_seconds += solved - start;
  tally.slowest = std::max(tally.slowest, solved - start);
  tally.oracle_seconds += seconds() - solved;
  INFO(to_string(shape) << " seed " << seed << ": " << describe(verdict, instance.request, instance.state)
                        << dump(instance));
  if (!truth.known) ++tally.oracle_open;
  if (const auto* fits = std::get_if<Fits>(&verdict)) {
    ++tally.fits;
    const auto checked = check_placement(instance.request, fits->placement, instance.state);
    REQUIRE(checked.has_value());
    if (truth.known) REQUIRE(truth.placement.has_value());
  } else if (std::holds_alternative<CertifiedNo>(verdict)) {
    ++tally.no;
    if (truth.known) REQUIRE_FALSE(truth.placement.has_value());
  } else {
    REQUIRE(std::get<Undecided>(verdict).fault == "");
    ++tally.undecided;
    if (std::getenv("MUSTER_ORACLE_SHOW") != nullptr)
      fmt::print("undecided: {} seed {} {}{}\n", to_string(shape), seed,
                 describe(verdict, instance.request, instance.state), dump(instance));
  }
}

}  // namespace

TEST_CASE("oracle: no false «no» and no wrong «fits» in any class") {
  const uint64_t instances = number("MUSTER_ORACLE_INSTANCES", 20'000);
  const uint64_t first = number("MUSTER_ORACLE_SEED", 0);
  for (std::size_t s = 0; s < kShapes; ++s) {
    const auto shape = static_cast<Shape>(s);
    Tally tally;
    for (uint64_t i = 0; i < instances / kShapes + 1; ++i) check_one(shape, first + i, tally);
    fmt::print(
        "oracle {:10} instances {} fits {} no {} undecided {} ({:.4f} %), oracle undecided {}; "
        "solver {:.1f} s, slowest {:.1f} ms, oracle {:.1f} s\n",
        to_string(shape), tally.instances, tally.fits, tally.no, tally.undecided,
        100.0 * static_cast<double>(tally.undecided) / static_cast<double>(tally.instances),
        tally.oracle_open, tally.solver_seconds, tally.slowest * 1000, tally.oracle_seconds);
    std::fflush(stdout);
    if (shape <= Shape::kSlices) CHECK(tally.undecided == 0);
    CHECK(tally.fits > tally.instances / 20);
    CHECK(tally.no > tally.instances / 20);
  }
}

TEST_CASE("oracle: identical members touch as few domains as possible on every level") {
  const uint64_t instances = number("MUSTER_ORACLE_INSTANCES", 20'000) / 10;
  uint64_t compared = 0;
  for (uint64_t i = 0; i < instances; ++i) {
    Instance instance = make_instance(Shape::kIdentical, i);
    auto& request = instance.request;
    request.refusals.clear();
    request.subgroups[0].preferred.clear();
    request.subgroups[0].minimum.reset();
    for (auto& member : request.members) member.bound = kNoHost;
    const Verdict verdict = solve(request, instance.state);
    const auto least = least_span(request, instance.state);
    INFO("seed " << i);
    REQUIRE(std::holds_alternative<Fits>(verdict) == least.has_value());
    if (!least) continue;
    ++compared;
    REQUIRE(span_of(std::get<Fits>(verdict).placement, request, instance.state) == *least);
  }
  CHECK(compared > instances / 10);
}

TEST_CASE("oracle: members that differ touch as few domains as possible on every level") {
  const uint64_t instances = number("MUSTER_ORACLE_SPANS", 1'000);
  const uint64_t first = number("MUSTER_ORACLE_SEED", 0);
  for (std::size_t s = 1; s < kShapes; ++s) {
    const auto shape = static_cast<Shape>(s);
    uint64_t compared = 0;
    uint64_t worse = 0;
    std::array<double, 4> used{};
    std::array<double, 4> least{};
    for (uint64_t i = first; i < first + instances; ++i) {
      Instance instance = make_instance(shape, i);
      auto& request = instance.request;
      for (SubGroup& subgroup : request.subgroups) {
        subgroup.preferred.clear();
        subgroup.min_subgroups.reset();
        subgroup.minimum.reset();
        subgroup.placement = Strategy::kPack;
      }
      for (auto& member : request.members) member.bound = kNoHost;
      if (!validate(request, instance.state)) continue;
      const Verdict verdict = solve(request, instance.state);
      const auto* fits = std::get_if<Fits>(&verdict);
      if (fits == nullptr) continue;
      const auto best = least_span_by_search(request, instance.state);
      INFO(to_string(shape) << " seed " << i << dump(instance));
      REQUIRE(best.has_value());
      const auto span = span_of(fits->placement, request, instance.state);
      ++compared;
      if (span != *best) ++worse;
      if (span != *best && std::getenv("MUSTER_ORACLE_SHOW") != nullptr)
        fmt::print("wider than need be: {} seed {} {} instead of {}{}\n", to_string(shape), i,
                   fmt::join(span, " "), fmt::join(*best, " "), dump(instance));
      // Levels counted from the host up: requests for a domain of a finer level have fewer.
      for (std::size_t k = 0; k < span.size(); ++k) {
        used[k] += span[span.size() - 1 - k];
        least[k] += (*best)[span.size() - 1 - k];
      }
    }
    fmt::print("span {:10} compared {} wider {}; hosts {:.4f}, racks {:.4f}, blocks {:.4f} of the optimum\n",
               to_string(shape), compared, worse, used[0] / std::max(1.0, least[0]),
               used[1] / std::max(1.0, least[1]), used[2] / std::max(1.0, least[2]));
    std::fflush(stdout);
    CHECK(compared > instances / 20);
    CHECK(worse == 0);
  }
}
