#include "oracle.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_set>

#include "muster/checker.h"

namespace muster::test {
namespace {

// A scope: members that have to share a domain of a level.
struct Scope {
  LevelId level;
  DomainId domain = kNoDomain;
  uint32_t users = 0;
};

class Exhaustive {
 public:
  Exhaustive(const PlacementRequest& request, const ClusterState& state, uint64_t limit)
      : request_(request), state_(state), topology_(state.topology()), limit_(limit) {
    for (std::size_t h = 0; h < state.host_count(); ++h)
      for (std::size_t r = 0; r < state.resource_count(); ++r)
        free_.push_back(state.free(static_cast<HostIndex>(h), static_cast<ResourceId>(r)));
    scopes_of_.resize(request.members.size());
    add_scopes();
    for (uint32_t m = 0; m < request.members.size(); ++m)
      if (request.members[m].bound == kNoHost) order_.push_back(m);
    // Members that are alike stand together, so that only one order of them is tried.
    std::stable_sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
      return std::tuple(request.members[a].role, scopes_of_[a], request.members[a].subgroup) <
             std::tuple(request.members[b].role, scopes_of_[b], request.members[b].subgroup);
    });
    exclusive_ = std::any_of(request.subgroups.begin(), request.subgroups.end(),
                             [](const SubGroup& s) { return !s.exclusive.empty(); });
    sliced_ = std::any_of(request.subgroups.begin(), request.subgroups.end(),
                          [](const SubGroup& s) { return !s.slices.empty(); });
    left_out_.assign(request.subgroups.size(), 0);
    slack_ = slack();
  }

  OracleAnswer run() {
    OracleAnswer answer;
    for (uint32_t m = 0; m < request_.members.size(); ++m) {
      if (request_.members[m].bound == kNoHost) continue;
      if (!enter(m, request_.members[m].bound)) {
        answer.known = true;
        return answer;
      }
    }
    const bool found = descend(0);
    answer.known = nodes_ <= limit_;
    if (found) {
      answer.known = true;
      answer.placement = placement_;
    }
    return answer;
  }

 private:
  [[nodiscard]] uint32_t slack() const {
    uint32_t total = static_cast<uint32_t>(request_.members.size());
    return total - request_.subgroups[0].minimum.value_or(request_.subgroups[0].min_subgroups ? 0 : total);
  }

  void add_scopes() {
    const auto add = [&](const std::string& level, const std::vector<uint32_t>& members) {
      for (const uint32_t m : members) scopes_of_[m].push_back(static_cast<uint32_t>(scopes_.size()));
      scopes_.push_back({*topology_.find_level(level)});
    };
    for (uint32_t s = 0; s < request_.subgroups.size(); ++s) {
      const SubGroup& it = request_.subgroups[s];
      std::vector<uint32_t> members;
      std::vector<uint32_t> direct;
      for (uint32_t m = 0; m < request_.members.size(); ++m) {
        uint32_t up = request_.members[m].subgroup;
        if (up == s) direct.push_back(m);
        while (up != s && up != 0) up = request_.subgroups[up].parent;
        if (up == s) members.push_back(m);
      }
      if (!it.required.empty()) add(it.required, members);
      std::stable_sort(direct.begin(), direct.end(), [&](uint32_t a, uint32_t b) {
        return request_.members[a].rank < request_.members[b].rank;
      });
      std::set<int64_t> ranks;
      for (const uint32_t m : direct) ranks.insert(request_.members[m].rank);
      const bool by_rank = ranks.size() == direct.size() && (ranks.empty() || *ranks.begin() >= 0);
      for (const Slice& slice : it.slices) {
        std::map<int64_t, std::vector<uint32_t>> slices;
        for (std::size_t i = 0; i < direct.size(); ++i) {
          const int64_t rank = by_rank ? request_.members[direct[i]].rank : static_cast<int64_t>(i);
          slices[rank / slice.size].push_back(direct[i]);
        }
        for (const auto& [key, of] : slices) add(slice.level, of);
      }
    }
  }

  bool enter(uint32_t m, HostIndex host) {
    for (std::size_t i = 0; i < scopes_of_[m].size(); ++i) {
      Scope& scope = scopes_[scopes_of_[m][i]];
      const DomainId domain = topology_.domain_of(host, scope.level);
      if (domain == kNoDomain || (scope.users > 0 && scope.domain != domain)) {
        while (i-- > 0) --scopes_[scopes_of_[m][i]].users;
        return false;
      }
      scope.domain = domain;
      ++scope.users;
    }
    return true;
  }
  void leave(uint32_t m) {
    for (const uint32_t scope : scopes_of_[m]) --scopes_[scope].users;
  }

  bool charge(uint32_t m, HostIndex host) {
    const Role& role = request_.roles[request_.members[m].role];
    const std::size_t base = at(host) * state_.resource_count();
    for (const ResourceAmount& need : role.demand)
      if (need.amount > 0 && free_[base + at(need.resource)] < need.amount) return false;
    for (const ResourceAmount& need : role.demand) free_[base + at(need.resource)] -= need.amount;
    return true;
  }
  void uncharge(uint32_t m, HostIndex host) {
    const std::size_t base = at(host) * state_.resource_count();
    for (const ResourceAmount& need : request_.roles[request_.members[m].role].demand)
      free_[base + at(need.resource)] += need.amount;
  }

  [[nodiscard]] bool may(uint32_t m, HostIndex host) const {
    if (state_.exclusion(request_.roles[request_.members[m].role].node_set, host) != Exclusion::kNone)
      return false;
    return std::none_of(request_.refusals.begin(), request_.refusals.end(),
                        [&](const Refusal& r) { return r.member == m && r.host == host; });
  }

