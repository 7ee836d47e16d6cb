// The constraint tree as additive counts.
//
// Members of a kind are one dimension. A subgroup or slice that has to stay inside one domain of a level is a
// scope; scopes that ask for the same are a class, and each way in which a scope of the class can be filled
// is a further dimension: «so many scopes of this class, filled this way, lie inside». Because only counts
// matter, what a set of hosts can hold is a set of vectors, and vectors of disjoint sets of hosts add up.
//
// Two modes: in kAll every member is placed, so that each scope can be filled in one way. In kLeast all ways
// that respect the minima are variants.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "placement/problem.h"

namespace muster::placement {

enum class Mode : uint8_t { kAll, kLeast };

using Need = std::vector<std::pair<uint32_t, uint32_t>>;  // (dimension, count), sorted, counts > 0

// One way of filling a node: what it needs, and what that is made of.
struct Variant {
  Need need;
  uint32_t placed = 0;   // members
  bool reached = true;   // the node's own minima hold
  uint32_t made_of = 0;  // last entry in Structure::entries, 0: nothing
};

// Linked list of the parts of a variant.
struct Entry {
  uint32_t before = 0;
  uint32_t node = 0;
  // Members of `node` itself, or a variant of `node`, a child.
  bool members = false;
  uint32_t kind = 0;
  uint32_t count = 0;
  uint32_t variant = 0;  // of `node`
};

struct ScopeClass {
  LevelId level = kClusterLevel;
  LevelId required = kClusterLevel;  // the same or, where `level` is a wish, coarser
  LevelId exclusive = kClusterLevel;
  uint32_t owner_scope = 0;          // see Structure::owner_of
  std::vector<uint32_t> dimensions;  // one per way of being filled
  std::vector<Need> needs;
  std::vector<uint32_t> nodes;  // the scopes of the class, in rank order
};

class Structure {
 public:
  Structure(Problem& problem, Mode mode, const std::vector<LevelId>& levels);

  [[nodiscard]] std::size_t dimensions() const { return dimension_class_.size(); }
  [[nodiscard]] std::size_t kinds() const { return problem_.kinds.size(); }
  // The class a dimension counts scopes of; UINT32_MAX for kinds.
  [[nodiscard]] uint32_t class_of(uint32_t dimension) const { return dimension_class_[dimension]; }
  [[nodiscard]] uint32_t way_of(uint32_t dimension) const { return dimension_way_[dimension]; }
  // UINT32_MAX: the node is no scope.
  [[nodiscard]] uint32_t class_of_node(uint32_t node) const { return class_of_node_[node]; }
  [[nodiscard]] const std::vector<ScopeClass>& classes() const { return classes_; }
  // Ways of filling the whole group, most members first.
  [[nodiscard]] const std::vector<Variant>& whole() const { return variants_[0]; }
  [[nodiscard]] const std::vector<Variant>& variants(uint32_t node) const { return variants_[node]; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  // Some ways were left out because there are too many: a «no» proves nothing.
  [[nodiscard]] bool incomplete() const { return incomplete_; }
  // There are so many ways that they were not counted out: whole() is of no use.
  [[nodiscard]] bool too_large() const { return work_ > kMaxWork; }
  // The minima contradict each other: there is no way.
  [[nodiscard]] bool none() const { return whole().empty() && !incomplete_ && !too_large(); }

  // The exclusive scope (node) at this level a dimension belongs to: 0 none; the counted scopes themselves:
  // kSelf.
  static constexpr uint32_t kSelf = UINT32_MAX;
  [[nodiscard]] uint32_t owner_of(uint32_t dimension, LevelId exclusive_level) const;

 private:
  struct Partial {
    Variant variant;
    uint32_t standing = 0;   // subgroups below that stand
    bool obliged_ok = true;  // all subgroups below with minima reached
  };
  void fill(uint32_t node);
  void add_direct(uint32_t node, std::vector<Partial>& partials);
  void add_child(uint32_t node, uint32_t child, std::vector<Partial>& partials);
  void merge_alike(std::vector<Partial>& partials);
  void finish(uint32_t node, std::vector<Partial>& partials);
  void make_scope(uint32_t node);

  Problem& problem_;
  Mode mode_;
  const std::vector<LevelId>& levels_;  // per node: the level it is held to, kClusterLevel none
  std::vector<std::vector<Variant>> variants_;
  std::vector<Entry> entries_;
  std::vector<ScopeClass> classes_;
  std::vector<uint32_t> class_of_node_;
  std::map<std::tuple<LevelId, LevelId, LevelId, uint32_t, std::vector<Need>>, uint32_t> known_;
  std::vector<uint32_t> dimension_class_;
  std::vector<uint32_t> dimension_way_;
  bool incomplete_ = false;
  static constexpr uint64_t kMaxWork = 200'000;  // partials looked at
  uint64_t work_ = 0;
};

// a + b × times.
[[nodiscard]] Need add(const Need& a, const Need& b, uint32_t times = 1);

}  // namespace muster::placement
