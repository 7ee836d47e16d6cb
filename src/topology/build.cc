// Building: every label value becomes its natural rank, every host a path of ranks; sorting the paths gives
// the depth-first order, and each run of equal prefixes is a domain.
#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

#include "muster/topology.h"
#include "topology/name_index.h"
#include "topology/natural_order.h"

namespace muster {
namespace {

constexpr std::size_t kMaxTrees = 8;
constexpr std::size_t kMaxLevels = 16;
constexpr uint32_t kMissing = UINT32_MAX;  // sorts behind every value

Result<void> check_names(const TopologySpec& spec) {
  if (spec.trees.size() > kMaxTrees)
    return invalid("topology.trees: {} trees, at most {}", spec.trees.size(), kMaxTrees);
  std::set<std::string_view> trees;
  for (const TreeSpec& tree : spec.trees) {
    if (tree.name.empty()) return invalid("topology.trees: a tree has no name");
    if (!trees.insert(tree.name).second) return invalid("topology.trees: name \"{}\" is repeated", tree.name);
    if (tree.levels.size() > kMaxLevels)
      return invalid("topology.trees.{}: {} levels, at most {}", tree.name, tree.levels.size(), kMaxLevels);
    std::set<std::string_view> levels;
    for (const LevelSpec& level : tree.levels) {
      if (level.name.empty()) return invalid("topology.trees.{}.levels: a level has no name", tree.name);
      if (level.name == "host")
        return invalid("topology.trees.{}.levels: the level \"host\" is implied and must not be listed",
                       tree.name);
      if (!levels.insert(level.name).second)
        return invalid("topology.trees.{}.levels: name \"{}\" is repeated", tree.name, level.name);
    }
  }
  return {};
}

Result<void> check_hosts(const TopologySpec& spec, const std::vector<HostSpec>& hosts) {
  for (const HostSpec& host : hosts) {
    if (host.name.empty()) return invalid("host name: empty");
    if (host.labels.size() > std::max<std::size_t>(spec.trees.size(), 1))
      return invalid("host {}: labels of {} trees, there are {}", host.name, host.labels.size(),
                     spec.trees.size());
    for (std::size_t tree = 0; tree < host.labels.size(); ++tree) {
      const std::size_t levels = tree < spec.trees.size() ? spec.trees[tree].levels.size() : 0;
      if (host.labels[tree].size() > levels)
        return invalid("host {}: {} labels in tree {}, which has {} levels", host.name,
                       host.labels[tree].size(), tree, levels);
    }
  }
  return {};
}

std::string_view label(const HostSpec& host, std::size_t tree, std::size_t level) {
  if (tree >= host.labels.size() || level >= host.labels[tree].size()) return {};
  return host.labels[tree][level];
}

// Per host and level of one tree the natural rank of its value, and the values by rank.
struct Paths {
  std::size_t levels = 0;
  std::vector<uint32_t> ranks;                        // host-major
  std::vector<std::vector<std::string_view>> values;  // per level

  [[nodiscard]] uint32_t rank(std::size_t host, std::size_t level) const {
    return ranks[host * levels + level];
  }
  [[nodiscard]] bool same_prefix(std::size_t a, std::size_t b, std::size_t upto) const {
    const auto first = ranks.begin() + static_cast<std::ptrdiff_t>(a * levels);
    return std::equal(first, first + static_cast<std::ptrdiff_t>(upto) + 1,
                      ranks.begin() + static_cast<std::ptrdiff_t>(b * levels));
  }
};

Paths rank_paths(const TreeSpec& spec, std::size_t tree, const std::vector<HostSpec>& hosts) {
  Paths paths;
  paths.levels = spec.levels.size();
  paths.ranks.assign(hosts.size() * paths.levels, kMissing);
  paths.values.resize(paths.levels);
  for (std::size_t level = 0; level < paths.levels; ++level) {
    std::unordered_map<std::string_view, uint32_t> seen;
    std::vector<std::string_view>& values = paths.values[level];
    for (std::size_t host = 0; host < hosts.size(); ++host) {
      const std::string_view value = label(hosts[host], tree, level);
      if (value.empty()) continue;
      const auto [it, fresh] = seen.emplace(value, static_cast<uint32_t>(values.size()));
      if (fresh) values.push_back(value);
      paths.ranks[host * paths.levels + level] = it->second;
    }
    std::vector<uint32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return topology::natural_compare(values[a], values[b]) < 0; });
    std::vector<uint32_t> rank_of(values.size());
    std::vector<std::string_view> sorted(values.size());
    for (uint32_t rank = 0; rank < order.size(); ++rank) {
      rank_of[order[rank]] = rank;
      sorted[rank] = values[order[rank]];
    }
    values = std::move(sorted);
    for (std::size_t host = 0; host < hosts.size(); ++host) {
      uint32_t& rank = paths.ranks[host * paths.levels + level];
      if (rank != kMissing) rank = rank_of[rank];
    }
  }
  return paths;
}

