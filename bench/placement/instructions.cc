// bench_instructions: one fixed case, a few decisions, for counting instructions with callgrind. compare.py
// runs it.
#include <cstdio>
#include <cstring>

#include "muster/solver.h"
#include "placement/workloads.h"

using namespace muster;
using namespace muster::bench;

namespace {

struct Case {
  const char* name;
  Family family;
  uint32_t members;
  bool yes;
};
constexpr Case kCases[] = {
    {"identical-64-yes", Family::kIdentical, 64, true},
    {"identical-1024-no", Family::kIdentical, 1024, false},
    {"sizes-64-yes", Family::kSizes, 64, true},
    {"three-roles-64-yes", Family::kThreeRoles, 64, true},
    {"slices-64-yes", Family::kSlices, 64, true},
};

// Callgrind counts from its entry to its return (compare.py names it), so it must stay a function.
[[gnu::noinline]] bool measured_decision(const PlacementRequest& request, ClusterState& state) {
  return std::holds_alternative<Fits>(solve(request, state));
}

}  // namespace

int main(int argc, char** argv) {
  for (const Case& it : kCases) {
    if (argc < 2) {
      std::puts(it.name);
      continue;
    }
    if (std::strcmp(argv[1], it.name) != 0) continue;
    Cluster cluster = make_cluster(10'000, 1);
    const PlacementRequest request = make_request(cluster, it.family, it.members, it.yes);
    Random random(1);
    std::size_t fits = 0;
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 16; ++i) disturb(cluster, random);
      fits += measured_decision(request, cluster.state);
    }
    std::printf("%zu of 20 fit\n", fits);
    return 0;
  }
  return argc < 2 ? 0 : 2;
}
