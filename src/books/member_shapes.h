// What members ask for, counted over those that wait and those that are bound. This is the mix of shapes that
// the solver leaves room for; it follows from the pods in the API alone, so a restart does not lose it.
//
// Thread rule: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/resources.h"
#include "muster/ids.h"

namespace muster::books {

class MemberShapes {
 public:
  // The member asks for this, and no longer for what it asked for before. O(log shapes).
  void hold(const std::string& uid, const ResourceList& demand, NodeSetId node_set);
  void drop(const std::string& uid);

  struct Counted {
    const ResourceList* demand = nullptr;  // good until the next change
    NodeSetId node_set = kEveryHost;
    std::size_t members = 0;
  };
  // Shapes with most members first. O(n log n) in the number of shapes.
  [[nodiscard]] std::vector<Counted> by_members() const;

  [[nodiscard]] std::size_t members() const { return of_.size(); }
  // Grows with every member that comes, goes or asks for something else.
  [[nodiscard]] uint64_t changes() const { return changes_; }

 private:
  struct Less {
    bool operator()(const std::pair<ResourceList, NodeSetId>& a,
                    const std::pair<ResourceList, NodeSetId>& b) const;
  };
  using Counts = std::map<std::pair<ResourceList, NodeSetId>, std::size_t, Less>;

  Counts counts_;
  std::unordered_map<std::string, Counts::iterator> of_;  // by uid
  uint64_t changes_ = 0;
};

}  // namespace muster::books
