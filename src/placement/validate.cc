#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "muster/request.h"

namespace muster {
namespace {

std::string key_path(const PlacementRequest& request, uint32_t subgroup, std::string_view key) {
  std::string path = subgroup_path(request, subgroup);
  if (!path.empty()) path += '.';
  path += key;
  return path;
}

struct Levels {
  LevelId required = kClusterLevel;
  LevelId preferred = kClusterLevel;
  LevelId exclusive = kClusterLevel;
};

class Validator {
 public:
  Validator(const PlacementRequest& request, const ClusterState& state)
      : request_(request), state_(state), topology_(state.topology()) {}

  Result<void> run() {
    if (auto ok = check_limits(); !ok) return ok;
    if (auto ok = check_tree(); !ok) return ok;
    if (auto ok = check_roles(); !ok) return ok;
    if (auto ok = check_members(); !ok) return ok;
    levels_.resize(request_.subgroups.size());
    for (uint32_t i = 0; i < request_.subgroups.size(); ++i) {
      if (auto ok = check_levels(i); !ok) return ok;
      if (auto ok = check_slices(i); !ok) return ok;
      if (auto ok = check_minimum(i); !ok) return ok;
    }
    return check_one_tree();
  }

 private:
  [[nodiscard]] std::string path(uint32_t subgroup, std::string_view key) const {
    return key_path(request_, subgroup, key);
  }

  Result<void> check_limits() const {
    if (request_.subgroups.empty()) return invalid("subgroups: the group itself is missing");
    if (request_.subgroups.size() > kMaxSubGroups)
      return invalid("subgroups: {}, at most {}", request_.subgroups.size() - 1, kMaxSubGroups - 1);
    if (request_.members.size() > kMaxMembers)
      return invalid("members: {}, at most {}", request_.members.size(), kMaxMembers);
    if (request_.members.empty()) return invalid("members: the group has none");
    return {};
  }

  // Parents come before their children, so depth and totals are one pass.
  Result<void> check_tree() {
    std::vector<uint32_t> depth(request_.subgroups.size(), 0);
    children_.assign(request_.subgroups.size(), 0);
    for (uint32_t i = 1; i < request_.subgroups.size(); ++i) {
      const SubGroup& it = request_.subgroups[i];
      if (it.parent >= i) return invalid("subgroups[{}].parent: {} is not an earlier subgroup", i, it.parent);
      depth[i] = depth[it.parent] + 1;
      ++children_[it.parent];
      if (depth[i] > kMaxDepth)
        return invalid("{}: nested deeper than {}", subgroup_path(request_, i), kMaxDepth);
    }
    return {};
  }

  Result<void> check_roles() const {
    for (std::size_t i = 0; i < request_.roles.size(); ++i) {
      const Role& role = request_.roles[i];
      if (at(role.node_set) >= state_.node_set_count())
        return invalid("roles[{}]: unknown node set {}", i, at(role.node_set));
      for (std::size_t k = 0; k < role.demand.size(); ++k) {
        const ResourceAmount& need = role.demand[k];
        if (at(need.resource) >= state_.resource_count())
          return invalid("roles[{}]: unknown resource {}", i, at(need.resource));
        if (need.amount < 0)
          return invalid("roles[{}].{}: {} is negative", i, state_.resource_name(need.resource), need.amount);
        for (std::size_t other = 0; other < k; ++other)
          if (role.demand[other].resource == need.resource)
            return invalid("roles[{}].{}: given twice", i, state_.resource_name(need.resource));
      }
    }
    return {};
  }

  Result<void> check_members() {
    total_.assign(request_.subgroups.size(), 0);
    bound_.assign(request_.subgroups.size(), 0);
    for (std::size_t i = 0; i < request_.members.size(); ++i) {
      const Member& member = request_.members[i];
      if (member.role >= request_.roles.size())
        return invalid("members[{}]: unknown role {}", i, member.role);
      if (member.subgroup >= request_.subgroups.size())
        return invalid("members[{}]: unknown subgroup {}", i, member.subgroup);
      if (member.bound != kNoHost && at(member.bound) >= state_.host_count())
        return invalid("members[{}]: unknown host {}", i, at(member.bound));
      ++total_[member.subgroup];
      if (member.bound != kNoHost) ++bound_[member.subgroup];
    }
    for (uint32_t i = static_cast<uint32_t>(request_.subgroups.size()); i-- > 1;) {
      total_[request_.subgroups[i].parent] += total_[i];
      bound_[request_.subgroups[i].parent] += bound_[i];
    }
    able_.assign(request_.subgroups.size(), 0);
    for (uint32_t i = static_cast<uint32_t>(request_.subgroups.size()); i-- > 1;) {
      const SubGroup& it = request_.subgroups[i];
      if (total_[i] >= it.minimum.value_or(1) && able_[i] >= it.min_subgroups.value_or(0)) ++able_[it.parent];
    }
    for (const Refusal& refusal : request_.refusals)
      if (refusal.member >= request_.members.size() || at(refusal.host) >= state_.host_count())
        return invalid("refusals: unknown member {} or host {}", refusal.member, at(refusal.host));
    return {};
  }

