// The exact method for identical units (T3, T5): the least cost of holding n units in a domain.
//
// Cost, in this order: fewer domains at the coarsest level below the given one, then at the next finer, …,
// then fewer domains of the units' own level, then fewer of all of these that were entirely free.
#pragma once

#include <cstdint>
#include <vector>

#include "muster/ids.h"
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
  [[nodiscard]] bool is_leaf(DomainId domain) const { return leaf_.is_leaf(domain); }

 private:
  // "Holds that many at that cost." A list of steps grows in both; the first step is nothing for nothing.
  struct Step {
    uint32_t holds = 0;
    uint32_t before = 0;  // step of the merge before
    uint32_t pick = 0;    // step of the part merged in
    int64_t cost = 0;
  };
  using Steps = std::vector<Step>;
  struct Part {
    Steps steps;
    std::vector<DomainId> units;  // leaf: in the order in which they are taken
    std::vector<Part> parts;
    std::vector<Steps> merges;  // merges[i]: after parts 0..i
  };

  [[nodiscard]] int64_t touch(DomainId domain) const;
  [[nodiscard]] bool busy(DomainId domain) const { return problem_.state.busy_hosts(domain) > 0; }
  [[nodiscard]] std::vector<DomainId> single_parts(DomainId domain) const;
  [[nodiscard]] DomainId best_of(const std::vector<DomainId>& singles, int64_t& cost);
  [[nodiscard]] Part solve(DomainId domain, bool counted);
  [[nodiscard]] Part solve_units(std::vector<DomainId> units, int64_t touch) const;
  [[nodiscard]] Steps merge(const Steps& a, const Steps& b) const;
  [[nodiscard]] std::size_t last_step(const Part& whole) const;
  void emit(const Part& part, uint32_t index, uint32_t count, std::vector<UnitCount>& out) const;
  void emit_units(const Part& part, uint32_t used, uint32_t count, std::vector<UnitCount>& out) const;

  const Problem& problem_;
  const Units& units_;
  std::size_t tree_;
  uint32_t count_;
  Weights weights_;
  LeafPacker leaf_;
};

}  // namespace muster::placement
