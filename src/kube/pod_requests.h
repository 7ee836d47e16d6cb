// What a pod asks of a node, as kube-scheduler counts it. Pure, no JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/resources.h"
#include "kube/quantity.h"

namespace muster::kube {

// Resource name → exact quantity; order does not matter, names occur once.
class QuantityList {
 public:
  using Entry = std::pair<std::string, Quantity>;
  void set(std::string_view name, const Quantity& quantity);
  void add(const QuantityList& other);
  void max_with(const QuantityList& other);
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] ResourceList rounded() const;

 private:
  Quantity* find(std::string_view name);
  std::vector<Entry> entries_;
};

struct ContainerDemand {
  std::string name;
  bool sidecar = false;  // an init container that keeps running
  QuantityList requests;
};

// What the kubelet reports of a container while it is resized in place.
struct ContainerState {
  std::string name;
  std::optional<QuantityList> allocated;  // what the kubelet has promised
  std::optional<QuantityList> actuated;   // what the container runs with
};

struct PodDemand {
  std::vector<ContainerDemand> containers;
  std::vector<ContainerDemand> init_containers;
  std::optional<QuantityList> pod_level;  // spec.resources.requests
  QuantityList overhead;
  std::vector<ContainerState> states;               // of containers and init containers
  std::optional<QuantityList> pod_level_allocated;  // status.allocatedResources
  std::optional<QuantityList> pod_level_actuated;   // status.resources.requests
  bool resize_infeasible = false;                   // condition PodResizePending has reason Infeasible
};

// The larger of the containers' sum (with sidecars) and each init container together with the sidecars before
// it, overridden by pod-level cpu, memory and huge pages, plus overhead; during a resize the largest of what
// is wanted, promised and used. Adds kPods = 1. O(containers · resources).
[[nodiscard]] ResourceList pod_requests(const PodDemand& demand);

}  // namespace muster::kube
