// The immutable tree (or trees) of levels and domains over the hosts of a cluster.
//
// Levels come from configuration: each tree is an ordered list, coarse to fine. The whole cluster is the
// level above all of them, the host the level below all of them. Label values count within their parent:
// two blocks may both have a rack "1"; their qualified values are "b1/1" and "b2/1". A host without a level's
// label is in no domain of that level and hangs below the level above.
//
// Hosts are numbered in depth-first order of the first tree; values and names are ordered naturally ("r2"
// before "r10"), so the numbering does not depend on the order of the input. Every domain is an interval of
// its tree's order, and hosts() gives it as a span.
//
// Immutable after build(), so safe to read from several threads. Adding a host or changing a label means
// building again: O(N log N), about 50 ms at 100,000 hosts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "muster/ids.h"

namespace muster {

struct LevelSpec {
  std::string name;
  std::vector<std::string> aliases;  // other names a constraint may use, e.g. the level's label key
};

struct TreeSpec {
  std::string name;
  std::vector<LevelSpec> levels;  // coarse to fine; the host is implied
};

// Without trees there are two levels, cluster and host.
struct TopologySpec {
  std::vector<TreeSpec> trees;
};

struct HostSpec {
  std::string name;
  // labels[tree][level] as in the TopologySpec; an empty or missing value means the host lacks the label.
  std::vector<std::vector<std::string>> labels;
};

struct DomainRange {
  uint32_t first = 0;
  uint32_t last = 0;  // exclusive

  [[nodiscard]] uint32_t size() const { return last - first; }
};

class Topology {
 public:
  // kInvalid: repeated tree, level or host name, an empty name, the reserved level name "host",
  // more than 16 levels in a tree, more than 8 trees, more labels than levels.
  [[nodiscard]] static Result<Topology> build(const TopologySpec& spec, std::vector<HostSpec> hosts);

  // No hosts, no levels.
  Topology();

  // -- levels

  // "rack", "fabric/rack", an alias, "host" or "kubernetes.io/hostname". kInvalid when unknown or ambiguous;
  // the message names the value and the levels there are.
  [[nodiscard]] Result<LevelId> find_level(std::string_view name) const;
  [[nodiscard]] std::string_view level_name(LevelId level) const;
  [[nodiscard]] std::size_t level_count() const { return levels_.size(); }
  [[nodiscard]] LevelId host_level() const { return static_cast<LevelId>(levels_.size() - 1); }
  // The tree a level belongs to; 0 for the cluster and the host, which belong to all.
  [[nodiscard]] std::size_t tree(LevelId level) const { return levels_[at(level)].tree; }
  [[nodiscard]] std::size_t tree_count() const { return trees_.size(); }
  // True when every domain of `fine` lies in at most one domain of `coarse`: same level, same tree and
  // deeper, or one of them is the cluster or the host.
  [[nodiscard]] bool nests(LevelId coarse, LevelId fine) const;
  // The next coarser level of the same tree; the cluster has none. The host climbs in `tree`.
  [[nodiscard]] std::optional<LevelId> coarser(LevelId level, std::size_t tree = 0) const;
  // Levels of a tree, coarse to fine, with the cluster first and the host last.
  [[nodiscard]] std::vector<LevelId> tree_levels(std::size_t tree) const;

  // -- hosts

  [[nodiscard]] std::size_t host_count() const { return names_.size(); }
  [[nodiscard]] const std::string& host_name(HostIndex host) const { return names_[at(host)]; }
  [[nodiscard]] std::optional<HostIndex> find_host(std::string_view name) const;  // O(1)

  // -- domains

  [[nodiscard]] std::size_t domain_count() const { return domain_lo_.size(); }
  // Domains of one level, in depth-first order.
  [[nodiscard]] DomainRange domains(LevelId level) const;
  // Domains of `level` inside `domain`, both of one tree (the cluster belongs to all; hosts only to the
  // first, for others see hosts()). Empty when the level is coarser. O(log D).
  [[nodiscard]] DomainRange domains_within(DomainId domain, LevelId level) const;
  [[nodiscard]] LevelId level_of(DomainId domain) const {
    return at(domain) < domain_level_.size() ? domain_level_[at(domain)] : host_level();
  }
  // The next coarser domain that holds this one; hosts climb in the first tree. The cluster has none.
  [[nodiscard]] DomainId parent(DomainId domain) const { return domain_parent_[at(domain)]; }
  [[nodiscard]] std::span<const HostIndex> hosts(DomainId domain) const;
  // All hosts in the depth-first order of a tree.
  [[nodiscard]] std::span<const HostIndex> order(std::size_t tree) const { return trees_[tree].order; }
  // kNoDomain when the host lacks the level's label. O(levels).
  [[nodiscard]] DomainId domain_of(HostIndex host, LevelId level) const;
  // The finest domain of a tree above the host: its rack, or what there is.
  [[nodiscard]] DomainId leaf_domain(HostIndex host, std::size_t tree = 0) const {
    return trees_[tree].leaf[at(host)];
  }
  [[nodiscard]] DomainId host_domain(HostIndex host) const {
    return static_cast<DomainId>(levels_.back().first + static_cast<uint32_t>(host));
  }
  // "b2/r7"; a host's name; "cluster".
  [[nodiscard]] std::string value(DomainId domain) const;
  // "rack b2/r7", "host n17", "cluster".
  [[nodiscard]] std::string describe(DomainId domain) const;

 private:
  struct Level {
    std::string name;
    std::vector<std::string> aliases;
    uint16_t tree = 0;
    uint16_t depth = 0;  // 0 the cluster, 1 the coarsest level of a tree
    uint32_t first = 0;  // domains [first, last)
    uint32_t last = 0;
  };
  struct Tree {
    std::string name;
    std::vector<LevelId> levels;   // without cluster and host
    std::vector<HostIndex> order;  // position → host; the identity for the first tree
    std::vector<DomainId> leaf;    // host → finest domain
  };
  friend class TopologyBuilder;

  std::vector<Level> levels_;
  std::vector<Tree> trees_;  // at least one
  std::vector<std::string> names_;
  std::vector<uint32_t> by_name_;  // hosts, as topology/name_index.h has them
  // One entry per domain; hosts' are positions in the first tree.
  std::vector<uint32_t> domain_lo_;
  std::vector<uint32_t> domain_hi_;
  std::vector<DomainId> domain_parent_;
  std::vector<LevelId> domain_level_;  // of domains that are no hosts
  std::vector<std::string> values_;    // of domains that are no hosts
};

}  // namespace muster
