#include "placement/flow.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <map>

namespace muster::placement {
namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using Edge = Traits::edge_descriptor;
struct EdgeData {
  int64_t capacity = 0;
  int64_t residual = 0;
  Edge reverse;
};
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, EdgeData>;

Edge connect(Graph& graph, std::size_t from, std::size_t to, int64_t capacity) {
  const Edge forth = boost::add_edge(from, to, graph).first;
  const Edge back = boost::add_edge(to, from, graph).first;
  graph[forth].capacity = capacity;
  graph[forth].reverse = back;
  graph[back].reverse = forth;
  return forth;
}

struct Group {
  std::vector<uint32_t> hosts;
  int64_t room = 0;
};

}  // namespace

bool equal_demands(const LocalHosts& hosts, const Wanted& wanted) {
  const int64_t* first = nullptr;
  for (std::size_t kind = 0; kind < hosts.kinds(); ++kind) {
    if (wanted.count[kind] == 0) continue;
    if (first == nullptr) first = hosts.demand(kind);
    if (!std::equal(first, first + hosts.resources(), hosts.demand(kind))) return false;
  }
  return true;
}

Answer decide_by_flow(const LocalHosts& hosts, const Wanted& wanted, Takes& takes) {
  std::vector<std::size_t> kinds;
  for (std::size_t kind = 0; kind < hosts.kinds(); ++kind)
    if (wanted.count[kind] > 0) kinds.push_back(kind);
  const uint32_t all = wanted.sum();
  std::map<std::vector<bool>, Group> groups;
  std::vector<uint32_t> room(hosts.size(), 0);
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    std::vector<bool> open;
    for (const std::size_t kind : kinds) open.push_back(hosts.may(h, kind));
    room[h] = hosts.room(hosts.free(h), kinds.front(), all);
    Group& group = groups[open];
    group.hosts.push_back(static_cast<uint32_t>(h));
    group.room += room[h];
  }
  const std::size_t source = kinds.size() + groups.size();
  const std::size_t sink = source + 1;
  Graph graph(sink + 1);
  struct Link {
    std::size_t kind;
    Group* group;
    Edge edge;
  };
  std::vector<Link> links;
  std::size_t vertex = kinds.size();
  for (auto& [open, group] : groups) {
    for (std::size_t k = 0; k < kinds.size(); ++k)
      if (open[k]) links.push_back({kinds[k], &group, connect(graph, k, vertex, wanted.count[kinds[k]])});
    connect(graph, vertex, sink, group.room);
    ++vertex;
  }
  for (std::size_t k = 0; k < kinds.size(); ++k) connect(graph, source, k, wanted.count[kinds[k]]);
  const int64_t flow = boost::push_relabel_max_flow(
      graph, source, sink, boost::get(&EdgeData::capacity, graph), boost::get(&EdgeData::residual, graph),
      boost::get(&EdgeData::reverse, graph), boost::get(boost::vertex_index, graph));
  if (flow < static_cast<int64_t>(wanted.least)) return Answer::kNo;
  for (const Link& link : links) {
    auto left = static_cast<uint32_t>(graph[link.edge].capacity - graph[link.edge].residual);
    for (const uint32_t h : link.group->hosts) {
      const uint32_t count = std::min(left, room[h]);
      if (count == 0) continue;
      takes.push_back({h, static_cast<uint32_t>(link.kind), count});
      room[h] -= count;
      left -= count;
    }
  }
  return Answer::kFits;
}

}  // namespace muster::placement
