// What members ask for, counted over those that wait and those that are bound. This is the mix of shapes that
// the solver leaves room for; it follows from the pods in the API alone, so a restart does not lose it.
//
// Thread rule: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/resources.h"
#include "muster/ids.h"

namespace muster::books {

class MemberShapes {
 public:
  // What one member asks for, kept by its owner. It has to be dropped before it is destroyed.
  class Use;

  // The member asks for this, and no longer for what it asked for before. O(log shapes).
  void hold(Use& use, const ResourceList& demand, NodeSetId node_set);
  void drop(Use& use);

  struct Counted {
    const ResourceList* demand = nullptr;  // good until the next change
    NodeSetId node_set = kEveryHost;
    std::size_t members = 0;
  };
  // Shapes with most members first. O(n log n) in the number of shapes.
  [[nodiscard]] std::vector<Counted> by_members() const;

  [[nodiscard]] std::size_t members() const { return members_; }
  // Grows with every member that comes, goes or asks for something else.
  [[nodiscard]] uint64_t changes() const { return changes_; }

 private:
  struct Less {
    using is_transparent = void;
    // A shape to look for need not be copied: it is a pair with a reference.
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return std::tie(a.second, a.first.entries()) < std::tie(b.second, b.first.entries());
    }
  };
  using Counts = std::map<std::pair<ResourceList, NodeSetId>, std::size_t, Less>;

  Counts counts_;
  std::size_t members_ = 0;
  uint64_t changes_ = 0;
};

class MemberShapes::Use {
 public:
  [[nodiscard]] bool none() const { return !shape_; }

 private:
  friend class MemberShapes;
  std::optional<Counts::iterator> shape_;
};

}  // namespace muster::books
