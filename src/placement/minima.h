// Which counts of placed members the minima of a request's tree allow, kept up while members come and go.
#pragma once

#include <vector>

#include "placement/problem.h"

namespace muster::placement {

class Minima {
 public:
  explicit Minima(const Problem& problem);

  void place(uint32_t node, uint32_t count) { add(placed_, node, count); }
  void take_back(uint32_t node, uint32_t count) { add(placed_, node, 0U - count); }
  void leave_out(uint32_t node, uint32_t count) { add(out_, node, count); }
  void bring_in(uint32_t node, uint32_t count) { add(out_, node, 0U - count); }

  [[nodiscard]] uint32_t placed(uint32_t node) const { return placed_[node]; }
  [[nodiscard]] bool holds(uint32_t node) const { return placed_[node] + problem_.nodes[node].bound > 0; }
  [[nodiscard]] bool some_left_out() const { return out_[0] > 0; }

  // Whether what is placed satisfies the tree. O(nodes).
  [[nodiscard]] bool reached() const;
  // Whether it still can when all members not left out are placed. O(nodes).
  [[nodiscard]] bool hopeful() const;

 private:
  void add(std::vector<uint32_t>& counts, uint32_t node, uint32_t count) {
    for (;; node = problem_.nodes[node].parent) {
      counts[node] += count;
      if (node == 0) return;
    }
  }
  [[nodiscard]] bool satisfied(bool at_best) const;

  const Problem& problem_;
  std::vector<uint32_t> placed_;  // per node, those of nodes below included; bound ones are not
  std::vector<uint32_t> out_;
};

}  // namespace muster::placement
