// Nodes and pods as the decoder makes them, in one line each.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "books/books.h"
#include "kube/types.h"

namespace muster::test {

inline constexpr const char* kBlockLabel = "topology.muster.dev/block";
inline constexpr const char* kRackLabel = "topology.muster.dev/rack";
inline constexpr const char* kGpu = "nvidia.com/gpu";

inline std::vector<books::TreeLabels> block_rack_trees() {
  return {{"fabric", {{"block", {kBlockLabel}}, {"rack", {kRackLabel}}}}};
}

inline kube::Node make_node(const std::string& name, const std::string& block, const std::string& rack,
                            int64_t gpus = 8) {
  kube::Node node;
  node.name = name;
  node.uid = "uid-" + name;
  if (!block.empty()) node.labels[kBlockLabel] = block;
  if (!rack.empty()) node.labels[kRackLabel] = rack;
  node.ready = true;
  node.allocatable.set(kCpu, 64'000);
  node.allocatable.set(kMemory, int64_t{512} << 30);
  node.allocatable.set(kPods, 110);
  node.allocatable.set(kGpu, gpus);
  return node;
}

inline kube::Pod make_pod(const std::string& name, int64_t gpus = 8) {
  kube::Pod pod;
  pod.ns = "ns";
  pod.name = name;
  pod.uid = "uid-" + name;
  pod.scheduler_name = "muster";
  pod.requests.set(kCpu, 1'000);
  pod.requests.set(kMemory, int64_t{1} << 30);
  pod.requests.set(kPods, 1);
  if (gpus > 0) pod.requests.set(kGpu, gpus);
  return pod;
}

inline kube::Pod make_member(const std::string& name, const std::string& group, int minimum,
                             int64_t gpus = 8) {
  kube::Pod pod = make_pod(name, gpus);
  pod.annotations["muster.dev/group-name"] = group;
  pod.annotations["muster.dev/min-member"] = std::to_string(minimum);
  pod.scheduling_gates = {"muster.dev/hold"};
  return pod;
}

inline kube::Pod bound_to(kube::Pod pod, const std::string& node) {
  pod.node_name = node;
  pod.scheduling_gates.clear();
  return pod;
}

}  // namespace muster::test
