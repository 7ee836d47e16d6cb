#include "placement/problem.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace muster::placement {

Problem::Problem(const PlacementRequest& the_request, ClusterState& the_state)
    : request(the_request), state(the_state), topology(the_state.topology()) {
  add_subgroups();
  add_members();
  add_ladder();
  plainly_sliced_ = slices_are_alike();
  if (!plainly_sliced_) add_slices();
  sum_up();
  fix_domains();
  add_restrictions();
  add_kinds();
}

LevelId Problem::level_named(const std::string& name) const {
  if (name.empty()) return kClusterLevel;
  const auto level = topology.find_level(name);
  MUSTER_CHECK(level.has_value());  // validate() came first
  return *level;
}

void Problem::add_subgroups() {
  nodes.resize(request.subgroups.size());
  owners_.resize(nodes.size());
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    const SubGroup& from = request.subgroups[i];
    Node& node = nodes[i];
    node.subgroup = i;
    node.parent = i == 0 ? 0 : from.parent;
    node.level = level_named(from.required);
    node.preferred = level_named(from.preferred);
    node.exclusive = level_named(from.exclusive);
    node.strategy = from.placement;
    node.minimum = from.minimum;
    node.min_subgroups = from.min_subgroups;
    owners_[i] = from.owner != kNoOwner || i == 0 ? from.owner : owners_[node.parent];
    if (i > 0) nodes[node.parent].children.push_back(i);
  }
}

void Problem::add_members() {
  member_node_.resize(request.members.size());
  for (uint32_t i = 0; i < request.members.size(); ++i) {
    const Member& member = request.members[i];
    member_node_[i] = member.subgroup;
    if (member.bound != kNoHost) bound_hosts.push_back(member.bound);
  }
}

void Problem::sum_up() {
  for (uint32_t i = 0; i < request.members.size(); ++i) {
    Node& node = nodes[member_node_[i]];
    ++node.total;
    if (request.members[i].bound != kNoHost) ++node.bound;
  }
  for (uint32_t i = static_cast<uint32_t>(nodes.size()); i-- > 1;) {
    nodes[nodes[i].parent].total += nodes[i].total;
    nodes[nodes[i].parent].bound += nodes[i].bound;
  }
  // A slice is placed whole or not at all; one that has begun is completed member by member.
  for (Node& node : nodes)
    if (node.is_slice && node.bound == 0) node.minimum = node.total;
  const Node& group = nodes[0];
  pending = group.total - group.bound;
  const uint32_t minimum = group.minimum.value_or(group.min_subgroups ? 0 : group.total);
  needed = minimum > group.bound ? std::min(minimum - group.bound, pending) : std::min(pending, 1U);
  const bool structured = std::any_of(nodes.begin() + 1, nodes.end(), [](const Node& node) {
    return node.level != kClusterLevel || node.exclusive != kClusterLevel || node.minimum.has_value() ||
           node.preferred != kClusterLevel || node.strategy == Strategy::kSpread;
  });
  flat_ = !structured && !std::any_of(nodes.begin(), nodes.end(),
                                      [](const Node& node) { return node.min_subgroups.has_value(); });
}

// The node's own members of the kind.
std::vector<uint32_t>& Problem::list_of(Node& node, uint32_t kind) {
  constexpr std::size_t kUsual = 4;
  for (Node::Direct& direct : node.direct)
    if (direct.kind == kind) return direct.members;
  if (node.direct.empty()) node.direct.reserve(kUsual);
  node.direct.push_back({kind, {}});
  node.direct.back().members.reserve(std::min<std::size_t>(node.total, 64));
  return node.direct.back().members;
}

// Among the first kinds, where most are.
std::optional<uint32_t> Problem::find_plain_kind(uint32_t role, uint32_t restriction,
                                                 uint32_t separate) const {
  constexpr std::size_t kFirst = 8;
  for (uint32_t kind = 0; kind < std::min(kinds.size(), kFirst); ++kind) {
    const Kind& it = kinds[kind];
    if (it.role == role && it.restriction == restriction && it.separate == separate && it.refused.empty())
      return kind;
  }
  return std::nullopt;
}

