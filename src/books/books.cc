// Nodes and views. Pods and reservations are in books_charges.cc, columns in books_resources.cc, questions
// and answers in books_solve.cc.
#include "books/books.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/log.h"
#include "kube/selector.h"

namespace muster::books {
namespace {

std::string first_label(const kube::Node& node, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (const std::string* value = node.labels.find(key); value != nullptr && !value->empty()) return *value;
  }
  return {};
}

Exclusion to_exclusion(const std::optional<kube::WhyNot>& why) {
  if (!why) return Exclusion::kNone;
  switch (why->reason) {
    case kube::Mismatch::kSelector:
      return Exclusion::kSelector;
    case kube::Mismatch::kUnschedulable:
      return Exclusion::kUnschedulable;
    case kube::Mismatch::kNotReady:
      return Exclusion::kNotReady;
    case kube::Mismatch::kTaint:
      return Exclusion::kTainted;
  }
  return Exclusion::kSelector;
}

}  // namespace

TopologySpec to_spec(const std::vector<TreeLabels>& trees) {
  TopologySpec spec;
  for (const TreeLabels& tree : trees) {
    TreeSpec& made = spec.trees.emplace_back();
    made.name = tree.name;
    for (const LevelLabels& level : tree.levels) made.levels.push_back({level.name, level.labels});
  }
  return spec;
}

Books::Books(std::vector<TreeLabels> trees, const SolveOptions& solving)
    : trees_(std::move(trees)),
      solving_(solving),
      spec_(to_spec(trees_)),
      resources_{std::string(kCpu), std::string(kMemory), std::string(kPods)} {}

Books::~Books() = default;

ClusterState& Books::state() {
  if (stale_) rebuild();
  return state_;
}

HostSpec Books::host_spec(const kube::Node& node) const {
  HostSpec spec{node.name, {}};
  for (const TreeLabels& tree : trees_) {
    auto& values = spec.labels.emplace_back();
    for (const LevelLabels& level : tree.levels) values.push_back(first_label(node, level.labels));
  }
  return spec;
}

void Books::rebuild() {
  stale_ = false;
  ++topology_;
  epoch_base_ += state_.epoch();
  std::vector<HostSpec> hosts;
  hosts.reserve(nodes_.size());
  for (const auto& [name, node] : nodes_) hosts.push_back(host_spec(node));
  Result<Topology> topology = Topology::build(spec_, std::move(hosts));
  MUSTER_CHECK(topology.has_value());  // the levels were checked at start, node names are unique
  state_ = ClusterState(std::move(*topology));
  mix_.reset();
  for (const std::string& resource : resources_) static_cast<void>(state_.intern_resource(resource));
  for (std::size_t i = 0; i < node_sets_.count(); ++i) static_cast<void>(state_.add_node_set());
  evaluated_.assign(node_sets_.count(), false);
  node_of_.assign(state_.host_count(), nullptr);
  for (const auto& [name, node] : nodes_) {
    const HostIndex host = *host_of(name);
    node_of_[at(host)] = &node;
    apply_node(node, host);
  }
  for (const auto& [uid, pod] : pods_) {
    if (pod.charge) charge(*pod.charge);
  }
  for (const auto& [owner, levels] : claims_) show_claim(owner);
}

void Books::charge(const Charge& charge) {
  const auto host = host_of(charge.node);
  if (!host) return;
  state_.charge(*host, to_demand(charge.demand), charge.owner);
}

std::optional<HostIndex> Books::host_of(const std::string& node) const {
  return state_.topology().find_host(node);
}

void Books::apply_node(const kube::Node& node, HostIndex host) {
  state_.set_allocatable(host, offer_of(node));
  for (std::size_t i = 0; i < node_sets_.count(); ++i) {
    if (!evaluated_[i]) continue;
    const auto set = static_cast<NodeSetId>(i + 1);
    state_.set_eligible(set, host, to_exclusion(kube::why_not(node_sets_.at(set), node)));
  }
}

void Books::replace_nodes(std::vector<kube::Node> nodes) {
  std::map<std::string, kube::Node> fresh;
  for (kube::Node& node : nodes) {
    std::string name = node.name;
    fresh.insert_or_assign(std::move(name), std::move(node));
  }
  std::vector<std::string> gone;
  for (const auto& [name, node] : nodes_) {
    if (!fresh.contains(name)) gone.push_back(name);
  }
  for (const std::string& name : gone) remove_node(name);
  for (auto& [name, node] : fresh) upsert_node(std::move(node));
}

void Books::upsert_node(kube::Node node) {
  const auto found = nodes_.find(node.name);
  if (found == nodes_.end()) {
    stale_ = true;
    touch_promises(node.name);
    nodes_.emplace(node.name, std::move(node));
    return;
  }
  if (host_spec(found->second).labels != host_spec(node).labels) stale_ = true;
  found->second = std::move(node);
  touch_promises(found->first);
  if (!stale_) apply_node(found->second, *host_of(found->first));
}

void Books::remove_node(const std::string& name) {
  if (nodes_.erase(name) == 0) return;
  touch_promises(name);
  stale_ = true;
}

// The number may come to stand for another set, so nothing that was concluded from it may stay.
void Books::forget_node_set(NodeSetId set) {
  if (set == kEveryHost) return;
  evaluated_[at(set) - 1] = false;
  mix_.reset();
  std::erase_if(last_no_, [&](const auto& entry) {
    const auto& roles = entry.second.request.roles;
    return std::any_of(roles.begin(), roles.end(), [&](const auto& role) { return role.node_set == set; });
  });
}