// Hosts in depth-first order of these paths; within a domain by name.
std::vector<uint32_t> depth_first(const Paths& paths, const std::vector<HostSpec>& hosts) {
  std::vector<uint32_t> order(hosts.size());
  std::iota(order.begin(), order.end(), 0U);
  const std::size_t levels = paths.levels;
  const uint32_t* ranks = paths.ranks.data();
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    for (std::size_t level = 0; level < levels; ++level) {
      const uint32_t x = ranks[a * levels + level];
      const uint32_t y = ranks[b * levels + level];
      if (x != y) return x < y;
    }
    return topology::natural_compare(hosts[a].name, hosts[b].name) < 0;
  });
  return order;
}

}  // namespace

class TopologyBuilder {
 public:
  TopologyBuilder(const TopologySpec& spec, std::vector<HostSpec> hosts)
      : spec_(spec), hosts_(std::move(hosts)) {
    if (spec_.trees.empty()) spec_.trees.push_back(TreeSpec{"default", {}});
  }

  Result<Topology> build() {
    if (auto ok = check_names(spec_); !ok) return tl::unexpected(ok.error());
    if (auto ok = check_hosts(spec_, hosts_); !ok) return tl::unexpected(ok.error());
    number_hosts();
    if (auto ok = index_names(); !ok) return tl::unexpected(ok.error());
    add_cluster();
    for (std::size_t tree = 0; tree < spec_.trees.size(); ++tree) add_tree(tree);
    add_hosts();
    return std::move(result_);
  }

 private:
  void number_hosts() {
    paths_ = rank_paths(spec_.trees[0], 0, hosts_);
    const std::vector<uint32_t> order = depth_first(paths_, hosts_);
    std::vector<HostSpec> sorted;
    sorted.reserve(hosts_.size());
    std::vector<uint32_t> ranks;
    ranks.reserve(paths_.ranks.size());
    for (const uint32_t host : order) {
      sorted.push_back(std::move(hosts_[host]));
      for (std::size_t level = 0; level < paths_.levels; ++level) ranks.push_back(paths_.rank(host, level));
    }
    // Views into short strings die when the strings move; the values are taken again where they are needed.
    hosts_ = std::move(sorted);
    paths_.values.clear();
    paths_.ranks = std::move(ranks);
  }

  Result<void> index_names() {
    result_.names_.reserve(hosts_.size());
    for (HostSpec& host : hosts_) result_.names_.push_back(std::move(host.name));
    const auto& names = result_.names_;
    auto& index = result_.by_name_;
    index = topology::empty_index(names.size());
    for (uint32_t host = 0; host < names.size(); ++host) {
      uint32_t& place = index[topology::place_of(names[host], index, names)];
      if (place != topology::kNobody) return invalid("host name: \"{}\" is repeated", names[host]);
      place = host;
    }
    return {};
  }

  DomainId add_domain(LevelId level, std::size_t lo, DomainId parent, std::string value) {
    result_.domain_lo_.push_back(static_cast<uint32_t>(lo));
    result_.domain_hi_.push_back(static_cast<uint32_t>(lo));
    result_.domain_parent_.push_back(parent);
    result_.domain_level_.push_back(level);
    result_.values_.push_back(std::move(value));
    return static_cast<DomainId>(result_.domain_lo_.size() - 1);
  }

