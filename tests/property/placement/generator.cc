#include "generator.h"

#include <fmt/format.h>

#include <algorithm>

#include "muster/topology.h"

namespace muster::test {
namespace {

class Maker {
 public:
  Maker(Shape shape, uint64_t seed)
      : shape_(shape), random_(seed), strategies_(~seed), begun_(seed ^ 0xBE60) {}

  Instance make() {
    Instance instance;
    instance.state = make_state();
    ClusterState& state = instance.state;
    for (int tries = 0;; ++tries) {
      instance.request = make_request(state);
      if (validate(instance.request, state).has_value()) break;
    }
    return instance;
  }

 private:
  ClusterState make_state() {
    const uint32_t hosts = random_.in(2, 8);
    const uint32_t blocks = random_.in(1, 3);
    const uint32_t racks = random_.in(1, 3);
    std::vector<HostSpec> specs;
    for (uint32_t h = 0; h < hosts; ++h) {
      HostSpec spec{fmt::format("n{}", h), {{}}};
      spec.labels[0] = {fmt::format("b{}", random_.in(1, blocks)), fmt::format("r{}", random_.in(1, racks))};
      if (random_.chance(4)) spec.labels[0][random_.in(0, 1)].clear();
      specs.push_back(spec);
    }
    ClusterState state(*Topology::build({{{"fabric", {{"block", {}}, {"rack", {}}}}}}, specs));
    const auto gpu = state.intern_resource("nvidia.com/gpu");
    const auto cpu = state.intern_resource("cpu");
    const auto memory = state.intern_resource("memory");
    const bool gpu_only = shape_ == Shape::kSizes || random_.chance(40);
    for (uint32_t h = 0; h < hosts; ++h) {
      const HostIndex host{h};
      state.set_allocatable(host, {{gpu, 8},
                                   {cpu, gpu_only ? 1000 : random_.in(1, 12)},
                                   {memory, gpu_only ? 1000 : random_.in(1, 12)}});
      if (random_.chance(50)) state.charge(host, {{gpu, random_.in(0, 8)}}, foreign());
      if (random_.chance(5)) state.set_status(host, Exclusion::kNotReady);
    }
    for (int set = 0; set < 3; ++set) {
      const NodeSetId id = state.add_node_set();
      for (uint32_t h = 0; h < hosts; ++h)
        if (random_.chance(35)) state.set_eligible(id, HostIndex{h}, Exclusion::kTainted);
    }
    return state;
  }

  OwnerId foreign() { return random_.chance(40) ? OwnerId{random_.in(100, 101)} : kNoOwner; }

  NodeSetId some_set() {
    return shape_ == Shape::kSizes || random_.chance(60) ? kEveryHost : NodeSetId{random_.in(1, 3)};
  }

  Role make_role(const ClusterState& state) {
    Role role;
    const auto gpu = *state.find_resource("nvidia.com/gpu");
    if (shape_ == Shape::kSizes) {
      role.demand = {{gpu, int64_t{1} << random_.in(0, 3)}};
      return role;
    }
    role.node_set = some_set();
    role.demand = {{gpu, random_.in(0, 5)},
                   {*state.find_resource("cpu"), random_.in(0, 4)},
                   {*state.find_resource("memory"), random_.chance(50) ? 0 : random_.in(0, 4)}};
    if (role.demand[0].amount + role.demand[1].amount + role.demand[2].amount == 0) role.demand[0].amount = 1;
    return role;
  }

  std::string level(uint32_t none_percent) {
    if (random_.chance(none_percent)) return "";
    static constexpr const char* kLevels[] = {"block", "rack", "rack", "host"};
    return kLevels[random_.in(0, 3)];
  }

  PlacementRequest make_request(const ClusterState& state) {
    PlacementRequest request;
    request.subgroups[0].owner = OwnerId{1};
    request.subgroups[0].required = level(40);
    if (random_.chance(20)) request.subgroups[0].preferred = level(0);
    const bool one_role = shape_ == Shape::kIdentical || (shape_ == Shape::kSlices && random_.chance(60));
    const uint32_t roles = one_role ? 1 : random_.in(2, 3);
    for (uint32_t r = 0; r < roles; ++r) request.roles.push_back(make_role(state));
    if (shape_ == Shape::kNodeSets)
      for (Role& role : request.roles) {
        role.demand = request.roles[0].demand;
        role.node_set = NodeSetId{random_.in(0, 3)};
      }
    add_subgroups(request);
    add_members(request);
    add_slices(request);
    bind_some(request, state);
    add_minima(request);
    begin_some(request);
    return request;
  }

  void add_subgroups(PlacementRequest& request) {
    const bool wanted = shape_ >= Shape::kSubGroups && (shape_ != Shape::kAnything || random_.chance(70));
    if (!wanted) return;
    const uint32_t count = random_.in(2, 4);
    const std::string common = level(20);
    for (uint32_t s = 1; s <= count; ++s) {
      SubGroup sub;
      sub.name = fmt::format("s{}", s);
      const bool nested = shape_ == Shape::kNested || shape_ == Shape::kAnything;
      sub.parent = nested && s > 1 && random_.chance(60) ? random_.in(0, s - 1) : 0;
      sub.required = random_.chance(60) ? common : level(25);
      if (random_.chance(10)) sub.preferred = level(0);
      const bool exclusive =
          shape_ == Shape::kExclusive || (shape_ == Shape::kAnything && random_.chance(10));
      if (exclusive && random_.chance(70)) sub.exclusive = random_.chance(50) ? sub.required : level(0);
      if (strategies_.chance(15)) sub.placement = Strategy::kSpread;
      request.subgroups.push_back(sub);
    }
    if (shape_ == Shape::kExclusive && random_.chance(30)) request.subgroups[0].exclusive = level(0);
  }

