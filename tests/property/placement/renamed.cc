#include "renamed.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace muster::test {
namespace {

// The host's own value at the level, without those above; empty where it has none.
std::string label(const Topology& topology, HostIndex host, const char* level) {
  const DomainId domain = topology.domain_of(host, *topology.find_level(level));
  if (domain == kNoDomain) return "";
  const std::string path = topology.value(domain);
  return path.substr(path.rfind('/') + 1);
}

// Backwards: what came first comes last.
std::string other_name(const std::string& name) {
  std::string other = "x";
  for (const char c : name) other += static_cast<char>(c >= '0' && c <= '9' ? '9' - (c - '0') : c);
  return other;
}

}  // namespace

Instance renamed(const Instance& instance) {
  const auto& [state, request] = instance;
  const Topology& topology = state.topology();
  std::vector<HostSpec> specs;
  for (auto h = static_cast<uint32_t>(state.host_count()); h-- > 0;) {
    HostSpec spec{other_name(topology.host_name(HostIndex{h})), {{}}};
    for (const char* level : {"block", "rack"}) {
      const std::string value = label(topology, HostIndex{h}, level);
      spec.labels[0].push_back(value.empty() ? "" : other_name(value));
    }
    specs.push_back(std::move(spec));
  }
  Instance made{ClusterState(*Topology::build({{{"fabric", {{"block", {}}, {"rack", {}}}}}}, specs)),
                request};
  const auto there = [&](HostIndex host) {
    return host == kNoHost ? kNoHost : *made.state.topology().find_host(other_name(topology.host_name(host)));
  };
  for (uint16_t r = 0; r < state.resource_count(); ++r)
    static_cast<void>(made.state.intern_resource(state.resource_name(ResourceId{r})));
  for (uint32_t set = 1; set < state.node_set_count(); ++set) static_cast<void>(made.state.add_node_set());
  for (uint32_t h = 0; h < state.host_count(); ++h) {
    const HostIndex host{h};
    Demand room;
    Demand used;
    for (uint16_t r = 0; r < state.resource_count(); ++r) {
      room.push_back({ResourceId{r}, state.allocatable(host, ResourceId{r})});
      used.push_back(
          {ResourceId{r}, state.allocatable(host, ResourceId{r}) - state.free(host, ResourceId{r})});
    }
    made.state.set_allocatable(there(host), room);
    if (state.busy(host))
      made.state.charge(there(host), used,
                        state.tenants(host).empty() ? kNoOwner : state.tenants(host)[0].owner);
    made.state.set_status(there(host), state.status(host));
    for (uint32_t set = 1; set < state.node_set_count(); ++set)
      if (state.status(host) == Exclusion::kNone)
        made.state.set_eligible(NodeSetId{set}, there(host), state.exclusion(NodeSetId{set}, host));
  }
  for (Member& member : made.request.members) member.bound = there(member.bound);
  for (Refusal& refusal : made.request.refusals) refusal.host = there(refusal.host);
  return made;
}

}  // namespace muster::test
