#include "placement/workloads.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "muster/topology.h"

namespace muster::bench {
namespace {

uint32_t add_role(const Cluster& cluster, PlacementRequest& request, int64_t gpus, int64_t cpu,
                  int64_t gigabytes) {
  request.roles.push_back(
      {{{cluster.gpu, gpus}, {cluster.cpu, cpu}, {cluster.memory, gigabytes << 30}, {cluster.pods, 1}},
       kEveryHost});
  return static_cast<uint32_t>(request.roles.size() - 1);
}

void add(PlacementRequest& request, uint32_t role, uint32_t count, uint32_t subgroup = 0) {
  for (uint32_t i = 0; i < count; ++i)
    request.members.push_back({role, subgroup, static_cast<int64_t>(request.members.size()), kNoHost});
}

uint32_t add_subgroup(PlacementRequest& request, std::string name, uint32_t parent, std::string level) {
  SubGroup sub;
  sub.name = std::move(name);
  sub.parent = parent;
  sub.required = std::move(level);
  request.subgroups.push_back(std::move(sub));
  return static_cast<uint32_t>(request.subgroups.size() - 1);
}

// Replicas of a leader and seven workers, each in a rack; `nested`: eight of them at a time in a block.
void add_replicas(const Cluster& cluster, PlacementRequest& request, uint32_t members, bool nested) {
  constexpr uint32_t kReplica = 8;
  constexpr uint32_t kTogether = 8;
  const uint32_t leader = add_role(cluster, request, 0, 16'000, 64);
  const uint32_t worker = add_role(cluster, request, 4, 48'000, 384);
  uint32_t parent = 0;
  for (uint32_t i = 0; i < members / kReplica; ++i) {
    if (nested && i % kTogether == 0)
      parent = add_subgroup(request, fmt::format("set-{}", i / kTogether), 0, "block");
    const uint32_t replica = add_subgroup(request, fmt::format("replica-{}", i), parent, "rack");
    add(request, leader, 1, replica);
    add(request, worker, kReplica - 1, replica);
  }
}

}  // namespace

Cluster make_cluster(uint32_t hosts, uint64_t seed) {
  std::vector<HostSpec> specs;
  specs.reserve(hosts);
  for (uint32_t h = 0; h < hosts; ++h)
    specs.push_back(
        {fmt::format("node-{}", h), {{fmt::format("b{}", h / 288), fmt::format("r{}", h / 18 % 16)}}});
  Cluster cluster{
      ClusterState(*Topology::build({{{"fabric", {{"block", {}}, {"rack", {}}}}}}, std::move(specs)))};
  ClusterState& state = cluster.state;
  cluster.gpu = state.intern_resource("nvidia.com/gpu");
  cluster.cpu = state.intern_resource("cpu");
  cluster.memory = state.intern_resource("memory");
  cluster.pods = state.intern_resource("pods");
  cluster.few = state.add_node_set(Exclusion::kSelector);
  Random random(seed);
  for (uint32_t h = 0; h < hosts; ++h) {
    const HostIndex host{h};
    if (h % 9 == 0) state.set_eligible(cluster.few, host, true);
    state.set_allocatable(
        host,
        {{cluster.gpu, 8}, {cluster.cpu, 128'000}, {cluster.memory, int64_t{1} << 40}, {cluster.pods, 110}});
    if (random.in(1, 100) > 55) continue;
    const int64_t gpus = random.in(1, 8);
    state.charge(
        host,
        {{cluster.gpu, gpus}, {cluster.cpu, gpus * 12'000}, {cluster.memory, gpus << 36}, {cluster.pods, 1}},
        OwnerId{h % 1000});
  }
  return cluster;
}

void disturb(Cluster& cluster, Random& random) {
  const HostIndex host{random.in(0, static_cast<uint32_t>(cluster.state.host_count()) - 1)};
  const Demand pod{
      {cluster.gpu, 1}, {cluster.cpu, 4'000}, {cluster.memory, int64_t{1} << 34}, {cluster.pods, 1}};
  if (cluster.state.free(host, cluster.gpu) > 0)
    cluster.state.charge(host, pod, OwnerId{2000});
  else if (!cluster.state.tenants(host).empty() && cluster.state.tenants(host).back().owner == OwnerId{2000})
    cluster.state.uncharge(host, pod, OwnerId{2000});
}

std::string to_string(Family family) {
  static const char* const kNames[] = {"identical", "sizes",     "leader-workers", "three-roles",
                                       "slices",    "subgroups", "nested"};
  return kNames[static_cast<std::size_t>(family)];
}

Mix make_mix(const Cluster& cluster) {
  std::vector<MixShape> shapes;
  const std::pair<int64_t, double> kinds[] = {{1, 4}, {2, 1}, {4, 1}, {8, 4}};
  for (const auto& [gpus, weight] : kinds)
    shapes.push_back({{{{{cluster.gpu, gpus},
                         {cluster.cpu, gpus * 8'000},
                         {cluster.memory, gpus << 36},
                         {cluster.pods, 1}},
                        kEveryHost,
                        1}},
                      weight});
  return {cluster.state, cluster.state.topology().host_level(), std::move(shapes)};
}

PlacementRequest make_request(const Cluster& cluster, Family family, uint32_t members, bool yes) {
  PlacementRequest request;
  request.subgroups[0].owner = OwnerId{5000};
  if (!yes)
    request.subgroups[0].required = members <= 72 ? "rack" : "block";
  else
    request.subgroups[0].preferred = members <= 64 ? "rack" : "block";
  switch (family) {
    case Family::kIdentical:
      add(request,
          members == 1 ? add_role(cluster, request, 1, 8'000, 64)
                       : add_role(cluster, request, 8, 64'000, 512),
          members);
      break;
    case Family::kSizes: {
      const uint32_t roles[] = {
          add_role(cluster, request, 8, 64'000, 512), add_role(cluster, request, 4, 32'000, 256),
          add_role(cluster, request, 2, 16'000, 128), add_role(cluster, request, 1, 8'000, 64)};
      for (uint32_t i = 0; i < 4; ++i) add(request, roles[i], members / 4);
      break;
    }
    case Family::kLeaderWorkers:
      add(request, add_role(cluster, request, 0, 16'000, 64), std::max(1U, members / 64));
      add(request, add_role(cluster, request, 8, 96'000, 768), members - std::max(1U, members / 64));
      break;
    case Family::kThreeRoles: {
      const uint32_t small = std::max(1U, std::min(16U, members / 8));
      add(request, add_role(cluster, request, 0, 32'000, 256), small);
      add(request, add_role(cluster, request, 2, 8'000, 64), small * 2);
      add(request, add_role(cluster, request, 4, 48'000, 384), members - small * 3);
      break;
    }
    case Family::kSlices:
      add(request, add_role(cluster, request, 8, 64'000, 512), members);
      request.subgroups[0].preferred.clear();
      if (members >= 16)
        request.subgroups[0].slices = {{16, "block"}, {4, "rack"}};
      else
        request.subgroups[0].slices = {{4, "rack"}};
      break;
    case Family::kSubGroups:
    case Family::kNested:
      request.subgroups[0].preferred.clear();
      add_replicas(cluster, request, members, family == Family::kNested);
      break;
  }
  constexpr uint32_t kFewMembers = 8;
  if (!yes && members <= kFewMembers)
    for (Role& role : request.roles) role.node_set = cluster.few;
  return request;
}

}  // namespace muster::bench
