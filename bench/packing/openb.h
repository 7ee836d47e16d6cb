// The openb traces: nodes, pods, and the order in which pods arrive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace muster::bench {

struct OpenbNode {
  int64_t cpu = 0;     // millicores
  int64_t memory = 0;  // MiB
  uint32_t gpus = 0;
  std::string model;
};

struct OpenbPod {
  int64_t cpu = 0;
  int64_t memory = 0;
  uint32_t gpus = 0;   // devices
  int64_t share = 0;   // of each, in thousandths
  std::string models;  // "V100M16|V100M32"; empty: any
  friend auto operator<=>(const OpenbPod&, const OpenbPod&) = default;
  [[nodiscard]] int64_t devices() const { return share * gpus; }
  [[nodiscard]] bool accepts(const std::string& model) const;
};

// kNotFound when the file is absent.
[[nodiscard]] Result<std::vector<OpenbNode>> read_nodes(const std::filesystem::path& path);
[[nodiscard]] Result<std::vector<OpenbPod>> read_pods(const std::filesystem::path& path);

// The pods in a random order; when they ask for less than `demand` thousandths of a device, more are drawn
// from them until they do.
[[nodiscard]] std::vector<OpenbPod> arrivals(const std::vector<OpenbPod>& pods, int64_t demand,
                                             uint64_t seed);

// The published figures: workload → policy → allocation in % at 130 % (and other points) of arrived demand.
using Published = std::map<std::string, std::map<std::string, std::map<int, double>>>;
[[nodiscard]] Result<Published> read_published(const std::filesystem::path& path);

}  // namespace muster::bench