  void add_members(PlacementRequest& request) {
    const auto groups = static_cast<uint32_t>(request.subgroups.size());
    const uint32_t largest = shape_ == Shape::kIdentical || shape_ == Shape::kSlices ? 12 : 9;
    const uint32_t count = random_.in(std::max(1U, groups - 1), largest);
    const bool alike = groups > 1 && random_.chance(50);
    for (uint32_t m = 0; m < count; ++m) {
      Member member;
      member.rank = m;
      member.subgroup = groups == 1 ? 0 : 1 + m % (groups - 1);
      if (groups > 1 && random_.chance(10)) member.subgroup = random_.in(0, groups - 1);
      const auto roles = static_cast<uint32_t>(request.roles.size());
      member.role = alike ? (m / std::max(1U, groups - 1)) % roles : random_.in(0, roles - 1);
      request.members.push_back(member);
    }
    if (random_.chance(20))
      for (Member& member : request.members) member.rank = 0;
    if (random_.chance(8))
      request.refusals.push_back({random_.in(0, count - 1), HostIndex{random_.in(0, 1)}});
  }

  void add_slices(PlacementRequest& request) {
    const bool wanted = shape_ == Shape::kSlices || (shape_ == Shape::kAnything && random_.chance(30));
    if (!wanted) return;
    for (std::size_t s = 0; s < request.subgroups.size(); ++s) {
      if (shape_ == Shape::kAnything && random_.chance(50)) continue;
      const uint32_t inner = random_.in(1, 3);
      auto& slices = request.subgroups[s].slices;
      if (random_.chance(40))
        slices.push_back({inner * random_.in(1, 3), random_.chance(50) ? "block" : "rack"});
      slices.push_back({inner, random_.chance(60) ? "rack" : "host"});
    }
  }

  // Members that exist already, where they fit.
  void bind_some(PlacementRequest& request, const ClusterState&) {
    if (!random_.chance(15)) return;
    request.members[random_.in(0, static_cast<uint32_t>(request.members.size()) - 1)].bound =
        HostIndex{random_.in(0, 1)};
  }

  // Those of their members that are elsewhere may be all that their minima ask for.
  void begin_some(PlacementRequest& request) {
    for (std::size_t s = 0; s < request.subgroups.size(); ++s) {
      SubGroup& subgroup = request.subgroups[s];
      subgroup.begun = begun_.chance(15);
      if (subgroup.begun && s > 0 && begun_.chance(50)) subgroup.minimum = 0;
    }
  }

  void add_minima(PlacementRequest& request) {
    const auto all = static_cast<uint32_t>(request.members.size());
    if (random_.chance(35)) request.subgroups[0].minimum = random_.in(1, all);
    if (request.subgroups.size() == 1) return;
    for (std::size_t s = 1; s < request.subgroups.size(); ++s)
      if (random_.chance(25)) request.subgroups[s].minimum = random_.in(1, 4);
    if (random_.chance(15)) request.subgroups[0].min_subgroups = random_.in(1, 2);
  }

  Shape shape_;
  Random random_;
  // Apart: a wish to spread, or members that are elsewhere, make no other difference.
  Random strategies_;
  Random begun_;
};

}  // namespace

std::string_view to_string(Shape shape) {
  static constexpr std::string_view kNames[] = {"identical", "sizes",  "roles",     "node sets", "slices",
                                                "subgroups", "nested", "exclusive", "anything"};
  return kNames[static_cast<std::size_t>(shape)];
}

std::string dump(const Instance& instance) {
  const auto& [state, request] = instance;
  const Topology& topology = state.topology();
  std::string text;
  for (uint32_t h = 0; h < state.host_count(); ++h) {
    const HostIndex host{h};
    text +=
        fmt::format("\n  {} in {}:", topology.host_name(host), topology.value(topology.leaf_domain(host)));
    for (uint16_t r = 0; r < state.resource_count(); ++r)
      text += fmt::format(" {}", state.free(host, ResourceId{r}));
    for (uint32_t set = 0; set < state.node_set_count(); ++set)
      text += state.exclusion(NodeSetId{set}, host) == Exclusion::kNone ? " +" : " -";
    for (const auto& tenant : state.tenants(host))
      text += fmt::format(" owner {}", static_cast<uint32_t>(tenant.owner));
  }
  for (const Role& role : request.roles) {
    text += fmt::format("\n  role set {}:", at(role.node_set));
    for (const auto& need : role.demand) text += fmt::format(" {}", need.amount);
  }
  for (const SubGroup& s : request.subgroups) {
    text += fmt::format(
        "\n  subgroup {} parent {} required {} preferred {} min {} minsub {} exclusive {} owner {}{}", s.name,
        s.parent, s.required, s.preferred, s.minimum.value_or(0), s.min_subgroups.value_or(0), s.exclusive,
        static_cast<uint32_t>(s.owner), s.placement == Strategy::kSpread ? " spread" : "");
    if (s.begun) text += " begun";
    for (const Slice& slice : s.slices) text += fmt::format(" {}@{}", slice.size, slice.level);
  }
  for (const Member& m : request.members)
    text += fmt::format("\n  member role {} subgroup {} rank {}{}", m.role, m.subgroup, m.rank,
                        m.bound == kNoHost ? "" : " bound to " + topology.host_name(m.bound));
  for (const Refusal& refusal : request.refusals)
    text += fmt::format("\n  member {} refused by {}", refusal.member, topology.host_name(refusal.host));
  return text + "\n";
}

Instance make_instance(Shape shape, uint64_t seed) {
  return Maker(shape, seed * kShapes + static_cast<uint64_t>(shape)).make();
}

}  // namespace muster::test
