#include "cmd/muster_demo/places.h"

#include <fmt/format.h>

#include <functional>

namespace muster::demo {
namespace {

std::map<std::string, int> count_by(const ClusterView& view, const std::string& group,
                                    const std::function<std::string(const Host&)>& place) {
  std::map<std::string, int> counts;
  for (const auto& [pod, name] : hosts_of(view, group)) {
    const Host* host = view.host(name);
    ++counts[host == nullptr ? "an unknown host" : place(*host)];
  }
  return counts;
}

}  // namespace

int bound_members(const ClusterView& view, const std::string& group) {
  return static_cast<int>(hosts_of(view, group).size());
}

std::map<std::string, std::string> hosts_of(const ClusterView& view, const std::string& group) {
  std::map<std::string, std::string> hosts;
  for (const PodView* pod : view.members(group)) {
    if (!pod->node.empty()) hosts[pod->name] = pod->node;
  }
  return hosts;
}

std::map<std::string, int> racks_of(const ClusterView& view, const std::string& group) {
  return count_by(view, group, [](const Host& host) { return host.block + "/" + host.rack; });
}

std::map<std::string, int> blocks_of(const ClusterView& view, const std::string& group) {
  return count_by(view, group, [](const Host& host) { return host.block; });
}

std::string listed(const std::map<std::string, int>& counts) {
  std::string text;
  for (const auto& [place, count] : counts) {
    if (!text.empty()) text += ", ";
    text += counts.size() == 1 ? place : fmt::format("{}: {}", place, count);
  }
  return text.empty() ? "nowhere" : text;
}

}  // namespace muster::demo
