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
    present_.assign(state.host_count(), 0);
    for (std::size_t i = 0; i < free_.size(); ++i) {
      const auto resource = static_cast<ResourceId>(i % state.resource_count());
      const bool asked = std::any_of(request.roles.begin(), request.roles.end(), [&](const Role& role) {
        return std::any_of(role.demand.begin(), role.demand.end(), [&](const ResourceAmount& need) {
          return need.resource == resource && need.amount > 0;
        });
      });
      if (asked) asked_.push_back(i);
    }
    for (const SubGroup& s : request.subgroups)
      exclusive_level_.push_back(s.exclusive.empty() ? kClusterLevel : *topology_.find_level(s.exclusive));
    add_owed();
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

  // Subgroups that have to reach a minimum in any case: those of which no subgroup above may do without.
  void add_owed() {
    const auto& groups = request_.subgroups;
    for (uint32_t s = 0; s < groups.size(); ++s) {
      members_of_.push_back(0);
      bool owed = groups[s].minimum.has_value();
      for (uint32_t up = s; up != 0; up = groups[up].parent) {
        const SubGroup& above = groups[groups[up].parent];
        owed = owed && !above.min_subgroups && (groups[up].parent == 0 || above.minimum.value_or(0) > 0);
      }
      owed_.push_back(owed);
      for (const Member& member : request_.members) {
        uint32_t up = member.subgroup;
        while (up != s && up != 0) up = groups[up].parent;
        if (up == s) ++members_of_.back();
      }
    }
  }

  // Whether leaving out what is left out leaves enough for each minimum that is owed.
  [[nodiscard]] bool enough_left() const {
    for (uint32_t s = 1; s < owed_.size(); ++s) {
      if (!owed_[s]) continue;
      uint32_t out = 0;
      for (uint32_t m = 0; m < request_.members.size(); ++m) {
        if ((which_left_out_ >> m & 1U) == 0) continue;
        uint32_t up = request_.members[m].subgroup;
        while (up != s && up != 0) up = request_.subgroups[up].parent;
        if (up == s) ++out;
      }
      if (members_of_[s] - out < *request_.subgroups[s].minimum) return false;
    }
    return true;
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

  [[nodiscard]] bool below(uint32_t m, uint32_t subgroup) const {
    uint32_t up = request_.members[m].subgroup;
    while (up != subgroup && up != 0) up = request_.subgroups[up].parent;
    return up == subgroup;
  }

  // Nobody from inside an exclusive subgroup and from outside in one domain of its level.
  [[nodiscard]] bool alone(uint32_t m, HostIndex host) const {
    for (uint32_t s = 0; exclusive_ && s < request_.subgroups.size(); ++s) {
      if (request_.subgroups[s].exclusive.empty()) continue;
      const LevelId level = exclusive_level_[s];
      const DomainId domain = topology_.domain_of(host, level);
      if (domain == kNoDomain) continue;
      const auto clashes = [&](uint32_t other, HostIndex where) {
        return topology_.domain_of(where, level) == domain && below(other, s) != below(m, s);
      };
      for (const Assignment& it : placement_)
        if (clashes(it.member, it.host)) return false;
      for (uint32_t other = 0; other < request_.members.size(); ++other)
        if (const HostIndex where = request_.members[other].bound; where != kNoHost && clashes(other, where))
          return false;
    }
    return true;
  }

  [[nodiscard]] bool alike(uint32_t a, uint32_t b) const {
    return request_.members[a].role == request_.members[b].role && scopes_of_[a] == scopes_of_[b] &&
           request_.members[a].subgroup == request_.members[b].subgroup && request_.refusals.empty();
  }

  [[nodiscard]] std::string key(std::size_t index) const {
    std::string key(reinterpret_cast<const char*>(&index), 1);
    for (const std::size_t i : asked_) key.append(reinterpret_cast<const char*>(&free_[i]), 2);
    for (const Scope& scope : scopes_) {
      const DomainId domain = scope.users > 0 ? scope.domain : kNoDomain;
      key.append(reinterpret_cast<const char*>(&domain), 4);
    }
    if (sliced_)
      key.append(reinterpret_cast<const char*>(&which_left_out_), sizeof which_left_out_);
    else
      for (const uint32_t out : left_out_) key.append(reinterpret_cast<const char*>(&out), 1);
    if (exclusive_) key.append(reinterpret_cast<const char*>(present_.data()), present_.size());
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
    const std::string state = key(index);
    if (dead_.count(state) > 0) {
      last_ = last_before;
      return false;
    }
    if (floor != kNoHost) {
      for (std::size_t h = at(floor); h < state_.host_count(); ++h) {
        const auto host = static_cast<HostIndex>(h);
        if (!may(m, host) || !alone(m, host) || !charge(m, host)) continue;
        if (enter(m, host)) {
          placement_.push_back({m, host});
          last_ = host;
          uint8_t& here = present_[at(host)];
          const uint8_t before = here;
          here = static_cast<uint8_t>(here | 1U << request_.members[m].subgroup);
          if (descend(index + 1)) return true;
          here = before;
          placement_.pop_back();
          leave(m);
        }
        uncharge(m, host);
      }
    }
    if (slack_ > 0) {
      --slack_;
      ++left_out_[request_.members[m].subgroup];
      which_left_out_ ^= 1U << m;
      // Of alike members those left out come last, except in slices, where which one matters.
      last_ = sliced_ ? floor : kNoHost;
      if (enough_left() && descend(index + 1)) return true;
      --left_out_[request_.members[m].subgroup];
      which_left_out_ ^= 1U << m;
      ++slack_;
    }
    last_ = last_before;
    dead_.insert(state);
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
  std::vector<LevelId> exclusive_level_;  // per subgroup
  bool sliced_ = false;
  uint32_t slack_ = 0;
  // What the rest of the search depends on, beside room and scopes: how many of each subgroup are left out
  // (which ones, where there are slices) and which subgroups are on each host (where one is exclusive).
  std::vector<uint32_t> left_out_;
  uint32_t which_left_out_ = 0;
  std::vector<std::size_t> asked_;  // entries of free_ that some role needs
  std::vector<bool> owed_;          // per subgroup
  std::vector<uint32_t> members_of_;
  std::vector<uint8_t> present_;
  std::unordered_set<std::string> dead_;
};

}  // namespace

OracleAnswer exhaustive(const PlacementRequest& request, const ClusterState& state, uint64_t limit) {
  return Exhaustive(request, state, limit).run();
}

}  // namespace muster::test
