#include "kube/pod_requests.h"

#include <algorithm>

namespace muster::kube {
namespace {

const ContainerState* state_of(const PodDemand& demand, const std::string& name) {
  const auto it = std::find_if(demand.states.begin(), demand.states.end(),
                               [&](const ContainerState& state) { return state.name == name; });
  return it == demand.states.end() ? nullptr : &*it;
}

const QuantityList& wanted(const PodDemand&, const ContainerDemand& container) { return container.requests; }

const QuantityList& promised(const PodDemand& demand, const ContainerDemand& container) {
  static const QuantityList kNone;
  const ContainerState* state = state_of(demand, container.name);
  if (state != nullptr && state->allocated) return *state->allocated;
  return demand.resize_infeasible ? kNone : container.requests;
}

const QuantityList& used(const PodDemand& demand, const ContainerDemand& container) {
  const ContainerState* state = state_of(demand, container.name);
  if (state != nullptr && state->actuated) return *state->actuated;
  return promised(demand, container);
}

using View = const QuantityList& (*)(const PodDemand&, const ContainerDemand&);

QuantityList aggregate(const PodDemand& demand, View view) {
  QuantityList result;
  for (const auto& container : demand.containers) result.add(view(demand, container));
  QuantityList sidecars;
  QuantityList while_starting;
  for (const auto& container : demand.init_containers) {
    if (container.sidecar) {
      result.add(view(demand, container));
      sidecars.add(view(demand, container));
      while_starting.max_with(sidecars);
    } else {
      QuantityList together = sidecars;
      together.add(view(demand, container));
      while_starting.max_with(together);
    }
  }
  result.max_with(while_starting);
  return result;
}

bool counts_at_pod_level(std::string_view resource) {
  return resource == kCpu || resource == kMemory || resource.substr(0, 10) == "hugepages-";
}

bool names_one_at_pod_level(const QuantityList& list) {
  return std::any_of(list.entries().begin(), list.entries().end(),
                     [](const auto& entry) { return counts_at_pod_level(entry.first); });
}

QuantityList container_level(const PodDemand& demand) {
  QuantityList result = demand.resize_infeasible ? QuantityList{} : aggregate(demand, wanted);
  const bool reported = !demand.states.empty() || demand.pod_level_actuated;
  if (!reported && !demand.resize_infeasible) return result;
  if (demand.pod_level_allocated && demand.pod_level_actuated) {
    result.max_with(*demand.pod_level_allocated);
    result.max_with(*demand.pod_level_actuated);
    return result;
  }
  result.max_with(aggregate(demand, promised));
  result.max_with(aggregate(demand, used));
  return result;
}

void override_with_pod_level(const PodDemand& demand, QuantityList& result) {
  if (!demand.pod_level || !names_one_at_pod_level(*demand.pod_level)) return;
  QuantityList pod_level =
      demand.resize_infeasible && demand.pod_level_actuated ? QuantityList{} : *demand.pod_level;
  if (demand.pod_level_actuated) {
    pod_level.max_with(*demand.pod_level_actuated);
    if (demand.pod_level_allocated) pod_level.max_with(*demand.pod_level_allocated);
  }
  for (const auto& [name, quantity] : pod_level.entries()) {
    if (counts_at_pod_level(name)) result.set(name, quantity);
  }
}

}  // namespace

Quantity* QuantityList::find(std::string_view name) {
  const auto it =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.first == name; });
  return it == entries_.end() ? nullptr : &it->second;
}

bool QuantityList::has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.first == name; });
}

void QuantityList::set(std::string_view name, const Quantity& quantity) {
  if (Quantity* present = find(name)) {
    *present = quantity;
  } else {
    entries_.emplace_back(name, quantity);
  }
}

void QuantityList::add(const QuantityList& other) {
  for (const auto& [name, quantity] : other.entries_) {
    if (Quantity* present = find(name)) {
      *present += quantity;
    } else {
      entries_.emplace_back(name, quantity);
    }
  }
}

void QuantityList::max_with(const QuantityList& other) {
  for (const auto& [name, quantity] : other.entries_) {
    if (Quantity* present = find(name)) {
      *present = std::max(*present, quantity);
    } else {
      entries_.emplace_back(name, quantity);
    }
  }
}

ResourceList QuantityList::rounded() const {
  ResourceList result;
  result.reserve(entries_.size());
  for (const auto& [name, quantity] : entries_) result.set(name, amount_of(name, quantity));
  return result;
}

ResourceList pod_requests(const PodDemand& demand) {
  QuantityList total = container_level(demand);
  override_with_pod_level(demand, total);
  total.add(demand.overhead);
  ResourceList result = total.rounded();
  result.set(kPods, 1);
  return result;
}

}  // namespace muster::kube
