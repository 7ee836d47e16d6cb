#include "muster/cluster.h"

#include <algorithm>
#include <utility>

#include "cluster/shape_index.h"

namespace muster {
namespace {

constexpr std::size_t kMaxResources = 256;

int64_t clamp_offer(int64_t amount) { return std::clamp<int64_t>(amount, 0, kMaxAmount - 1); }
int64_t clamp_demand(int64_t amount) { return std::clamp<int64_t>(amount, 0, kMaxAmount); }

}  // namespace

std::string_view to_string(Exclusion exclusion) {
  switch (exclusion) {
    case Exclusion::kNone:
      return "usable";
    case Exclusion::kNotReady:
      return "not ready";
    case Exclusion::kUnschedulable:
      return "unschedulable";
    case Exclusion::kTainted:
      return "tainted";
    case Exclusion::kSelector:
      return "node selector or affinity";
    case Exclusion::kRefused:
      return "refused by kube-scheduler";
    case Exclusion::kOwned:
      return "exclusive use";
    case Exclusion::kOutside:
      return "outside the bound members' domain";
  }
  return "unknown";
}

ClusterState::ClusterState(Topology topology)
    : topology_(std::move(topology)),
      status_(topology_.host_count(), Exclusion::kNone),
      occupants_(topology_.host_count(), 0),
      busy_hosts_(topology_.domain_count(), 0),
      gained_at_(topology_.domain_count(), 0),
      tenants_(topology_.host_count()),
      shapes_(std::make_unique<ShapeIndex>()) {
  node_sets_.emplace_back(topology_.host_count(), Exclusion::kNone);
}

ClusterState::ClusterState(const ClusterState& other)
    : topology_(other.topology_),
      columns_(other.columns_),
      status_(other.status_),
      occupants_(other.occupants_),
      busy_hosts_(other.busy_hosts_),
      gained_at_(other.gained_at_),
      node_sets_(other.node_sets_),
      tenants_(other.tenants_),
      claims_(other.claims_),
      epoch_(other.epoch_),
      shapes_(std::make_unique<ShapeIndex>()) {}

ClusterState& ClusterState::operator=(const ClusterState& other) {
  if (this != &other) *this = ClusterState(other);
  return *this;
}

ClusterState::ClusterState(ClusterState&&) noexcept = default;
ClusterState& ClusterState::operator=(ClusterState&&) noexcept = default;
ClusterState::~ClusterState() = default;

ResourceId ClusterState::intern_resource(std::string_view name) {
  if (const auto known = find_resource(name)) return *known;
  MUSTER_CHECK(columns_.size() < kMaxResources);
  Column column;
  column.name = name;
  column.device = name.find('/') != std::string_view::npos;
  column.allocatable.assign(host_count(), 0);
  column.free.assign(host_count(), 0);
  columns_.push_back(std::move(column));
  return static_cast<ResourceId>(columns_.size() - 1);
}

std::optional<ResourceId> ClusterState::find_resource(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].name == name) return static_cast<ResourceId>(i);
  return std::nullopt;
}

void ClusterState::set_allocatable(HostIndex host, const Demand& amounts) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto resource = static_cast<ResourceId>(i);
    int64_t wanted = 0;
    for (const ResourceAmount& it : amounts)
      if (it.resource == resource) wanted = clamp_offer(it.amount);
    int64_t& offered = columns_[i].allocatable[at(host)];
    const int64_t difference = wanted - offered;
    if (difference == 0) continue;
    note(Change::Kind::kAllocatable, static_cast<uint32_t>(host), static_cast<uint32_t>(i), offered);
    offered = wanted;
    add_free(host, resource, difference);
  }
}

void ClusterState::set_status(HostIndex host, Exclusion status) {
  const Exclusion before = status_[at(host)];
  if (before == status) return;
  note(Change::Kind::kStatus, static_cast<uint32_t>(host), 0, static_cast<int64_t>(before));
  put_status(host, status);
  if (status == Exclusion::kNone) gained(host);
}

void ClusterState::put_status(HostIndex host, Exclusion status) {
  status_[at(host)] = status;
  shapes_->touched(host);
}

bool ClusterState::is_occupying(const Demand& demand, OwnerId owner) const {
  if (owner != kNoOwner) return true;
  return std::any_of(demand.begin(), demand.end(),
                     [&](const ResourceAmount& need) { return need.amount > 0 && is_device(need.resource); });
}

void ClusterState::charge(HostIndex host, const Demand& demand, OwnerId owner) {
  for (const ResourceAmount& need : demand) add_free(host, need.resource, -clamp_demand(need.amount));
  if (is_occupying(demand, owner)) add_occupants(host, 1);
  if (owner != kNoOwner) add_tenant(host, owner, 1);
}

void ClusterState::uncharge(HostIndex host, const Demand& demand, OwnerId owner) {
  for (const ResourceAmount& need : demand) add_free(host, need.resource, clamp_demand(need.amount));
  if (is_occupying(demand, owner)) add_occupants(host, -1);
  if (owner != kNoOwner) {
    add_tenant(host, owner, -1);
    gained(host);
  }
}

void ClusterState::add_free(HostIndex host, ResourceId resource, int64_t difference) {
  if (difference == 0) return;
  note(Change::Kind::kFree, static_cast<uint32_t>(host), static_cast<uint32_t>(resource), difference);
  columns_[at(resource)].free[at(host)] += difference;
  shapes_->touched(host);
  if (difference > 0) gained(host);
}

