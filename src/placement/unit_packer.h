// The exact method for identical units (T3, T5): the least cost of holding n units in a domain.
//
// Cost, in this order: fewer domains at the coarsest level below the given one, then at the next finer, …,
// then fewer domains of the units' own level, then fewer of all of these that were entirely free.
#pragma once

#include <cstdint>
#include <vector>

#include "muster/ids.h"
#include "placement/cost_table.h"
#include "placement/identical.h"

namespace muster::placement {

// A domain's parts, as far as units are concerned.
struct UnitParts {
  std::vector<DomainId> inner;  // coarser than a unit's domain
  std::vector<DomainId> units;
};
[[nodiscard]] UnitParts unit_parts(const Topology& topology, const Units& units, DomainId domain,
                                   std::size_t tree);

// Each level weighs more than everything finer together.
struct Weights {
  std::vector<int64_t> domain;  // by LevelId: cost of touching one
  int64_t unit = 0;
  int64_t broken = 1;  // touching one that was entirely free
};
[[nodiscard]] Weights weigh(const Topology& topology, const Units& units, LevelId above, std::size_t tree,
                            uint32_t count);

// Domains with nothing between them and the units' domains (leaf_packer.cc): fewest units' domains are the
// roomiest ones.
class LeafPacker {
 public:
  LeafPacker(const Problem& problem, const Units& units, std::size_t tree);

  [[nodiscard]] bool is_leaf(DomainId domain) const;
  // REQUIRES, of both: is_leaf(), 0 < count <= units.room(domain).
  [[nodiscard]] int64_t cost(DomainId domain, uint32_t count, const Weights& weights);
  // The last domain used is the tightest that suffices.
  void pack(DomainId domain, uint32_t count, std::vector<UnitCount>& out);

 private:
  void list_units(DomainId domain);

  const Problem& problem_;
  const Units& units_;
  LevelId above_ = kClusterLevel;  // the level right above the units'; kClusterLevel: not known
  // Units of the domain looked at that have room: sorted, the roomiest come first, busy ones among equals.
  std::vector<uint64_t> order_;
  bool uniform_ = false;  // all have the same room
  int64_t busy_ = 0;      // how many of them are busy
};

class UnitPacker {
 public:
  // `above`: level of the domains asked about, of which `tree` is the tree.
  UnitPacker(const Problem& problem, const Units& units, LevelId above, std::size_t tree, uint32_t count);

  // Work that pack() needs for the domain, roughly from above.
  [[nodiscard]] uint64_t effort(DomainId domain) const;
  // REQUIRES, of both: the domain has room for the count.
  [[nodiscard]] int64_t least_cost(DomainId domain);
  [[nodiscard]] Packing pack(DomainId domain);
  // No packing of the count into the domain costs less; the same for all leaves. O(parts).
  [[nodiscard]] int64_t bound(DomainId domain);
  [[nodiscard]] bool is_leaf(DomainId domain) const { return leaf_.is_leaf(domain); }

  // All costs of holding units in the domain. `counted`: the domain itself is paid for.
  [[nodiscard]] CostTable table(DomainId domain, bool counted) const;
  // Of a leaf of such a table: as few as `used`, the last one replaced by the tightest that suffices (T3).
  void take_units(const CostTable& leaf, uint32_t used, uint32_t count, std::vector<UnitCount>& out) const;
  // What using the domain costs beside what is in it.
  [[nodiscard]] int64_t touch(DomainId domain) const;

 private:
  [[nodiscard]] bool busy(DomainId domain) const { return problem_.state.busy_hosts(domain) > 0; }
  [[nodiscard]] std::vector<DomainId> single_parts(DomainId domain) const;
  [[nodiscard]] DomainId best_of(const std::vector<DomainId>& singles, int64_t& cost);
  [[nodiscard]] CostTable leaf_table(std::vector<DomainId> units, int64_t touch) const;
  [[nodiscard]] int64_t parts_bound(DomainId domain);

  const Problem& problem_;
  const Units& units_;
  std::size_t tree_;
  uint32_t count_;
  Weights weights_;
  LeafPacker leaf_;
  std::vector<LevelId> levels_;  // of the tree
  std::vector<int64_t> rooms_;   // of the parts looked at
};

}  // namespace muster::placement
