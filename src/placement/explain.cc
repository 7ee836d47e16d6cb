#include "placement/explain.h"

#include <algorithm>

namespace muster::placement {
namespace {

struct Hold {
  uint32_t members = 0;  // an upper bound on the members not bound
  uint32_t short_kind = 0;
  int64_t missing = 0;  // of short_kind
};

using Counts = std::vector<int64_t>;  // per kind

Counts all_members(const Problem& problem) {
  Counts counts;
  for (const Kind& kind : problem.kinds) counts.push_back(kind.count);
  return counts;
}

Counts members_of(const Problem& problem, uint32_t node) {
  Counts counts(problem.kinds.size(), 0);
  std::vector<uint32_t> open{node};
  while (!open.empty()) {
    const Node& it = problem.nodes[open.back()];
    open.pop_back();
    for (const auto& direct : it.direct) counts[direct.kind] += static_cast<int64_t>(direct.members.size());
    open.insert(open.end(), it.children.begin(), it.children.end());
  }
  return counts;
}

Hold hold(Problem& problem, const Counts& counts, DomainId domain) {
  Hold result;
  for (uint32_t kind = 0; kind < problem.kinds.size(); ++kind) {
    const int64_t count = counts[kind];
    const int64_t room = std::min<int64_t>(count, problem.rooms(kind).domain(domain));
    result.members += static_cast<uint32_t>(room);
    if (count - room > result.missing) {
      result.missing = count - room;
      result.short_kind = kind;
    }
  }
  return result;
}

// What would have to become free for `missing` more members, on the hosts where that is least.
void find_shortage(Problem& problem, const Kind& kind, DomainId domain, int64_t missing, Miss& miss) {
  const ClusterState& state = problem.state;
  const ResourceId resource = *miss.resource;
  int64_t need = 0;
  for (const ResourceAmount& one : problem.demand(kind))
    if (one.resource == resource) need = std::min(one.amount, kMaxAmount);
  std::vector<int64_t> lacks;  // per usable host that has the room when it is empty: for the first member
  for (const HostIndex host : problem.topology.hosts(domain)) {
    if (problem.exclusion(kind, host) != Exclusion::kNone) continue;
    const int64_t free = std::max<int64_t>(state.free(host, resource), 0);
    const int64_t possible = state.allocatable(host, resource) / need - free / need;
    if (possible <= 0) continue;
    lacks.push_back(need - free % need);
  }
  std::sort(lacks.begin(), lacks.end());
  const auto first = std::min<std::size_t>(lacks.size(), static_cast<std::size_t>(missing));
  miss.short_hosts = static_cast<uint32_t>(first);
  miss.short_by = 0;
  const auto add = [&](int64_t amount, int64_t times) {
    int64_t part = 0;
    if (__builtin_mul_overflow(amount, times, &part) ||
        __builtin_add_overflow(miss.short_by, part, &miss.short_by))
      miss.short_by = INT64_MAX;
  };
  for (std::size_t i = 0; i < first; ++i) add(lacks[i], 1);
  add(need, missing - static_cast<int64_t>(first));
}

// The resource of which the usable hosts together hold the fewest members; among equals a device.
void find_binding_resource(Problem& problem, const Kind& kind, DomainId domain, int64_t missing, Miss& miss) {
  const ClusterState& state = problem.state;
  int64_t fewest = 0;
  for (const ResourceAmount& need : problem.demand(kind)) {
    if (need.amount <= 0) continue;
    int64_t members = 0;
    for (const HostIndex host : problem.topology.hosts(domain)) {
      if (problem.exclusion(kind, host) != Exclusion::kNone) continue;
      members += std::max<int64_t>(state.free(host, need.resource), 0) / need.amount;
    }
    const bool device = state.is_device(need.resource);
    const bool better = !miss.resource || members < fewest ||
                        (members == fewest && device && !state.is_device(*miss.resource));
    if (!better) continue;
    fewest = members;
    miss.resource = need.resource;
  }
  if (miss.resource) find_shortage(problem, kind, domain, missing, miss);
}

// The domain of a level that holds most; among equals the one with fewest hosts out of the question.
DomainId closest(Problem& problem, const Counts& counts, LevelId level, uint32_t& looked_at) {
  const DomainRange range = problem.topology.domains(level);
  DomainId best = kNoDomain;
  uint32_t most = 0;
  for (uint32_t i = range.first; i < range.last; ++i) {
    const auto domain = static_cast<DomainId>(i);
    if (!problem.holds_bound(domain)) continue;
    ++looked_at;
    const Hold it = hold(problem, counts, domain);
    if (best == kNoDomain || it.members > most) {
      best = domain;
      most = it.members;
    }
  }
  return best;
}

Miss measure(Problem& problem, const Counts& counts, DomainId domain, uint32_t bound, uint32_t wanted) {
  Miss miss;
  miss.domain = domain;
  miss.level = problem.topology.level_of(domain);
  const auto hosts = problem.topology.hosts(domain);
  miss.hosts = static_cast<uint32_t>(hosts.size());
  const Hold it = hold(problem, counts, domain);
  miss.holds = it.members + bound;
  miss.wanted = wanted;
  if (problem.kinds.empty()) return miss;
  const Kind& kind = problem.kinds[it.short_kind];
  miss.role = kind.role;
  for (const HostIndex host : hosts) ++miss.excluded[static_cast<std::size_t>(problem.exclusion(kind, host))];
  miss.excluded[0] = 0;
  if (it.missing > 0) {
    const bool one_kind = std::count_if(counts.begin(), counts.end(), [](int64_t n) { return n > 0; }) == 1;
    const int64_t missing = miss.wanted > miss.holds && one_kind ? miss.wanted - miss.holds : it.missing;
    find_binding_resource(problem, kind, domain, missing, miss);
  }
  return miss;
}

}  // namespace

Miss miss_in(Problem& problem, DomainId domain) {
  const auto bound = static_cast<uint32_t>(problem.bound_hosts.size());
  return measure(problem, all_members(problem), domain, bound, problem.needed + bound);
}

Miss miss_of(Problem& problem, uint32_t node, DomainId domain) {
  const Node& it = problem.nodes[node];
  return measure(problem, members_of(problem, node), domain, it.bound, it.minimum.value_or(it.total));
}

void blame_subgroup(Problem& problem, Reason& reason) {
  constexpr std::size_t kLooks = 200;
  for (uint32_t node = 1; node < std::min(problem.nodes.size(), kLooks); ++node) {
    const Node& it = problem.nodes[node];
    if ((it.level == kClusterLevel && !it.minimum) || it.bound > 0) continue;
    uint32_t looked_at = 0;
    const DomainId domain = closest(problem, members_of(problem, node), it.level, looked_at);
    if (domain == kNoDomain) continue;
    const Miss miss = miss_of(problem, node, domain);
    if (miss.holds >= miss.wanted) continue;
    reason.subgroup = subgroup_name(problem.request, it.subgroup);
    reason.nearest = {miss};
    return;
  }
}

Reason explain(Problem& problem, NoCode fallback) {
  Reason reason;
  reason.level = problem.required;
  reason.epoch = problem.state.epoch();
  reason.code = fallback;
  for (std::size_t i = problem.ladder.size(); i-- > 0;) {
    uint32_t looked_at = 0;
    const DomainId domain = closest(problem, all_members(problem), problem.ladder[i], looked_at);
    if (i + 1 == problem.ladder.size()) reason.domains = looked_at;
    if (domain != kNoDomain) reason.nearest.push_back(miss_in(problem, domain));
  }
  if (reason.nearest.empty() || reason.nearest.front().level != reason.level) {
    reason.code = NoCode::kNoHosts;
    return reason;
  }
  const Miss& front = reason.nearest.front();
  if (front.holds == problem.bound_hosts.size() && front.wanted > front.holds && !front.resource)
    reason.code = NoCode::kNoHosts;
  else if (front.holds < front.wanted)
    reason.code = problem.kinds.size() > 1 ? NoCode::kRole : NoCode::kMembers;
  return reason;
}

Reason explain_bound(Problem& problem, uint32_t node) {
  Reason reason;
  reason.code = NoCode::kBoundMembers;
  reason.epoch = problem.state.epoch();
  reason.level = problem.required;
  reason.subgroup = subgroup_name(problem.request, problem.nodes[node].subgroup);
  return reason;
}

}  // namespace muster::placement