  LevelId add_level(std::string name, std::vector<std::string> aliases, std::size_t tree, std::size_t depth) {
    Topology::Level level;
    level.name = std::move(name);
    level.aliases = std::move(aliases);
    level.tree = static_cast<uint16_t>(tree);
    level.depth = static_cast<uint16_t>(depth);
    level.first = level.last = static_cast<uint32_t>(result_.domain_lo_.size());
    result_.levels_.push_back(std::move(level));
    return static_cast<LevelId>(result_.levels_.size() - 1);
  }

  void add_cluster() {
    result_.levels_.clear();
    result_.trees_.clear();
    result_.domain_lo_.clear();
    result_.domain_hi_.clear();
    result_.domain_parent_.clear();
    result_.domain_level_.clear();
    result_.values_.clear();
    const LevelId level = add_level("cluster", {}, 0, 0);
    add_domain(level, 0, kNoDomain, "cluster");
    result_.domain_hi_[0] = static_cast<uint32_t>(hosts_.size());
    result_.levels_[0].last = 1;
  }

  void add_tree(std::size_t tree) {
    const TreeSpec& spec = spec_.trees[tree];
    std::vector<uint32_t> order(hosts_.size());
    std::iota(order.begin(), order.end(), 0U);
    if (tree > 0) {
      paths_ = rank_paths(spec, tree, hosts_);
      std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
        for (std::size_t level = 0; level < paths_.levels; ++level)
          if (paths_.rank(a, level) != paths_.rank(b, level))
            return paths_.rank(a, level) < paths_.rank(b, level);
        return false;
      });
    }
    Topology::Tree built;
    built.name = spec.name;
    built.leaf.assign(hosts_.size(), kClusterDomain);
    for (std::size_t level = 0; level < spec.levels.size(); ++level)
      built.levels.push_back(add_level_domains(tree, level, order, built.leaf));
    built.order.reserve(order.size());
    for (const uint32_t host : order) built.order.push_back(static_cast<HostIndex>(host));
    result_.trees_.push_back(std::move(built));
  }

  // `finest` holds per host the finest domain so far: the parent of what is found here.
  LevelId add_level_domains(std::size_t tree, std::size_t depth, const std::vector<uint32_t>& order,
                            std::vector<DomainId>& finest) {
    const LevelSpec& spec = spec_.trees[tree].levels[depth];
    const LevelId level = add_level(spec.name, spec.aliases, tree, depth + 1);
    DomainId current = kNoDomain;
    for (std::size_t position = 0; position < order.size(); ++position) {
      const uint32_t host = order[position];
      if (paths_.rank(host, depth) == kMissing) {
        current = kNoDomain;
        continue;
      }
      const bool same = current != kNoDomain && paths_.same_prefix(order[position - 1], host, depth);
      if (!same) {
        const DomainId parent = finest[host];
        std::string value(label(hosts_[host], tree, depth));
        if (parent != kClusterDomain) value = result_.values_[at(parent)] + "/" + value;
        current = add_domain(level, position, parent, std::move(value));
      }
      finest[host] = current;
      result_.domain_hi_[at(current)] = static_cast<uint32_t>(position + 1);
    }
    result_.levels_[at(level)].last = static_cast<uint32_t>(result_.domain_lo_.size());
    return level;
  }

  void add_hosts() {
    const LevelId level = add_level("host", {"kubernetes.io/hostname"}, 0, kMaxLevels + 1);
    for (std::size_t host = 0; host < hosts_.size(); ++host) {
      result_.domain_lo_.push_back(static_cast<uint32_t>(host));
      result_.domain_hi_.push_back(static_cast<uint32_t>(host + 1));
      result_.domain_parent_.push_back(result_.trees_[0].leaf[host]);
    }
    result_.levels_[at(level)].last = static_cast<uint32_t>(result_.domain_lo_.size());
  }

  TopologySpec spec_;
  std::vector<HostSpec> hosts_;
  Paths paths_;
  Topology result_;
};

Result<Topology> Topology::build(const TopologySpec& spec, std::vector<HostSpec> hosts) {
  return TopologyBuilder(spec, std::move(hosts)).build();
}

}  // namespace muster
