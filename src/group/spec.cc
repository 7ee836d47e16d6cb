#include "group/spec.h"

#include <fmt/format.h>

namespace muster::group {
namespace {

std::string text(const std::string& level) { return level.empty() ? "not set" : level; }
std::string text(const std::optional<Duration>& duration) {
  return duration ? fmt::format("{} ms", duration->count()) : "not set";
}
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
  if (found.empty() && here != there) found = "muster.dev/group-spec differs";
  return found;
}

}  // namespace muster::group
