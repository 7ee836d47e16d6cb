#include "group/spec.h"

#include <fmt/format.h>

#include <algorithm>

namespace muster::group {
namespace {

std::string text(const std::string& level) { return level.empty() ? "not set" : level; }
std::string text(const std::optional<Duration>& duration) {
  return duration ? fmt::format("{} ms", duration->count()) : "not set";
}
std::string text(FailurePolicy policy) { return std::string(to_string(policy)); }
std::string text(bool obeyed) { return obeyed ? "Obey" : "Ignore"; }
std::string text(uint32_t number) { return fmt::to_string(number); }
std::string text(const std::vector<SliceSpec>& slices) {
  std::string all;
  for (const SliceSpec& slice : slices)
    all += fmt::format("{}{}@{}", all.empty() ? "" : ",", slice.size, slice.level);
  return text(all);
}

template <typename T>
std::string compare(const char* key, const T& here, const T& there) {
  return here == there ? "" : fmt::format("muster.dev/{}: {} here, {} there", key, text(here), text(there));
}

}  // namespace

std::string difference(const GroupSpec& here, const GroupSpec& there) {
  std::string found = compare("min-member", here.min_member, there.min_member);
  if (found.empty()) found = compare("topology-required", here.topology_required, there.topology_required);
  if (found.empty()) found = compare("topology-preferred", here.topology_preferred, there.topology_preferred);
  if (found.empty()) found = compare("slices", here.slices, there.slices);
  if (found.empty()) found = compare("hold-timeout", here.hold_timeout, there.hold_timeout);
  if (found.empty()) found = compare("failure-policy", here.failure_policy, there.failure_policy);
  if (found.empty()) found = compare("failure-grace", here.failure_grace, there.failure_grace);
  if (found.empty()) found = compare("disruption-budgets", here.obey_budgets, there.obey_budgets);
  if (found.empty() && here != there) found = "muster.dev/group-spec differs";
  return found;
}

std::string_view to_string(FailurePolicy policy) {
  switch (policy) {
    case FailurePolicy::kRepair:
      return "Repair";
    case FailurePolicy::kRestart:
      return "Restart";
    case FailurePolicy::kIgnore:
      return "Ignore";
  }
  return "unknown";
}

namespace {

void drop_slices(std::vector<SubgroupSpec>& subgroups) {
  for (SubgroupSpec& subgroup : subgroups) {
    subgroup.slices.clear();
    drop_slices(subgroup.subgroups);
  }
}

bool any_slices(const std::vector<SubgroupSpec>& subgroups) {
  return std::any_of(subgroups.begin(), subgroups.end(), [](const SubgroupSpec& subgroup) {
    return !subgroup.slices.empty() || any_slices(subgroup.subgroups);
  });
}

}  // namespace

GroupSpec without_slices(GroupSpec spec) {
  spec.slices.clear();
  drop_slices(spec.subgroups);
  return spec;
}

bool has_slices(const GroupSpec& spec) { return !spec.slices.empty() || any_slices(spec.subgroups); }

}  // namespace muster::group
