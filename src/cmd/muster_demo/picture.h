// The picture of racks and hosts: two blocks beside each other, a line a rack, a character a host. Pure.
#pragma once

#include <string>
#include <vector>

#include "cmd/muster_demo/cluster_view.h"
#include "cmd/muster_demo/style.h"

namespace muster::demo {

struct GroupMark {
  std::string group;
  char letter = 'A';
  Ink ink = Ink::kCyan;
};

// A host with a member shows the group's letter, a small one while the member is planned and not bound. At
// most 80 columns for racks of up to 16 hosts.
[[nodiscard]] std::string draw(const ClusterView& view, const std::vector<GroupMark>& marks,
                               const Style& style);

// One line that explains the characters, with the groups that have members.
[[nodiscard]] std::string legend(const ClusterView& view, const std::vector<GroupMark>& marks,
                                 const Style& style);

}  // namespace muster::demo
