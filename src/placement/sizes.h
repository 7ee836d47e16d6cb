// Divisible sizes of one device (T7): for sizes s1 | s2 | …, members of size s_k and larger need no more room
// than hosts have in whole units of s_k. Necessary always; where nothing else binds, sufficient as well, and
// largest-first then succeeds with any host rule.
#pragma once

#include <optional>
#include <vector>

#include "placement/problem.h"

namespace muster::placement {

// The sizes of a request, where they divide.
class Sizes {
 public:
  // Absent when the kinds ask for no common device, sizes do not divide, or node sets or restrictions differ.
  [[nodiscard]] static std::optional<Sizes> of(Problem& problem);

  // The size whose inequality the domain violates for all pending members. O(sizes).
  [[nodiscard]] std::optional<int64_t> violated(DomainId domain) const;

  // The pending members are so many equal shares: how many of them the domain can hold at most. O(sizes).
  [[nodiscard]] int64_t shares(DomainId domain, int64_t of) const;

 private:
  [[nodiscard]] int64_t units_in(DomainId domain, const Rooms& units) const;
  struct Size {
    int64_t size = 0;
    int64_t from_here = 0;  // device units of all members of this size and larger
    const Rooms* units = nullptr;
  };
  std::vector<Size> sizes_;
  std::size_t inner_domains_ = 0;
};

}  // namespace muster::placement
