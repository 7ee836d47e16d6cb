// Written against the words of the request alone: levels by name, members one by one, room added up per host.
// Nothing of the packers is used here, on purpose.
#include "muster/checker.h"

#include <algorithm>
#include <set>
#include <utility>

#include "placement/sums_by_host.h"

namespace muster {
namespace {

class Checker {
 public:
  Checker(const PlacementRequest& request, const std::vector<Assignment>& placement,
          const ClusterState& state)
      : request_(request), placement_(placement), state_(state), topology_(state.topology()) {}

  Result<void> run() {
    if (auto ok = check_members(); !ok) return ok;
    if (auto ok = check_room(); !ok) return ok;
    if (auto ok = check_claims(); !ok) return ok;
    if (auto ok = check_levels(); !ok) return ok;
    for (uint32_t i = 0; i < request_.subgroups.size(); ++i) {
      if (auto ok = check_exclusive(i); !ok) return ok;
      if (auto ok = check_slices(i); !ok) return ok;
    }
    return check_minima();
  }

 private:
  template <typename... Args>
  static tl::unexpected<Error> broken(fmt::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::kInternal, format, std::forward<Args>(args)...);
  }

  [[nodiscard]] bool below(uint32_t subgroup, uint32_t ancestor) const {
    while (subgroup != ancestor && subgroup != 0) subgroup = request_.subgroups[subgroup].parent;
    return subgroup == ancestor;
  }

  [[nodiscard]] OwnerId owner(uint32_t subgroup) const {
    while (request_.subgroups[subgroup].owner == kNoOwner && subgroup != 0)
      subgroup = request_.subgroups[subgroup].parent;
    return request_.subgroups[subgroup].owner;
  }

  // Where every member ends up; kNoHost for those left out.
  Result<void> check_members() {
    host_.reserve(request_.members.size());
    for (const Member& member : request_.members) host_.push_back(member.bound);
    std::set<std::pair<uint32_t, HostIndex>> refused;
    for (const Refusal& it : request_.refusals) refused.emplace(it.member, it.host);
    for (const Assignment& it : placement_) {
      if (it.member >= request_.members.size()) return broken("member {} does not exist", it.member);
      if (at(it.host) >= state_.host_count()) return broken("host {} does not exist", at(it.host));
      if (host_[it.member] != kNoHost) return broken("member {} has a host already", it.member);
      host_[it.member] = it.host;
      const Role& role = request_.roles[request_.members[it.member].role];
      if (state_.status(it.host) != Exclusion::kNone ||
          state_.exclusion(role.node_set, it.host) != Exclusion::kNone)
        return broken("member {} may not use {}", it.member, topology_.host_name(it.host));
      if (!refused.empty() && refused.count({it.member, it.host}) > 0)
        return broken("member {} was refused by {}", it.member, topology_.host_name(it.host));
    }
    return {};
  }

  // What a role takes of the resources asked for, by column of the sums.
  struct Need {
    std::size_t column = 0;
    ResourceId resource{};
    int64_t amount = 0;
    const int64_t* free = nullptr;
  };

  // Adds up member by member what each host gives.
  Result<void> check_room() const {
    std::vector<std::vector<Need>> needs(request_.roles.size());
    std::vector<std::size_t> column(state_.resource_count(), SIZE_MAX);
    std::size_t columns = 0;
    for (std::size_t role = 0; role < needs.size(); ++role) {
      for (const ResourceAmount& it : request_.roles[role].demand) {
        if (it.amount == 0) continue;
        if (column[at(it.resource)] == SIZE_MAX) column[at(it.resource)] = columns++;
        needs[role].push_back({column[at(it.resource)], it.resource, std::min(it.amount, kMaxAmount),
                               state_.free_column(it.resource).data()});
      }
    }
    SumsByHost sums(placement_, state_.host_count(), columns);
    for (const Assignment& it : placement_) {
      int64_t* taken = sums.of(it.host);
      for (const Need& need : needs[request_.members[it.member].role]) {
        taken[need.column] += need.amount;
        if (taken[need.column] > need.free[at(it.host)])
          return broken("{} has not enough {}", topology_.host_name(it.host),
                        state_.resource_name(need.resource));
      }
    }
    return {};
  }

