#include "group/limits.h"

#include <fmt/format.h>

#include "base/duration.h"

namespace muster::group {
namespace {

Result<void> check_minimum(std::string_view where, uint32_t minimum, const Limits& limits) {
  if (minimum <= limits.members_per_group) return {};
  return invalid("{}: {} is more than the {} members that a group may have here (limits.membersPerGroup)",
                 where, minimum, limits.members_per_group);
}

Result<void> check_subgroups(const std::vector<SubgroupSpec>& subgroups, const Limits& limits) {
  for (const SubgroupSpec& subgroup : subgroups) {
    if (auto fine =
            check_minimum("minMember of subgroup " + subgroup.name, subgroup.min_member.value_or(0), limits);
        !fine)
      return fine;
    if (auto fine = check_subgroups(subgroup.subgroups, limits); !fine) return fine;
  }
  return {};
}

}  // namespace

Result<void> check(const GroupSpec& spec, const Limits& limits) {
  if (auto fine = check_minimum("muster.dev/min-member", spec.min_member, limits); !fine) return fine;
  if (auto fine = check_subgroups(spec.subgroups, limits); !fine) return fine;
  if (spec.hold_timeout && *spec.hold_timeout > limits.longest_hold) {
    return invalid(
        "muster.dev/hold-timeout: {} is longer than the {} that a plan may be held here "
        "(limits.longestHold)",
        format_duration(*spec.hold_timeout), format_duration(limits.longest_hold));
  }
  return {};
}

Result<void> check_size(std::size_t members, std::size_t most) {
  if (members <= most) return {};
  return invalid(
      "muster.dev/group-name: the group has more than the {} members that it may have here "
      "(limits.membersPerGroup)",
      most);
}

Result<void> check_node_sets(std::size_t before, const Limits& limits) {
  if (before < limits.node_sets) return {};
  return invalid(
      "spec.nodeSelector, affinity or tolerations: members in this namespace have more than the {} different "
      "ones that they may have here (limits.perNamespace.nodeSets)",
      limits.node_sets);
}

bool reject_unless(const Result<void>& fine, Member& member) {
  if (!fine && member.spec) member.spec = tl::unexpected(fine.error());
  return fine.has_value();
}

std::optional<std::string> Allowance::refuse(const std::string& ns, std::size_t members) {
  Use& use = namespaces_[ns];
  if (++use.considered > limits_.waiting_groups) {
    return fmt::format(
        "more than {} groups of the namespace wait (limits.perNamespace.waitingGroups); this one is "
        "considered "
        "when others have gone",
        limits_.waiting_groups);
  }
  if (use.held + members > limits_.held_members && use.held > 0) {
    return fmt::format(
        "{} members of the namespace hold room that they do not use yet, and {} more would be beyond {} "
        "(limits.perNamespace.heldMembers)",
        use.held, members, limits_.held_members);
  }
  return std::nullopt;
}

}  // namespace muster::group
