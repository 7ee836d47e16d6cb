#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "muster/solver.h"
#include "packing/packers.h"

namespace muster::bench {
namespace {

class Muster final : public Packer {
 public:
  Muster(const std::vector<OpenbNode>& nodes, const std::vector<OpenbPod>& workload, bool knows_mix)
      : state_(topology_of(nodes)),
        gpu_(state_.intern_resource("nvidia.com/gpu")),
        cpu_(state_.intern_resource("cpu")),
        memory_(state_.intern_resource("memory")) {
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      state_.set_allocatable(host(n, "c"), {{cpu_, nodes[n].cpu}, {memory_, nodes[n].memory}});
      for (uint32_t g = 0; g < nodes[n].gpus; ++g)
        state_.set_allocatable(host(n, fmt::format("g{}", g)), {{gpu_, 1'000}});
    }
    std::set<std::string> specs;
    for (const OpenbPod& pod : workload) specs.insert(pod.models);
    for (const std::string& spec : specs) {
      if (!spec.empty()) add_node_set(spec, nodes);
    }
    mix_.emplace(state_, *state_.topology().find_level("node"),
                 knows_mix ? shapes_of(workload) : std::vector<MixShape>{});
  }

  bool place(const OpenbPod& pod) override {
    PlacementRequest request;
    request.subgroups[0].owner = OwnerId{next_owner_++};
    request.subgroups[0].required = "node";
    for (const MixPart& part : shape_of(pod).parts) {
      request.roles.push_back({part.demand, part.node_set});
      const auto role = static_cast<uint32_t>(request.roles.size() - 1);
      for (uint32_t i = 0; i < part.count; ++i)
        request.members.push_back({role, 0, static_cast<int64_t>(request.members.size()), kNoHost});
    }
    SolveOptions options;
    options.remedies = false;
    options.mix = &*mix_;
    const Verdict verdict = solve(request, state_, options);
    const auto* fits = std::get_if<Fits>(&verdict);
    if (!fits) return false;
    charge_placement(request, fits->placement, state_);
    return true;
  }

 private:
  static Topology topology_of(const std::vector<OpenbNode>& nodes) {
    std::vector<HostSpec> hosts;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      const std::string name = fmt::format("n{}", n);
      hosts.push_back({name + "/c", {{name}}});
      for (uint32_t g = 0; g < nodes[n].gpus; ++g)
        hosts.push_back({fmt::format("{}/g{}", name, g), {{name}}});
    }
    return *Topology::build({{{"machines", {{"node", {}}}}}}, std::move(hosts));
  }

  [[nodiscard]] HostIndex host(std::size_t node, const std::string& part) const {
    return *state_.topology().find_host(fmt::format("n{}/{}", node, part));
  }

  void add_node_set(const std::string& spec, const std::vector<OpenbNode>& nodes) {
    const NodeSetId set = state_.add_node_set();
    const OpenbPod pod{0, 0, 0, 0, spec};
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (pod.accepts(nodes[n].model)) continue;
      state_.set_eligible(set, host(n, "c"), false);
      for (uint32_t g = 0; g < nodes[n].gpus; ++g)
        state_.set_eligible(set, host(n, fmt::format("g{}", g)), false);
    }
    node_sets_[spec] = set;
  }

  [[nodiscard]] MixShape shape_of(const OpenbPod& pod) const {
    const auto set = node_sets_.find(pod.models);
    const NodeSetId node_set = set == node_sets_.end() ? kEveryHost : set->second;
    MixShape shape;
    shape.parts.push_back({{{cpu_, pod.cpu}, {memory_, pod.memory}}, node_set, 1});
    if (pod.gpus > 0) shape.parts.push_back({{{gpu_, pod.share}}, node_set, pod.gpus});
    return shape;
  }

  [[nodiscard]] std::vector<MixShape> shapes_of(const std::vector<OpenbPod>& workload) const {
    std::map<OpenbPod, double> counts;
    for (const OpenbPod& pod : workload) ++counts[pod];
    std::vector<MixShape> shapes;
    for (const auto& [pod, count] : counts) {
      shapes.push_back(shape_of(pod));
      shapes.back().weight = count;
    }
    return shapes;
  }

  ClusterState state_;
  ResourceId gpu_, cpu_, memory_;
  std::map<std::string, NodeSetId> node_sets_;
  std::optional<Mix> mix_;
  uint32_t next_owner_ = 0;
};

}  // namespace

std::unique_ptr<Packer> make_muster(const std::vector<OpenbNode>& nodes,
                                    const std::vector<OpenbPod>& workload, bool knows_mix) {
  return std::make_unique<Muster>(nodes, workload, knows_mix);
}

}  // namespace muster::bench