  Result<void> check_claims() const {
    if (state_.claims().empty()) return {};
    for (const Assignment& it : placement_) {
      const uint32_t subgroup = request_.members[it.member].subgroup;
      for (const ClusterState::Claim& claim : state_.claims()) {
        if (is_own(subgroup, claim.owner)) continue;
        const DomainId domain = topology_.domain_of(it.host, claim.level);
        if (domain == kNoDomain) continue;
        for (const HostIndex host : hosts_of(domain))
          for (const auto& tenant : state_.tenants(host))
            if (tenant.owner == claim.owner)
              return broken("{} is claimed by another group", topology_.describe(domain));
      }
    }
    return {};
  }

  [[nodiscard]] std::vector<HostIndex> hosts_of(DomainId domain) const {
    if (topology_.level_of(domain) == topology_.host_level())
      return {static_cast<HostIndex>(at(domain) - (topology_.domain_count() - topology_.host_count()))};
    const auto span = topology_.hosts(domain);
    return {span.begin(), span.end()};
  }

  [[nodiscard]] bool is_own(uint32_t subgroup, OwnerId other) const {
    for (;; subgroup = request_.subgroups[subgroup].parent) {
      if (owner(subgroup) == other) return true;
      if (subgroup == 0) return false;
    }
  }

  // One pass over the members: each is looked at by every subgroup above it.
  Result<void> check_levels() const {
    std::vector<LevelId> levels(request_.subgroups.size(), kClusterLevel);
    bool any = false;
    for (uint32_t i = 0; i < levels.size(); ++i) {
      if (request_.subgroups[i].required.empty()) continue;
      const auto level = topology_.find_level(request_.subgroups[i].required);
      if (!level) return broken("{}", level.error().message);
      levels[i] = *level;
      any = any || *level != kClusterLevel;
    }
    if (!any) return {};
    std::vector<DomainId> common(levels.size(), kNoDomain);
    for (uint32_t m = 0; m < host_.size(); ++m) {
      if (host_[m] == kNoHost) continue;
      for (uint32_t i = request_.members[m].subgroup;; i = request_.subgroups[i].parent) {
        if (levels[i] != kClusterLevel) {
          const DomainId domain = topology_.domain_of(host_[m], levels[i]);
          if (domain == kNoDomain || (common[i] != kNoDomain && domain != common[i]))
            return broken("member {} is outside the subgroup's {}", m, request_.subgroups[i].required);
          common[i] = domain;
        }
        if (i == 0) break;
      }
    }
    return {};
  }

  Result<void> check_exclusive(uint32_t i) const {
    if (request_.subgroups[i].exclusive.empty()) return {};
    const auto level = topology_.find_level(request_.subgroups[i].exclusive);
    if (!level) return broken("{}", level.error().message);
    std::set<DomainId> mine;
    std::set<DomainId> fresh;  // that hold a member placed now: those of bound members are as they are
    std::set<DomainId> other_fresh;
    std::set<DomainId> other_bound;
    for (uint32_t m = 0; m < host_.size(); ++m) {
      if (host_[m] == kNoHost) continue;
      const DomainId domain = topology_.domain_of(host_[m], *level);
      const bool placed = request_.members[m].bound == kNoHost;
      if (below(request_.members[m].subgroup, i)) {
        mine.insert(domain);
        if (placed) fresh.insert(domain);
        if (placed && domain == kNoDomain) return broken("member {} is in no domain it could own", m);
      } else {
        (placed ? other_fresh : other_bound).insert(domain);
      }
    }
    for (const DomainId domain : other_fresh)
      if (domain != kNoDomain && mine.count(domain) > 0)
        return broken("{} is used exclusively by a subgroup", topology_.describe(domain));
    std::set<OwnerId> own;
    for (uint32_t s = 0; s < request_.subgroups.size(); ++s)
      if (below(s, i)) own.insert(owner(s));
    for (const DomainId domain : fresh) {
      if (other_bound.count(domain) > 0) return broken("{} is shared", topology_.describe(domain));
      for (const HostIndex host : hosts_of(domain))
        for (const auto& tenant : state_.tenants(host))
          if (own.count(tenant.owner) == 0) return broken("{} holds others", topology_.describe(domain));
    }
    return {};
  }