  [[nodiscard]] bool alike(uint32_t a, uint32_t b) const {
    return request_.members[a].role == request_.members[b].role && scopes_of_[a] == scopes_of_[b] &&
           request_.members[a].subgroup == request_.members[b].subgroup && request_.refusals.empty();
  }

  [[nodiscard]] std::string key(std::size_t index) const {
    std::string key(reinterpret_cast<const char*>(&index), 1);
    for (const int64_t free : free_) key.append(reinterpret_cast<const char*>(&free), 2);
    for (const Scope& scope : scopes_) {
      const DomainId domain = scope.users > 0 ? scope.domain : kNoDomain;
      key.append(reinterpret_cast<const char*>(&domain), 4);
    }
    for (const uint32_t out : left_out_) key.append(reinterpret_cast<const char*>(&out), 1);
    const HostIndex last = index > 0 ? last_ : kNoHost;
    key.append(reinterpret_cast<const char*>(&last), 4);
    return key;
  }

  bool descend(std::size_t index) {
    if (++nodes_ > limit_) return false;
    if (index == order_.size())
      return (order_.empty() || !placement_.empty()) &&
             check_placement(request_, placement_, state_).has_value();
    const uint32_t m = order_[index];
    const bool same = index > 0 && alike(m, order_[index - 1]);
    const HostIndex floor = same ? last_ : HostIndex{0};
    const HostIndex last_before = last_;
    if (!same) last_ = HostIndex{0};
    // The memory knows nothing of which member of a slice was left out or who shares a host.
    const bool memory = !exclusive_ && !(sliced_ && slack_ > 0);
    const std::string state = memory ? key(index) : std::string();
    if (memory && dead_.count(state) > 0) {
      last_ = last_before;
      return false;
    }
    if (floor != kNoHost) {
      for (std::size_t h = at(floor); h < state_.host_count(); ++h) {
        const auto host = static_cast<HostIndex>(h);
        if (!may(m, host) || !charge(m, host)) continue;
        if (enter(m, host)) {
          placement_.push_back({m, host});
          last_ = host;
          if (descend(index + 1)) return true;
          placement_.pop_back();
          leave(m);
        }
        uncharge(m, host);
      }
    }
    if (slack_ > 0) {
      --slack_;
      ++left_out_[request_.members[m].subgroup];
      // Of alike members those left out come last, except in slices, where which one matters.
      last_ = sliced_ ? floor : kNoHost;
      if (descend(index + 1)) return true;
      --left_out_[request_.members[m].subgroup];
      ++slack_;
    }
    last_ = last_before;
    if (memory) dead_.insert(state);
    return false;
  }

  const PlacementRequest& request_;
  const ClusterState& state_;
  const Topology& topology_;
  uint64_t limit_;
  uint64_t nodes_ = 0;
  std::vector<int64_t> free_;
  std::vector<Scope> scopes_;
  std::vector<std::vector<uint32_t>> scopes_of_;
  std::vector<uint32_t> order_;
  std::vector<Assignment> placement_;
  HostIndex last_{0};
  bool exclusive_ = false;
  bool sliced_ = false;
  uint32_t slack_ = 0;
  std::vector<uint32_t> left_out_;
  std::unordered_set<std::string> dead_;
};

}  // namespace

OracleAnswer exhaustive(const PlacementRequest& request, const ClusterState& state, uint64_t limit) {
  return Exhaustive(request, state, limit).run();
}

std::vector<uint32_t> span_of(const std::vector<Assignment>& placement, const PlacementRequest& request,
                              const ClusterState& state) {
  std::vector<uint32_t> span;
  const std::string& required = request.subgroups[0].required;
  const LevelId from = required.empty() ? kClusterLevel : *state.topology().find_level(required);
  const auto levels = state.topology().tree_levels(0);
  for (std::size_t i = 1; i < levels.size(); ++i) {
    if (!state.topology().nests(from, levels[i])) continue;
    std::set<DomainId> touched;
    for (const Assignment& it : placement)
      if (const DomainId d = state.topology().domain_of(it.host, levels[i]); d != kNoDomain)
        touched.insert(d);
    span.push_back(static_cast<uint32_t>(touched.size()));
  }
  return span;
}

// Every subset of hosts with enough room, of those in one domain of the required level.
std::optional<std::vector<uint32_t>> least_span(const PlacementRequest& request, const ClusterState& state) {
  const Topology& topology = state.topology();
  const std::string& required = request.subgroups[0].required;
  const LevelId level = required.empty() ? kClusterLevel : *topology.find_level(required);
  std::optional<std::vector<uint32_t>> best;
  for (uint32_t set = 1; set < (1U << state.host_count()); ++set) {
    int64_t room = 0;
    DomainId common = kNoDomain;
    bool one = true;
    std::vector<Assignment> touched;
    for (uint32_t h = 0; h < state.host_count(); ++h) {
      if ((set >> h & 1U) == 0) continue;
      const HostIndex host{h};
      const Role& role = request.roles[0];
      int64_t fits = 1 << 20;
      for (const ResourceAmount& need : role.demand)
        if (need.amount > 0)
          fits = std::min(fits, std::max<int64_t>(0, state.free(host, need.resource)) / need.amount);
      if (state.exclusion(role.node_set, host) != Exclusion::kNone) fits = 0;
      one = one && fits > 0;
      room += fits;
      const DomainId domain = topology.domain_of(host, level);
      one = one && domain != kNoDomain && (common == kNoDomain || common == domain);
      common = domain;
      touched.push_back({0, host});
    }
    if (!one || room < static_cast<int64_t>(request.members.size()) ||
        touched.size() > request.members.size())
      continue;
    const auto span = span_of(touched, request, state);
    if (!best || span < *best) best = span;
  }
  return best;
}

}  // namespace muster::test
