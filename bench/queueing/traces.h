// Public traces as the simulator wants them: groups of Philly's virtual clusters, and the network of a
// cluster.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "kube/types.h"
#include "sim/trace.h"

namespace muster::bench {

// A job of the trace, as it says.
struct PhillyJob {
  double arrival = 0;  // seconds
  uint32_t gpus = 1;
  std::string cluster;  // virtual cluster
};

// gavel-philly/vc_*.csv, by time. kNotFound when there is none.
[[nodiscard]] Result<std::vector<PhillyJob>> read_philly(const std::filesystem::path& folder);
// The durations of philly_runtime.csv, in seconds.
[[nodiscard]] Result<std::vector<double>> read_runtimes(const std::filesystem::path& file);
// The hosts of alibaba-lingjun-2023/topo.csv with 8 GPUs each: a PSW is a block, an ASW below it a rack.
[[nodiscard]] Result<std::vector<kube::Node>> read_lingjun(const std::filesystem::path& file);

struct TraceOptions {
  uint32_t host_gpus = 8;
  uint32_t scale = 1;   // GPUs for each one that a job of the trace has
  uint32_t copies = 1;  // of the whole trace, beside each other
  int64_t gpus = 0;     // of the cluster
  double load = 0.9;    // GPU seconds asked for ÷ GPU seconds there are between the first and last arrival
  uint64_t seed = 1;
};

// Arrivals as far apart as the load makes them, durations drawn with the seed. A job becomes a group of whole
// hosts, or one member where it needs less; groups of several members have to be in a block, in a rack if
// possible.
[[nodiscard]] sim::Trace make_trace(const std::vector<PhillyJob>& jobs, const std::vector<double>& runtimes,
                                    const TraceOptions& options);

}  // namespace muster::bench