  Result<void> check_slices(uint32_t i) const {
    const auto& slices = request_.subgroups[i].slices;
    if (slices.empty()) return {};
    std::vector<std::pair<int64_t, uint32_t>> order;
    for (uint32_t m = 0; m < request_.members.size(); ++m)
      if (request_.members[m].subgroup == i) order.emplace_back(request_.members[m].rank, m);
    if (!std::is_sorted(order.begin(), order.end())) std::sort(order.begin(), order.end());
    bool by_rank = order.empty() || order.front().first >= 0;
    for (std::size_t k = 1; k < order.size(); ++k) by_rank = by_rank && order[k].first != order[k - 1].first;
    for (const Slice& slice : slices) {
      const auto level = topology_.find_level(slice.level);
      if (!level) return broken("{}", level.error().message);
      const auto key = [&](std::size_t k) {
        return (by_rank ? order[k].first : static_cast<int64_t>(k)) / slice.size;
      };
      // Keys never fall, so a slice is a run.
      for (std::size_t k = 0; k < order.size();) {
        const int64_t current = key(k);
        bool placed = false;
        bool left = false;
        bool begun = false;
        DomainId common = kNoDomain;
        for (; k < order.size() && key(k) == current; ++k) {
          const uint32_t m = order[k].second;
          if (request_.members[m].bound != kNoHost) begun = true;
          (host_[m] == kNoHost ? left : placed) = true;
          if (host_[m] == kNoHost) continue;
          const DomainId domain = topology_.domain_of(host_[m], *level);
          if (domain == kNoDomain || (common != kNoDomain && domain != common))
            return broken("member {} is outside the {} of its slice", m, slice.level);
          common = domain;
        }
        if (placed && left && !begun) return broken("slice {} is torn", current);
      }
    }
    return {};
  }

  Result<void> check_minima() const {
    std::vector<uint32_t> placed(request_.subgroups.size(), 0);
    std::vector<uint32_t> total(request_.subgroups.size(), 0);
    std::vector<uint32_t> standing(request_.subgroups.size(), 0);
    for (uint32_t m = 0; m < host_.size(); ++m) {
      ++total[request_.members[m].subgroup];
      if (host_[m] != kNoHost) ++placed[request_.members[m].subgroup];
    }
    const std::vector<bool> holds = holding();
    for (uint32_t i = static_cast<uint32_t>(request_.subgroups.size()); i-- > 0;) {
      const SubGroup& it = request_.subgroups[i];
      const uint32_t wanted = it.minimum.value_or(i == 0 && !it.min_subgroups ? total[i] : 0);
      const bool reached = placed[i] >= wanted && standing[i] >= it.min_subgroups.value_or(0);
      const bool obliged = i == 0 || (!request_.subgroups[it.parent].min_subgroups && holds[it.parent]);
      if (!reached && (placed[i] > 0 || (obliged && (wanted > 0 || it.min_subgroups.value_or(0) > 0))))
        return broken("subgroup {} holds {} of {}", i, placed[i], wanted);
      if (i == 0) break;
      // One without members stands only where its minimum asks for none.
      if (reached && placed[i] >= it.minimum.value_or(std::max(total[i], 1U))) ++standing[it.parent];
      placed[it.parent] += placed[i];
      total[it.parent] += total[i];
    }
    return {};
  }

  // Per subgroup: whether a member at or below it has a host. A subgroup that holds nothing obliges none of
  // its subgroups.
  [[nodiscard]] std::vector<bool> holding() const {
    std::vector<bool> holds(request_.subgroups.size(), false);
    holds[0] = true;
    for (uint32_t m = 0; m < host_.size(); ++m) {
      if (host_[m] == kNoHost) continue;
      for (uint32_t i = request_.members[m].subgroup; !holds[i]; i = request_.subgroups[i].parent)
        holds[i] = true;
    }
    return holds;
  }

  const PlacementRequest& request_;
  const std::vector<Assignment>& placement_;
  const ClusterState& state_;
  const Topology& topology_;
  std::vector<HostIndex> host_;
};

}  // namespace

Result<void> check_placement(const PlacementRequest& request, const std::vector<Assignment>& placement,
                             const ClusterState& state) {
  return Checker(request, placement, state).run();
}

}  // namespace muster