void ClusterState::add_occupants(HostIndex host, int32_t difference) {
  note(Change::Kind::kOccupants, static_cast<uint32_t>(host), 0, difference);
  uint32_t& count = occupants_[at(host)];
  const bool was_busy = count > 0;
  count = static_cast<uint32_t>(static_cast<int64_t>(count) + difference);
  const bool is_busy = count > 0;
  if (was_busy == is_busy) return;
  shapes_->touched(host);
  const uint32_t step = is_busy ? 1U : UINT32_MAX;  // plus or minus one, modulo 2^32
  busy_hosts_[at(topology_.host_domain(host))] += step;
  busy_hosts_[0] += step;
  for (std::size_t tree = 0; tree < topology_.tree_count(); ++tree)
    for (DomainId domain = topology_.leaf_domain(host, tree); domain != kClusterDomain;
         domain = topology_.parent(domain))
      busy_hosts_[at(domain)] += step;
}

void ClusterState::add_tenant(HostIndex host, OwnerId owner, int32_t difference) {
  note(Change::Kind::kTenant, static_cast<uint32_t>(host), static_cast<uint32_t>(owner), difference);
  auto& tenants = tenants_[at(host)];
  const auto it = std::lower_bound(tenants.begin(), tenants.end(), owner,
                                   [](const Tenancy& tenant, OwnerId key) { return tenant.owner < key; });
  if (it == tenants.end() || it->owner != owner) {
    MUSTER_CHECK(difference > 0);
    tenants.insert(it, {owner, static_cast<uint32_t>(difference)});
    return;
  }
  it->members = static_cast<uint32_t>(static_cast<int64_t>(it->members) + difference);
  if (it->members == 0) tenants.erase(it);
}

NodeSetId ClusterState::add_node_set(Exclusion initial) {
  node_sets_.emplace_back(host_count(), initial);
  return static_cast<NodeSetId>(node_sets_.size() - 1);
}

void ClusterState::set_eligible(NodeSetId set, HostIndex host, Exclusion exclusion) {
  MUSTER_CHECK(set != kEveryHost);
  Exclusion& stored = node_sets_[at(set)][at(host)];
  if (stored == exclusion) return;
  const bool matters = (stored == Exclusion::kNone) != (exclusion == Exclusion::kNone);
  stored = exclusion;
  if (!matters) return;
  shapes_->touched(host);
  if (exclusion == Exclusion::kNone) gained(host);
}

void ClusterState::set_claim(OwnerId owner, LevelId level) {
  const auto it =
      std::find_if(claims_.begin(), claims_.end(), [&](const Claim& claim) { return claim.owner == owner; });
  const LevelId before = it == claims_.end() ? kClusterLevel : it->level;
  if (before == level) return;
  note(Change::Kind::kClaim, static_cast<uint32_t>(owner), 0, static_cast<int64_t>(before));
  put_claim(owner, level);
  if (before == kClusterLevel) return;
  ++epoch_;
  std::fill(gained_at_.begin(), gained_at_.end(), epoch_);
}

void ClusterState::put_claim(OwnerId owner, LevelId level) {
  const auto it = std::lower_bound(claims_.begin(), claims_.end(), owner,
                                   [](const Claim& claim, OwnerId key) { return claim.owner < key; });
  const bool known = it != claims_.end() && it->owner == owner;
  if (level == kClusterLevel) {
    if (known) claims_.erase(it);
  } else if (known) {
    it->level = level;
  } else {
    claims_.insert(it, {owner, level});
  }
}

void ClusterState::gained(HostIndex host) {
  ++epoch_;
  gained_at_[at(topology_.host_domain(host))] = epoch_;
  gained_at_[0] = epoch_;
  for (std::size_t tree = 0; tree < topology_.tree_count(); ++tree)
    for (DomainId domain = topology_.leaf_domain(host, tree); domain != kClusterDomain;
         domain = topology_.parent(domain))
      gained_at_[at(domain)] = epoch_;
}

void ClusterState::note(Change::Kind kind, uint32_t subject, uint32_t detail, int64_t value) {
  if (open_savepoints_ > 0) journal_.push_back({kind, subject, detail, value});
}

Savepoint ClusterState::savepoint() {
  ++open_savepoints_;
  return {journal_.size(), open_savepoints_};
}

void ClusterState::rollback(Savepoint to) {
  MUSTER_CHECK(to.depth >= 1 && to.depth <= open_savepoints_ && to.position <= journal_.size());
  open_savepoints_ = 0;  // undoing is not journalled
  while (journal_.size() > to.position) {
    const Change change = journal_.back();
    journal_.pop_back();
    undo(change);
  }
  open_savepoints_ = to.depth - 1;
}

void ClusterState::keep(Savepoint from) {
  MUSTER_CHECK(from.depth >= 1 && from.depth == open_savepoints_);
  --open_savepoints_;
  if (open_savepoints_ == 0) journal_.clear();
}

void ClusterState::undo(const Change& change) {
  const auto host = static_cast<HostIndex>(change.subject);
  switch (change.kind) {
    case Change::Kind::kFree:
      columns_[change.detail].free[at(host)] -= change.value;
      shapes_->touched(host);
      break;
    case Change::Kind::kAllocatable:
      columns_[change.detail].allocatable[at(host)] = change.value;
      break;
    case Change::Kind::kStatus:
      put_status(host, static_cast<Exclusion>(change.value));
      break;
    case Change::Kind::kOccupants:
      add_occupants(host, static_cast<int32_t>(-change.value));
      break;
    case Change::Kind::kTenant:
      add_tenant(host, static_cast<OwnerId>(change.detail), static_cast<int32_t>(-change.value));
      break;
    case Change::Kind::kClaim:
      put_claim(static_cast<OwnerId>(change.subject), static_cast<LevelId>(change.value));
      break;
  }
}

}  // namespace muster
