// Small clusters and requests for tests.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "muster/cluster.h"
#include "muster/request.h"
#include "muster/topology.h"

namespace muster::test {

inline TopologySpec block_rack_spec() { return {{{"fabric", {{"block", {}}, {"rack", {}}}}}}; }

// A host with its labels (coarse to fine, "" for none) and its free GPUs.
struct HostPlan {
  std::vector<std::string> path;
  int64_t gpus = 8;
  int64_t cpu = 64'000;
  std::string name;  // made up when empty
};

struct Bench {
  ClusterState state;
  ResourceId gpu{};
  ResourceId cpu{};

  [[nodiscard]] HostIndex host(const std::string& name) const { return *state.topology().find_host(name); }
};

inline Bench make_cluster(const TopologySpec& spec, const std::vector<HostPlan>& plans) {
  std::vector<HostSpec> hosts;
  for (std::size_t i = 0; i < plans.size(); ++i)
    hosts.push_back({plans[i].name.empty() ? fmt::format("n{}", i) : plans[i].name, {plans[i].path}});
  auto topology = Topology::build(spec, hosts);
  if (!topology) throw std::runtime_error(topology.error().message);
  Bench bench{ClusterState(std::move(*topology))};
  bench.gpu = bench.state.intern_resource("nvidia.com/gpu");
  bench.cpu = bench.state.intern_resource("cpu");
  for (std::size_t i = 0; i < plans.size(); ++i)
    bench.state.set_allocatable(bench.host(hosts[i].name),
                                {{bench.gpu, plans[i].gpus}, {bench.cpu, plans[i].cpu}});
  return bench;
}

// blocks × racks × hosts, all empty, 8 GPUs each; hosts are n0, n1, … in depth-first order.
inline Bench make_grid(int blocks, int racks, int hosts, int64_t gpus = 8) {
  std::vector<HostPlan> plans;
  for (int b = 0; b < blocks; ++b)
    for (int r = 0; r < racks; ++r)
      for (int h = 0; h < hosts; ++h)
        plans.push_back({{fmt::format("b{}", b), fmt::format("r{}", r)}, gpus, 64'000, ""});
  return make_cluster(block_rack_spec(), plans);
}

// Adds `count` members of a new role to subgroup 0 (or another); ranks go on.
inline uint32_t add_members(PlacementRequest& request, uint32_t count, Demand demand,
                            NodeSetId node_set = kEveryHost, uint32_t subgroup = 0) {
  request.roles.push_back({std::move(demand), node_set});
  const auto role = static_cast<uint32_t>(request.roles.size() - 1);
  for (uint32_t i = 0; i < count; ++i)
    request.members.push_back({role, subgroup, static_cast<int64_t>(request.members.size()), kNoHost});
  return role;
}

inline PlacementRequest identical(uint32_t count, Demand demand, std::string required = "",
                                  std::string preferred = "") {
  PlacementRequest request;
  add_members(request, count, std::move(demand));
  request.subgroups[0].required = std::move(required);
  request.subgroups[0].preferred = std::move(preferred);
  return request;
}

}  // namespace muster::test
