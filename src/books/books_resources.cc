// Which resources have a column in the core's state: those that somebody has asked for.
#include <algorithm>

#include "base/error.h"
#include "books/books.h"

namespace muster::books {

constexpr std::size_t kOwnResources = 3;  // cpu, memory and pods always have a column

Demand Books::to_demand(const ResourceList& list) const {
  Demand demand;
  for (const auto& [name, amount] : list.entries()) {
    if (const auto resource = state_.find_resource(name))
      demand.push_back({*resource, std::min(amount, kMaxAmount)});
  }
  return demand;
}

// False when there is no column left for one of them. Columns that no reservation needs are given up first:
// they can be made again from the nodes and pods.
bool Books::want_resources(const ResourceList& demand) {
  const auto add = [&](const ResourceList& list) {
    for (const auto& [name, amount] : list.entries())
      if (std::find(resources_.begin(), resources_.end(), name) == resources_.end())
        resources_.push_back(name);
  };
  const std::size_t known = resources_.size();
  add(demand);
  if (resources_.size() == known) return true;
  if (resources_.size() <= kMaxResources) {
    if (!stale_) add_columns(known);
    return true;
  }
  std::vector<std::string> before(resources_.begin(),
                                  resources_.begin() + static_cast<std::ptrdiff_t>(known));
  resources_.resize(kOwnResources);
  for (const Pod* pod : reserved_pods()) add(pod->second.charge->demand);
  add(demand);
  stale_ = stale_ || resources_.size() <= kMaxResources;
  if (resources_.size() <= kMaxResources) return true;
  resources_ = std::move(before);
  return false;
}

// The resources from the index `first` on get their columns, filled from the nodes and from what is charged.
void Books::add_columns(std::size_t first) {
  const auto is_new = [&](const auto& entry) {
    return std::find(resources_.begin() + static_cast<std::ptrdiff_t>(first), resources_.end(),
                     entry.first) != resources_.end();
  };
  std::vector<const Charge*> grown;
  for (const auto& [uid, pod] : pods_) {
    if (!pod.charge) continue;
    const Charge& charge = *pod.charge;
    const auto& entries = charge.demand.entries();
    const auto host = host_of(charge.node);
    if (!host || std::none_of(entries.begin(), entries.end(), is_new)) continue;
    state_.uncharge(*host, to_demand(charge.demand), charge.owner);
    grown.push_back(&charge);
  }
  for (std::size_t i = first; i < resources_.size(); ++i)
    static_cast<void>(state_.intern_resource(resources_[i]));
  for (std::size_t host = 0; host < node_of_.size(); ++host)
    state_.set_allocatable(static_cast<HostIndex>(host), offer_of(*node_of_[host]));
  for (const Charge* charge : grown) this->charge(*charge);
  mix_.reset();
}

Demand Books::offer_of(const kube::Node& node) const {
  Demand amounts;
  for (const std::string& name : resources_)
    amounts.push_back({*state_.find_resource(name), std::min(node.allocatable.get(name), kMaxAmount)});
  return amounts;
}

bool Books::want_resources_of(const group::Question& question) {
  ResourceList all;
  const ResourceList* last = nullptr;
  for (const group::Member* member : question.members) {
    if (last == nullptr || !(member->demand == *last)) all.max_with(member->demand);
    last = &member->demand;
  }
  return want_resources(all);
}

}  // namespace muster::books