void Problem::add_kinds() {
  std::vector<std::vector<HostIndex>> refused;
  if (!request.refusals.empty()) {
    refused.resize(request.members.size());
    for (const Refusal& refusal : request.refusals) refused[refusal.member].push_back(refusal.host);
    for (auto& hosts : refused) {
      std::sort(hosts.begin(), hosts.end());
      hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    }
  }
  // Roles may repeat a demand; equal ones are one kind.
  std::vector<uint32_t> canonical(request.roles.size());
  for (uint32_t role = 0; role < request.roles.size(); ++role) {
    canonical[role] = role;
    for (uint32_t other = 0; other < role && other < 64; ++other)
      if (request.roles[other].node_set == request.roles[role].node_set &&
          request.roles[other].demand == request.roles[role].demand) {
        canonical[role] = other;
        break;
      }
  }
  std::vector<uint32_t> order(request.members.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto by_rank = [&](uint32_t a, uint32_t b) {
    return request.members[a].rank < request.members[b].rank;
  };
  if (!std::is_sorted(order.begin(), order.end(), by_rank))
    std::stable_sort(order.begin(), order.end(), by_rank);
  std::map<std::tuple<uint32_t, uint32_t, uint32_t, std::vector<HostIndex>>, uint32_t> known;
  std::vector<uint32_t> separate(nodes.size(), 0);
  for (uint32_t node = 0; node < nodes.size() && !flat_; ++node) separate[node] = separate_scope(node);
  // The last one without refusals: most members are like the one before.
  uint32_t last_role = UINT32_MAX;
  uint32_t last_node = 0;
  uint32_t last_kind = 0;
  std::vector<uint32_t>* last_list = nullptr;
  for (const uint32_t member : order) {
    const Member& it = request.members[member];
    if (it.bound != kNoHost) continue;
    const uint32_t role = canonical[it.role];
    const uint32_t at_node = member_node_[member];
    const bool plain = refused.empty() || refused[member].empty();
    if (plain && role == last_role && at_node == last_node) {
      ++kinds[last_kind].count;
      last_list->push_back(member);
      continue;
    }
    const uint32_t restriction = node_restriction_[at_node];
    auto kind = plain ? find_plain_kind(role, restriction, separate[at_node]) : std::nullopt;
    if (!kind) {
      const auto hosts = plain ? std::vector<HostIndex>{} : refused[member];
      const auto [found, fresh] = known.emplace(std::tuple{role, restriction, separate[at_node], hosts},
                                                static_cast<uint32_t>(kinds.size()));
      if (fresh) kinds.push_back({role, restriction, hosts, separate[at_node], 0});
      kind = found->second;
    }
    ++kinds[*kind].count;
    // Subgroups that restrict nothing are no more than names.
    std::vector<uint32_t>& list = list_of(nodes[flat_ ? 0 : at_node], *kind);
    list.push_back(member);
    last_role = plain ? role : UINT32_MAX;
    last_node = at_node;
    last_kind = *kind;
    last_list = &list;
  }
  rooms_.resize(kinds.size());
}

uint32_t Problem::separate_scope(uint32_t node) const {
  for (; node != 0; node = nodes[node].parent) {
    const Node& it = nodes[node];
    if (it.exclusive == kClusterLevel) continue;
    if (it.level == kClusterLevel || !topology.nests(it.exclusive, it.level)) return node;
  }
  return 0;
}

void Problem::add_ladder() {
  required = nodes[0].level;
  LevelId level = nodes[0].preferred != kClusterLevel ? nodes[0].preferred : required;
  const std::size_t tree =
      required != kClusterLevel && required != topology.host_level() ? topology.tree(required) : 0;
  ladder.push_back(level);
  while (level != required) {
    const auto up = topology.coarser(level, tree);
    if (!up) break;
    level = *up;
    ladder.push_back(level);
  }
}

Exclusion Problem::exclusion(const Kind& kind, HostIndex host) const {
  const Exclusion base = state.exclusion(request.roles[kind.role].node_set, host);
  if (base != Exclusion::kNone) return base;
  if (!kind.refused.empty() && std::binary_search(kind.refused.begin(), kind.refused.end(), host))
    return Exclusion::kRefused;
  return kind.restriction == 0 ? Exclusion::kNone : restrictions_[kind.restriction][at(host)];
}

const KindRooms& Problem::rooms(uint32_t index) {
  auto& slot = rooms_[index];
  if (slot) return *slot;
  const Kind& kind = kinds[index];
  const Role& role = request.roles[kind.role];
  const Rooms& shared = state.shapes().rooms(state, role.demand, role.node_set);
  if (kind.restriction == 0 && kind.refused.empty()) return slot.emplace(shared);
  auto own = std::make_unique<Rooms>(shared);
  const auto take_out = [&](HostIndex host) {
    const int32_t room = own->host[at(host)];
    if (room == 0) return;
    own->host[at(host)] = 0;
    own->domain[0] -= room;
    for (std::size_t tree = 0; tree < topology.tree_count(); ++tree)
      for (DomainId domain = topology.leaf_domain(host, tree); domain != kClusterDomain;
           domain = topology.parent(domain))
        own->domain[at(domain)] -= room;
  };
  for (const HostIndex host : kind.refused) take_out(host);
  if (kind.restriction != 0)
    for (std::size_t host = 0; host < state.host_count(); ++host)
      if (restrictions_[kind.restriction][host] != Exclusion::kNone) take_out(static_cast<HostIndex>(host));
  return slot.emplace(std::move(own));
}

bool Problem::holds_bound(DomainId domain) const {
  if (bound_hosts.empty()) return true;
  const LevelId level = topology.level_of(domain);
  return std::all_of(bound_hosts.begin(), bound_hosts.end(),
                     [&](HostIndex host) { return topology.domain_of(host, level) == domain; });
}

}  // namespace muster::placement
