// The decision library alone: two racks of four hosts with 8 GPUs, one of them in use, and four members that
// want 8 GPUs each in one rack. Headers: include/muster/. Libraries: muster_placement and what it needs.
#include <muster/solver.h>

#include <cstdio>

using namespace muster;

int main() {
  // The levels, and where each host is.
  const TopologySpec levels{{{"fabric", {{"rack", {}}}}}};
  std::vector<HostSpec> hosts;
  for (int i = 0; i < 8; ++i) hosts.push_back({"n" + std::to_string(i), {{i < 4 ? "r1" : "r2"}}});

  ClusterState cluster(Topology::build(levels, hosts).value());
  const ResourceId gpu = cluster.intern_resource("nvidia.com/gpu");
  for (uint32_t i = 0; i < 8; ++i) cluster.set_allocatable(HostIndex{i}, {{gpu, 8}});
  cluster.charge(*cluster.topology().find_host("n2"), {{gpu, 1}});  // a pod of somebody else

  PlacementRequest request;
  request.subgroups[0].required = "rack";
  request.roles.push_back({{{gpu, 8}}, kEveryHost});
  for (int64_t rank = 0; rank < 4; ++rank) request.members.push_back({0, 0, rank});

  if (const auto sound = validate(request, cluster); !sound) {
    std::printf("rejected: %s\n", sound.error().message.c_str());
    return 1;
  }
  const Verdict verdict = solve(request, cluster);
  const auto* fits = std::get_if<Fits>(&verdict);
  if (!fits) {
    std::printf("%s\n", describe(verdict, request, cluster).c_str());
    return 1;
  }
  charge_placement(request, fits->placement, cluster);
  std::printf("in %s:", cluster.topology().describe(fits->domain).c_str());
  for (const Assignment& a : fits->placement)
    std::printf(" %s", cluster.topology().host_name(a.host).c_str());
  std::printf("\n");
}