  Result<LevelId> level(uint32_t subgroup, std::string_view key, const std::string& name) const {
    if (name.empty()) return kClusterLevel;
    auto found = topology_.find_level(name);
    if (!found) return invalid("{}: {}", path(subgroup, key), found.error().message);
    return found;
  }

  Result<void> check_levels(uint32_t i) {
    const SubGroup& it = request_.subgroups[i];
    const auto required = level(i, "topologyRequired", it.required);
    if (!required) return tl::unexpected(required.error());
    const auto preferred = level(i, "topologyPreferred", it.preferred);
    if (!preferred) return tl::unexpected(preferred.error());
    const auto exclusive = level(i, "exclusive", it.exclusive);
    if (!exclusive) return tl::unexpected(exclusive.error());
    levels_[i] = {*required, *preferred, *exclusive};
    if (!it.preferred.empty() && !topology_.nests(*required, *preferred))
      return invalid("{}: level \"{}\" is above or beside topologyRequired \"{}\"",
                     path(i, "topologyPreferred"), it.preferred, it.required);
    if (auto ok = check_exclusive(i); !ok) return ok;
    if (auto ok = check_below_ancestors(i, "topologyRequired", it.required, *required); !ok) return ok;
    return check_below_ancestors(i, "topologyPreferred", it.preferred, *preferred);
  }

  Result<void> check_exclusive(uint32_t i) const {
    const LevelId exclusive = levels_[i].exclusive;
    for (uint32_t up = i; exclusive != kClusterLevel && up != 0;) {
      up = request_.subgroups[up].parent;
      const LevelId above = levels_[up].required;
      if (above == kClusterLevel || !topology_.nests(exclusive, above)) continue;
      return invalid("{}: level \"{}\" is not finer than \"{}\", which {} requires", path(i, "exclusive"),
                     request_.subgroups[i].exclusive, request_.subgroups[up].required,
                     up == 0 ? "the group" : subgroup_path(request_, up));
    }
    return {};
  }

  Result<void> check_below_ancestors(uint32_t i, std::string_view key, const std::string& name,
                                     LevelId level) const {
    for (uint32_t up = i; level != kClusterLevel && up != 0;) {
      up = request_.subgroups[up].parent;
      const LevelId above = levels_[up].required;
      if (above == kClusterLevel) continue;
      if (topology_.nests(level, above) && level != above)
        return invalid("{}: level \"{}\" is coarser than \"{}\", which {} requires", path(i, key), name,
                       request_.subgroups[up].required, up == 0 ? "the group" : subgroup_path(request_, up));
    }
    return {};
  }

  Result<void> check_slices(uint32_t i) {
    const SubGroup& it = request_.subgroups[i];
    if (it.slices.empty()) return {};
    if (children_[i] > 0)
      return invalid("{}: a subgroup with subgroups below cannot be sliced; slice those", path(i, "slices"));
    LevelId above = levels_[i].required;
    for (std::size_t k = 0; k < it.slices.size(); ++k) {
      const Slice& slice = it.slices[k];
      if (slice.size == 0) return invalid("{}: size 0 of {}@{}", path(i, "slices"), slice.size, slice.level);
      if (slice.level.empty()) return invalid("{}: {}@ names no level", path(i, "slices"), slice.size);
      const auto found = level(i, "slices", slice.level);
      if (!found) return tl::unexpected(found.error());
      if (k > 0 && it.slices[k - 1].size % slice.size != 0)
        return invalid("{}: {} does not divide {}", path(i, "slices"), slice.size, it.slices[k - 1].size);
      const bool finer = topology_.nests(above, *found) && (k == 0 || *found != above);
      if (!finer)
        return invalid("{}: level \"{}\" is not below the level before it", path(i, "slices"), slice.level);
      if (auto ok = check_below_ancestors(i, "slices", slice.level, *found); !ok) return ok;
      above = *found;
      slice_levels_.push_back({i, *found});
    }
    // A begun group is completed member by member, so only a fresh one has to come in whole slices.
    const uint32_t size = it.slices.front().size;
    const bool has_minimum = it.minimum.has_value();
    const uint32_t whole = has_minimum ? *it.minimum : total_[i];
    if (!it.begun && bound_[i] == 0 && whole % size != 0)
      return invalid("{}: {} does not divide {} {}", path(i, "slices"), size,
                     has_minimum ? "minMember" : "the number of members", whole);
    return {};
  }