NodeSetId Books::intern_node_set(const kube::NodeSet& set) {
  const NodeSets::Interned interned = node_sets_.intern(set);
  if (interned.is_added) {
    evaluated_.push_back(false);
    if (!stale_) static_cast<void>(state_.add_node_set());
  }
  return interned.id;
}

void Books::evaluate(NodeSetId set) {
  const std::size_t index = static_cast<std::size_t>(set) - 1;
  if (set == kEveryHost || evaluated_[index]) return;
  evaluated_[index] = true;
  for (const auto& [name, node] : nodes_) {
    state_.set_eligible(set, *host_of(name), to_exclusion(kube::why_not(node_sets_.at(set), node)));
  }
}

void Books::prepare(const group::Member& member) {
  static_cast<void>(want_resources(member.demand));
  static_cast<void>(state());
  evaluate(member.node_set);
}

std::string Books::domain_of(const std::string& node) const {
  const auto host = host_of(node);
  if (!host) return {};
  const Topology& topology = state_.topology();
  std::string text;
  for (std::size_t tree = 0; tree < trees_.size(); ++tree) {
    for (const LevelId level : topology.tree_levels(tree)) {
      const DomainId domain = topology.domain_of(*host, level);
      if (level == kClusterLevel || level == topology.host_level() || domain == kNoDomain) continue;
      if (!text.empty()) text += ',';
      text += topology.level_name(level);
      text += '=';
      text += topology.value(domain);
    }
  }
  return text;
}

uint64_t Books::room_epoch() {
  const uint64_t now = state().epoch();
  return epoch_base_ + now;
}

// kube-scheduler looks at the resources that a pod asks for and at no others; so do we.
std::vector<std::string> Books::broken_reservations(const std::string& node) {
  std::vector<std::string> broken;
  if (!reserved_on_.contains(node)) return broken;
  ClusterState& cluster = state();
  const auto host = host_of(node);
  const auto kept = [&](const Charge& charge) {
    if (!host) return false;
    evaluate(charge.node_set);
    const Demand demand = to_demand(charge.demand);
    return cluster.exclusion(charge.node_set, *host) == Exclusion::kNone &&
           std::all_of(demand.begin(), demand.end(),
                       [&](const ResourceAmount& asked) { return cluster.free(*host, asked.resource) >= 0; });
  };
  for (const Pod* pod : on_node_.at(node)) {
    const Charge& charge = *pod->second.charge;
    if (charge.reserved && !kept(charge)) broken.push_back(pod->first);
  }
  std::sort(broken.begin(), broken.end());
  return broken;
}

// What no member asks for has no column and is not promised to anybody.
std::unordered_map<std::string, ResourceList> Books::promises() {
  std::unordered_map<std::string, ResourceList> promised;
  ClusterState& cluster = state();
  for (const auto& [node, count] : reserved_on_) {
    const auto host = host_of(node);
    if (!host) continue;
    ResourceList& rest = promised[node];
    for (const auto& [name, amount] : node_of_[at(*host)]->allocatable.entries()) {
      const auto column = cluster.find_resource(name);
      rest.set(name, column ? std::max<int64_t>(0, cluster.free(*host, *column)) : amount);
    }
  }
  return promised;
}

const kube::Node* Books::find_node(const std::string& name) const {
  if (!stale_) {
    const auto host = host_of(name);
    return host ? node_of_[at(*host)] : nullptr;
  }
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second;
}

std::vector<std::string> Books::uids_on(const std::string& node) const {
  const auto found = on_node_.find(node);
  if (found == on_node_.end()) return {};
  std::vector<std::string> uids;
  for (const Pod* pod : found->second) uids.push_back(pod->first);
  std::sort(uids.begin(), uids.end());
  return uids;
}

std::string Books::node_of(const std::string& uid) const {
  const Charge* charge = charge_of(uid);
  return charge ? charge->node : std::string();
}

const Books::Charge* Books::charge_of(const std::string& uid) const {
  const auto known = pods_.find(uid);
  return known != pods_.end() && known->second.charge ? &*known->second.charge : nullptr;
}

std::vector<const Books::Pod*> Books::reserved_pods() const {
  std::vector<const Pod*> pods;
  for (const auto& [node, count] : reserved_on_) {
    for (const Pod* pod : on_node_.at(node)) {
      if (pod->second.charge->reserved) pods.push_back(pod);
    }
  }
  return pods;
}

std::vector<std::string> Books::used_nodes() const {
  std::vector<std::string> nodes;
  for (const auto& [node, uids] : on_node_) {
    if (!uids.empty()) nodes.push_back(node);
  }
  return nodes;
}

std::vector<std::string> Books::bound_uids() const {
  std::vector<std::string> uids;
  for (const auto& [uid, pod] : pods_) {
    if (pod.charge && !pod.charge->reserved) uids.push_back(uid);
  }
  return uids;
}

std::map<std::string, std::string> Books::reservations() const {
  std::map<std::string, std::string> nodes;
  for (const Pod* pod : reserved_pods()) nodes.emplace(pod->first, pod->second.charge->node);
  return nodes;
}

bool Books::balanced() {
  std::vector<std::string> nodes;
  for (const auto& [node, count] : reserved_on_) nodes.push_back(node);
  return std::all_of(nodes.begin(), nodes.end(),
                     [&](const std::string& node) { return broken_reservations(node).empty(); });
}

}  // namespace muster::books
