// Clusters that need no file.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "books/books.h"
#include "kube/types.h"

namespace muster::sim {

inline constexpr std::string_view kGpu = "nvidia.com/gpu";

// Hosts of one kind in racks of equal size in blocks of equal size; the last ones may be smaller.
struct Layout {
  std::string_view name;
  uint32_t gpus = 0;             // of a host
  uint32_t hosts_per_rack = 0;   //
  uint32_t racks_per_block = 0;  //
};
// Racks of 18 hosts with 4 GPUs in one NVLink domain, eight of them a block.
inline constexpr Layout kNvl72{"nvl72", 4, 18, 8};
// Hosts with 8 GPUs, four a rack as power allows, eight racks a block.
inline constexpr Layout kHgx{"hgx", 8, 4, 8};

// A node of a simulated cluster, with the labels topology.muster.dev/block and …/rack, ready.
[[nodiscard]] kube::Node make_node(std::string name, std::string block, std::string rack, uint32_t gpus);
[[nodiscard]] std::vector<kube::Node> make_nodes(const Layout& layout, uint32_t hosts);

// "nvl72:1000" or "hgx:1000": so many hosts, at most a million. kInvalid names the value.
[[nodiscard]] Result<std::vector<kube::Node>> make_nodes(std::string_view text);

// Levels block and rack over these labels.
[[nodiscard]] std::vector<books::TreeLabels> block_and_rack();

}  // namespace muster::sim
