// bench_placement_fixed CASE: one decision of a fixed case, for counting instructions:
//   valgrind --tool=callgrind --toggle-collect='muster::solve(*' bench_placement_fixed CASE
#include <fmt/format.h>

#include <string_view>

#include "muster/solver.h"
#include "placement/workloads.h"

using namespace muster;
using namespace muster::bench;

namespace {

struct Case {
  std::string_view name;
  Family family;
  uint32_t members;
  bool yes;
};

constexpr Case kCases[] = {
    {"identical-1024", Family::kIdentical, 1024, true},     {"sizes-1024", Family::kSizes, 1024, true},
    {"three-roles-1024", Family::kThreeRoles, 1024, true},  {"slices-1024", Family::kSlices, 1024, true},
    {"subgroups-1024-no", Family::kSubGroups, 1024, false},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Case& it : kCases) {
    if (argc < 2 || it.name != argv[1]) continue;
    Cluster cluster = bench::make_cluster(10'000, 1);
    const PlacementRequest request = make_request(cluster, it.family, it.members, it.yes);
    const Verdict verdict = solve(request, cluster.state);
    fmt::print("{}: {}\n", it.name, describe(verdict, request, cluster.state));
    return 0;
  }
  for (const Case& it : kCases) fmt::print("{}\n", it.name);
  return argc < 2 ? 0 : 2;
}