  Result<void> check_minimum(uint32_t i) const {
    const SubGroup& it = request_.subgroups[i];
    const bool optional = i > 0 && request_.subgroups[it.parent].min_subgroups.has_value();
    if (it.minimum && *it.minimum > total_[i] && !optional)
      return invalid("{}: {} is more than the {} members", path(i, "minMember"), *it.minimum, total_[i]);
    if (it.min_subgroups && *it.min_subgroups > children_[i])
      return invalid("{}: {} is more than the {} subgroups", path(i, "minSubgroups"), *it.min_subgroups,
                     children_[i]);
    if (it.min_subgroups && *it.min_subgroups > able_[i])
      return invalid("{}: {} is more than the {} subgroups with enough members", path(i, "minSubgroups"),
                     *it.min_subgroups, able_[i]);
    return {};
  }

  // Below the group itself all levels come from one tree, so that subgroups and slices nest.
  Result<void> check_one_tree() const {
    std::optional<std::size_t> tree;
    std::string first;
    const auto add = [&](uint32_t i, std::string_view key, LevelId level) -> Result<void> {
      if (level == kClusterLevel || level == topology_.host_level()) return {};
      if (!tree) {
        tree = topology_.tree(level);
        first = path(i, key);
      }
      if (*tree != topology_.tree(level))
        return invalid("{}: level \"{}\" is of another tree than {}", path(i, key),
                       topology_.level_name(level), first);
      return {};
    };
    for (uint32_t i = 0; i < levels_.size(); ++i) {
      if (auto ok = add(i, "exclusive", levels_[i].exclusive); !ok) return ok;
      if (i == 0) continue;
      if (auto ok = add(i, "topologyRequired", levels_[i].required); !ok) return ok;
      if (auto ok = add(i, "topologyPreferred", levels_[i].preferred); !ok) return ok;
    }
    for (const auto& [subgroup, level] : slice_levels_)
      if (auto ok = add(subgroup, "slices", level); !ok) return ok;
    return {};
  }

  const PlacementRequest& request_;
  const ClusterState& state_;
  const Topology& topology_;
  std::vector<uint32_t> children_;
  std::vector<uint32_t> able_;  // children that can stand, as far as their members' number tells
  std::vector<uint32_t> total_;
  std::vector<uint32_t> bound_;
  std::vector<Levels> levels_;
  struct SliceLevel {
    uint32_t subgroup;
    LevelId level;
  };
  std::vector<SliceLevel> slice_levels_;
};

}  // namespace

bool is_within(const PlacementRequest& request, uint32_t subgroup, uint32_t ancestor) {
  while (subgroup != ancestor && subgroup != 0) subgroup = request.subgroups[subgroup].parent;
  return subgroup == ancestor;
}

std::string subgroup_path(const PlacementRequest& request, uint32_t subgroup) {
  std::string path;
  for (std::size_t depth = 0; subgroup != 0 && subgroup < request.subgroups.size() && depth <= kMaxDepth;
       ++depth) {
    const SubGroup& it = request.subgroups[subgroup];
    path = path.empty() ? "subgroups." + it.name : "subgroups." + it.name + "." + path;
    if (it.parent >= subgroup) break;
    subgroup = it.parent;
  }
  return path;
}

std::string subgroup_name(const PlacementRequest& request, uint32_t subgroup) {
  std::string name;
  for (std::size_t depth = 0; subgroup != 0 && subgroup < request.subgroups.size() && depth <= kMaxDepth;
       ++depth) {
    const SubGroup& it = request.subgroups[subgroup];
    name = name.empty() ? it.name : it.name + "/" + name;
    if (it.parent >= subgroup) break;
    subgroup = it.parent;
  }
  return name;
}

Result<void> validate(const PlacementRequest& request, const ClusterState& state) {
  return Validator(request, state).run();
}

}  // namespace muster
