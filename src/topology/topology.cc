#include "muster/topology.h"

#include <fmt/format.h>

#include <algorithm>

#include "topology/name_index.h"

namespace muster {

namespace {

// "tree/level"
bool is_qualified(std::string_view name, std::string_view tree, std::string_view level) {
  return name.size() == tree.size() + 1 + level.size() && name.starts_with(tree) &&
         name[tree.size()] == '/' && name.ends_with(level);
}

}  // namespace

Topology::Topology() {
  Level cluster;
  cluster.name = "cluster";
  cluster.last = 1;
  Level host;
  host.name = "host";
  host.aliases = {"kubernetes.io/hostname"};
  host.depth = UINT16_MAX;
  host.first = host.last = 1;
  levels_ = {cluster, host};
  trees_.resize(1);
  domain_lo_ = {0};
  domain_hi_ = {0};
  domain_parent_ = {kNoDomain};
  domain_level_ = {kClusterLevel};
  values_ = {"cluster"};
  by_name_ = topology::empty_index(0);
}

Result<LevelId> Topology::find_level(std::string_view name) const {
  std::size_t matches = 0;
  std::size_t found = 0;
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    const Level& it = levels_[level];
    const bool implied = level + 1 == levels_.size();
    const bool aliased = std::find(it.aliases.begin(), it.aliases.end(), name) != it.aliases.end();
    if (name != it.name && !aliased && (implied || !is_qualified(name, trees_[it.tree].name, it.name)))
      continue;
    ++matches;
    found = level;
  }
  if (matches == 1) return static_cast<LevelId>(found);
  std::string known;
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    const Level& it = levels_[level];
    if (!known.empty()) known += ", ";
    if (trees_.size() > 1 && level + 1 < levels_.size()) known += trees_[it.tree].name + "/";
    known += it.name;
  }
  if (matches == 0) return invalid("unknown level \"{}\" (levels: {})", name, known);
  return invalid("level \"{}\" is ambiguous: name the tree as well (levels: {})", name, known);
}

std::string_view Topology::level_name(LevelId level) const { return levels_[at(level)].name; }

bool Topology::nests(LevelId coarse, LevelId fine) const {
  if (coarse == fine || coarse == kClusterLevel || fine == host_level()) return true;
  if (coarse == host_level() || fine == kClusterLevel) return false;
  return tree(coarse) == tree(fine) && levels_[at(coarse)].depth < levels_[at(fine)].depth;
}

std::optional<LevelId> Topology::coarser(LevelId level, std::size_t tree_of_host) const {
  if (level == kClusterLevel) return std::nullopt;
  const auto& levels = trees_[level == host_level() ? tree_of_host : tree(level)].levels;
  if (level == host_level()) return levels.empty() ? kClusterLevel : levels.back();
  const auto depth = static_cast<std::size_t>(levels_[at(level)].depth);
  return depth == 1 ? kClusterLevel : levels[depth - 2];
}

std::vector<LevelId> Topology::tree_levels(std::size_t tree) const {
  std::vector<LevelId> all{kClusterLevel};
  all.insert(all.end(), trees_[tree].levels.begin(), trees_[tree].levels.end());
  all.push_back(host_level());
  return all;
}

std::optional<HostIndex> Topology::find_host(std::string_view name) const {
  const uint32_t host = by_name_[topology::place_of(name, by_name_, names_)];
  if (host == topology::kNobody) return std::nullopt;
  return static_cast<HostIndex>(host);
}

DomainRange Topology::domains(LevelId level) const {
  return {levels_[at(level)].first, levels_[at(level)].last};
}

DomainRange Topology::domains_within(DomainId domain, LevelId level) const {
  const LevelId own = level_of(domain);
  if (own == level) return {static_cast<uint32_t>(domain), static_cast<uint32_t>(domain) + 1};
  if (own == kClusterLevel) return domains(level);
  if (!nests(own, level)) return {};
  MUSTER_CHECK(level != host_level() || tree(own) == 0);
  const Level& range = levels_[at(level)];
  const auto begin = domain_lo_.begin() + range.first;
  const auto end = domain_lo_.begin() + range.last;
  const auto first = std::lower_bound(begin, end, domain_lo_[at(domain)]);
  const auto last = std::lower_bound(first, end, domain_hi_[at(domain)]);
  return {static_cast<uint32_t>(first - domain_lo_.begin()),
          static_cast<uint32_t>(last - domain_lo_.begin())};
}

std::span<const HostIndex> Topology::hosts(DomainId domain) const {
  const std::size_t tree_of = tree(level_of(domain));
  const std::size_t lo = domain_lo_[at(domain)];
  return std::span(trees_[tree_of].order).subspan(lo, domain_hi_[at(domain)] - lo);
}

DomainId Topology::domain_of(HostIndex host, LevelId level) const {
  if (level == host_level()) return host_domain(host);
  if (level == kClusterLevel) return kClusterDomain;
  DomainId domain = trees_[tree(level)].leaf[at(host)];
  const auto depth = levels_[at(level)].depth;
  while (levels_[at(level_of(domain))].depth > depth) domain = parent(domain);
  return level_of(domain) == level ? domain : kNoDomain;
}

std::string Topology::value(DomainId domain) const {
  if (at(domain) < values_.size()) return values_[at(domain)];
  return names_[at(domain) - levels_.back().first];
}

std::string Topology::describe(DomainId domain) const {
  if (domain == kClusterDomain) return "cluster";
  return fmt::format("{} {}", level_name(level_of(domain)), value(domain));
}

}  // namespace muster
