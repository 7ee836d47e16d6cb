// Members of equal demand on different node sets, on clusters too large for exhaustive search, against a
// maximum flow: from each node set's members over the hosts of a domain, one vertex a host. Another algorithm
// than the solver's, on another graph.
#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/edmonds_karp_max_flow.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

#include "generator.h"
#include "muster/solver.h"

using namespace muster;
using namespace muster::test;

namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using Edge = Traits::edge_descriptor;
struct EdgeData {
  int64_t capacity = 0;
  int64_t residual = 0;
  Edge reverse;
};
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, EdgeData>;

void connect(Graph& graph, std::size_t from, std::size_t to, int64_t capacity) {
  const Edge forth = boost::add_edge(from, to, graph).first;
  const Edge back = boost::add_edge(to, from, graph).first;
  graph[forth] = {capacity, 0, back};
  graph[back] = {0, 0, forth};
}

// The most members that the hosts of the domain can hold together.
int64_t most_members(const PlacementRequest& request, const ClusterState& state, DomainId domain) {
  const auto hosts = state.topology().hosts(domain);
  const std::size_t roles = request.roles.size();
  const std::size_t source = roles + hosts.size();
  const std::size_t sink = source + 1;
  Graph graph(sink + 1);
  std::vector<int64_t> members(roles, 0);
  for (const Member& member : request.members) ++members[member.role];
  for (std::size_t role = 0; role < roles; ++role) connect(graph, source, role, members[role]);
  const ResourceAmount need = request.roles[0].demand[0];
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    connect(graph, roles + h, sink, std::max<int64_t>(0, state.free(hosts[h], need.resource)) / need.amount);
    for (std::size_t role = 0; role < roles; ++role)
      if (state.exclusion(request.roles[role].node_set, hosts[h]) == Exclusion::kNone)
        connect(graph, role, roles + h, members[role]);
  }
  std::vector<boost::default_color_type> color(sink + 1);
  std::vector<Edge> before(sink + 1);
  return boost::edmonds_karp_max_flow(graph, source, sink, boost::get(&EdgeData::capacity, graph),
                                      boost::get(&EdgeData::residual, graph),
                                      boost::get(&EdgeData::reverse, graph), color.data(), before.data());
}

Instance many_node_sets(Random& random) {
  const uint32_t hosts = random.in(20, 60);
  std::vector<HostSpec> specs;
  for (uint32_t h = 0; h < hosts; ++h)
    specs.push_back({fmt::format("n{}", h),
                     {{fmt::format("b{}", random.in(0, 2)), fmt::format("r{}", random.in(0, 3))}}});
  Instance instance{ClusterState(*Topology::build({{{"fabric", {{"block", {}}, {"rack", {}}}}}}, specs)), {}};
  auto& [state, request] = instance;
  const ResourceId gpu = state.intern_resource("nvidia.com/gpu");
  for (uint32_t h = 0; h < hosts; ++h) state.set_allocatable(HostIndex{h}, {{gpu, random.in(0, 8)}});
  const int64_t size = random.in(1, 3);
  const uint32_t sets = random.in(2, 6);
  for (uint32_t set = 0; set < sets; ++set) {
    const NodeSetId id = state.add_node_set();
    const uint32_t share = random.in(10, 90);
    for (uint32_t h = 0; h < hosts; ++h)
      if (random.chance(share)) state.set_eligible(id, HostIndex{h}, Exclusion::kSelector);
    request.roles.push_back({{{gpu, size}}, id});
  }
  static constexpr const char* kLevels[] = {"", "block", "rack"};
  const uint32_t level = random.in(0, 2);
  request.subgroups[0].required = kLevels[level];
  const uint32_t enough = 4 * hosts / static_cast<uint32_t>(size * (1 + 2 * level));
  const uint32_t members = random.in(sets, std::max(sets, enough));
  for (uint32_t m = 0; m < members; ++m) request.members.push_back({random.in(0, sets - 1), 0, m, kNoHost});
  if (random.chance(30)) request.subgroups[0].minimum = random.in(1, members);
  return instance;
}

}  // namespace

TEST_CASE("oracle: equal members on many node sets fit exactly when a maximum flow carries them") {
  const char* given = std::getenv("MUSTER_ORACLE_INSTANCES");
  const uint64_t instances = (given != nullptr ? std::strtoull(given, nullptr, 10) : 20'000) / 10;
  uint64_t fit = 0;
  for (uint64_t seed = 0; seed < instances; ++seed) {
    Random random(seed);
    Instance instance = many_node_sets(random);
    auto& [state, request] = instance;
    INFO("seed " << seed << dump(instance));
    const std::string& required = request.subgroups[0].required;
    const Topology& topology = state.topology();
    const DomainRange domains =
        topology.domains(required.empty() ? kClusterLevel : *topology.find_level(required));
    int64_t most = 0;
    for (uint32_t i = domains.first; i < domains.last; ++i)
      most = std::max(most, most_members(request, state, static_cast<DomainId>(i)));
    const auto all = static_cast<int64_t>(request.members.size());
    const int64_t least = request.subgroups[0].minimum.value_or(static_cast<uint32_t>(all));
    const Verdict verdict = solve(request, state);
    REQUIRE_FALSE(std::holds_alternative<Undecided>(verdict));
    const auto* fits = std::get_if<Fits>(&verdict);
    REQUIRE((fits != nullptr) == (most >= least));
    if (fits == nullptr) continue;
    ++fit;
    REQUIRE(fits->placed <= most);
    if (most == all) REQUIRE(fits->placed == all);
  }
  CHECK(fit > instances / 5);
  CHECK(fit < instances * 4 / 5);
}
