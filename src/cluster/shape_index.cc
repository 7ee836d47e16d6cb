#include "cluster/shape_index.h"

#include <algorithm>

namespace muster {
namespace {

// The demand in the order in which it is cheapest to refuse a host: devices first, then as given.
Demand ordered(const ClusterState& state, const Demand& demand) {
  Demand sorted;
  for (const ResourceAmount& need : demand)
    if (need.amount > 0) sorted.push_back(need);
  std::stable_sort(sorted.begin(), sorted.end(), [&](const ResourceAmount& a, const ResourceAmount& b) {
    return state.is_device(a.resource) > state.is_device(b.resource);
  });
  return sorted;
}

// One division for the first resource; the others are mostly settled by a multiplication.
struct Counter {
  struct Need {
    const int64_t* free;
    int64_t amount;
  };
  std::vector<Need> needs;

  Counter(const ClusterState& state, const Demand& demand) {
    for (const ResourceAmount& need : ordered(state, demand))
      needs.push_back({state.free_column(need.resource).data(), need.amount});
  }

  [[nodiscard]] int32_t room(std::size_t host) const {
    int64_t room = kMaxRoom;
    for (const Need& need : needs) {
      const int64_t free = need.free[host];
      if (free < need.amount) return 0;
      // Amounts are below 2^50: a quotient of doubles that is no whole number stays below the next one.
      static_assert(kMaxAmount <= int64_t{1} << 50);
      int64_t product = 0;
      if (__builtin_mul_overflow(room, need.amount, &product) || product > free)
        room = static_cast<int64_t>(static_cast<double>(free) / static_cast<double>(need.amount));
    }
    return static_cast<int32_t>(room);
  }
};

}  // namespace

int32_t room_for(const ClusterState& state, const Demand& demand, HostIndex host) {
  int64_t room = kMaxRoom;
  for (const ResourceAmount& need : demand)
    if (need.amount > 0)
      room = std::min(room, std::max<int64_t>(state.free(host, need.resource), 0) / need.amount);
  return static_cast<int32_t>(room);
}

const Rooms& ShapeIndex::rooms(const ClusterState& state, const Demand& demand, NodeSetId node_set) {
  Shape& shape = find(demand, node_set);
  shape.used = ++clock_;
  if (shape.stale || shape.seen < log_start_)
    recount(state, shape);
  else
    catch_up(state, shape);
  shape.stale = false;
  shape.seen = read_ = log_start_ + log_.size();
  return shape.rooms;
}

void ShapeIndex::begin() {
  if (shapes_.size() <= kHotShapes) return;
  std::sort(shapes_.begin(), shapes_.end(), [](const auto& a, const auto& b) { return a->used > b->used; });
  shapes_.resize(kHotShapes);
}

ShapeIndex::Shape& ShapeIndex::find(const Demand& demand, NodeSetId node_set) {
  for (const auto& shape : shapes_)
    if (shape->node_set == node_set && shape->demand == demand) return *shape;
  Shape& shape = *shapes_.emplace_back(std::make_unique<Shape>());
  shape.demand = demand;
  shape.node_set = node_set;
  return shape;
}

void ShapeIndex::recount(const ClusterState& state, Shape& shape) const {
  const Topology& topology = state.topology();
  const std::size_t hosts = state.host_count();
  const std::size_t domains = topology.domain_count() - hosts;
  shape.rooms.host.resize(hosts);
  shape.rooms.domain.assign(domains, 0);
  shape.in_use.assign(hosts, 0);
  const Counter counter(state, shape.demand);
  const Exclusion* status = state.status_.data();
  const Exclusion* allowed = state.node_sets_[at(shape.node_set)].data();
  const uint32_t* occupants = state.occupants_.data();
  int32_t* rooms = shape.rooms.host.data();
  int64_t* sums = shape.rooms.domain.data();
  int32_t most = 0;
  int64_t all = 0;
  int64_t in_use = 0;
  for (std::size_t host = 0; host < hosts; ++host) {
    const bool usable = status[host] == Exclusion::kNone && allowed[host] == Exclusion::kNone;
    const int32_t room = usable ? counter.room(host) : 0;
    rooms[host] = room;
    if (room == 0) continue;
    all += room;
    most = std::max(most, room);
    if (occupants[host] == 0) continue;
    shape.in_use[host] = 1;
    ++in_use;
  }
  sums[0] = all;
  shape.rooms.most = most;
  shape.rooms.in_use = in_use;
  for (std::size_t tree = 0; tree < topology.tree_count(); ++tree) {
    // In the tree's order the hosts of a finest domain stand together.
    DomainId open = kClusterDomain;
    int64_t sum = 0;
    for (const HostIndex host : topology.order(tree)) {
      if (const DomainId leaf = topology.leaf_domain(host, tree); leaf != open) {
        if (open != kClusterDomain) sums[at(open)] += sum;
        open = leaf;
        sum = 0;
      }
      sum += rooms[at(host)];
    }
    if (open != kClusterDomain) sums[at(open)] += sum;
  }
  // Finer levels have larger numbers within a tree, so children are complete before they are added.
  for (std::size_t domain = domains; domain-- > 1;)
    if (const DomainId parent = topology.parent(static_cast<DomainId>(domain)); parent != kClusterDomain)
      sums[at(parent)] += sums[domain];
}

void ShapeIndex::catch_up(const ClusterState& state, Shape& shape) const {
  const Topology& topology = state.topology();
  for (uint64_t position = shape.seen; position < log_start_ + log_.size(); ++position) {
    const HostIndex host = log_[position - log_start_];
    const bool usable = state.exclusion(shape.node_set, host) == Exclusion::kNone;
    const int32_t now = usable ? room_for(state, shape.demand, host) : 0;
    const bool in_use = now > 0 && state.busy(host);
    shape.rooms.in_use += int64_t{in_use} - shape.in_use[at(host)];
    shape.in_use[at(host)] = in_use;
    const int32_t difference = now - shape.rooms.host[at(host)];
    if (difference == 0) continue;
    shape.rooms.host[at(host)] = now;
    shape.rooms.most = std::max(shape.rooms.most, now);
    shape.rooms.domain[0] += difference;
    for (std::size_t tree = 0; tree < topology.tree_count(); ++tree)
      for (DomainId domain = topology.leaf_domain(host, tree); domain != kClusterDomain;
           domain = topology.parent(domain))
        shape.rooms.domain[at(domain)] += difference;
  }
}

void ShapeIndex::touched(HostIndex host) {
  if (shapes_.empty()) return;
  // Several changes of a host that nobody has looked at meanwhile are one.
  if (!log_.empty() && log_.back() == host && log_start_ + log_.size() > read_) return;
  // A shape that missed as much as this is counted anew just as fast.
  constexpr std::size_t kLongLog = 1 << 16;
  if (log_.size() >= kLongLog) {
    log_start_ += log_.size();
    log_.clear();
  }
  log_.push_back(host);
}

}  // namespace muster
