// What could move for a group to fit: a plan of migrations, each to room that is free now.
#pragma once

#include <string>
#include <vector>

#include "books/books.h"
#include "group/room.h"
#include "kube/types.h"

namespace muster::offline {

struct Move {
  std::string pod;  // "namespace/name"
  std::string from;
  std::string to;
};

// Pods that may move: bound, of no group, and neither a DaemonSet's nor a static one.
[[nodiscard]] std::vector<kube::Pod> movable(const std::vector<kube::Pod>& pods);

// The fewest pods of one node, at most four, that have to move for the group to fit; none is told when there
// are none, or when more sets would have to be tried than is worth it. Group and moved pods are placed in one
// decision, the moved ones on other nodes, so no move waits for another. Looks at the nodes of the domain
// that came closest. The books are as before on return.
[[nodiscard]] std::vector<Move> find_moves(const group::Question& question, const books::Decision& no,
                                           const std::vector<kube::Pod>& movable, books::Books& books);

}  // namespace muster::offline
