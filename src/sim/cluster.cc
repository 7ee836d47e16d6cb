#include "sim/cluster.h"

#include <charconv>

#include "base/text.h"

namespace muster::sim {
namespace {

constexpr const char* kBlockLabel = "topology.muster.dev/block";
constexpr const char* kRackLabel = "topology.muster.dev/rack";
constexpr uint32_t kMostHosts = 1'000'000;

}  // namespace

kube::Node make_node(std::string name, std::string block, std::string rack, uint32_t gpus) {
  kube::Node node;
  node.name = std::move(name);
  node.uid = node.name;
  node.labels[kBlockLabel] = std::move(block);
  node.labels[kRackLabel] = std::move(rack);
  node.ready = true;
  node.allocatable.set(kPods, 110);
  node.allocatable.set(kGpu, gpus);
  return node;
}

std::vector<kube::Node> make_nodes(const Layout& layout, uint32_t hosts) {
  std::vector<kube::Node> nodes;
  nodes.reserve(hosts);
  for (uint32_t host = 0; host < hosts; ++host) {
    const uint32_t rack = host / layout.hosts_per_rack;
    nodes.push_back(make_node(fmt::format("n{}", host), fmt::format("b{}", rack / layout.racks_per_block),
                              fmt::format("r{}", rack % layout.racks_per_block), layout.gpus));
  }
  return nodes;
}

Result<std::vector<kube::Node>> make_nodes(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view count = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  uint32_t hosts = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), hosts);
  const bool whole = error == std::errc() && end == count.data() + count.size();
  for (const Layout& layout : {kNvl72, kHgx}) {
    if (name != layout.name) continue;
    if (!whole || hosts == 0 || hosts > kMostHosts)
      return invalid("{}: {} is not a number of hosts from 1 to {}", quoted(text), quoted(count), kMostHosts);
    return make_nodes(layout, hosts);
  }
  return invalid("{} is none of nvl72:HOSTS and hgx:HOSTS", quoted(text));
}

std::vector<books::TreeLabels> block_and_rack() {
  return {{"fabric", {{"block", {kBlockLabel}}, {"rack", {kRackLabel}}}}};
}

}  // namespace muster::sim
