// A trace played to the engine in virtual time: its groups arrive, are planned and bound by the real
// coordinator, run for as long as the trace says, and go. kube-scheduler does what it is told at once, or
// asks to bind after a stated delay; nothing fails.
//
// Deterministic: the same scenario gives the same outcome, but for the processor time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/coordinator.h"
#include "sim/trace.h"

namespace muster::sim {

struct Scenario {
  engine::CoordinatorOptions options;
  std::vector<kube::Node> nodes;
  std::vector<kube::Pod> pods;  // that keep their nodes throughout
  Duration bind_delay{0};       // from a member's release to kube-scheduler's wish to bind it
};

// Of one level that is neither the cluster nor the host.
struct LevelOutcome {
  std::string name;
  // Domains used ÷ the fewest that would have done when the group was placed, mean over the groups of more
  // than one member; at least 1.
  std::optional<double> excess_span;
  // Of the room in the level's domains, the share that no whole group can use: mean over the groups that ask
  // for this level, and over moments spread over the arrivals.
  std::optional<double> fragmentation;
};

struct Outcome {
  std::vector<std::optional<Duration>> waits;  // of each arrival until its last binding; none: never placed
  std::size_t hosts = 0;                       // that can be used and have GPUs
  int64_t gpus = 0;
  // From the first arrival to the last placement:
  double allocation = 0;   // GPUs held ÷ GPUs, over time
  double partly_used = 0;  // hosts neither empty nor full ÷ hosts, over time
  std::vector<LevelOutcome> levels;
  uint64_t decisions = 0;  // questions answered by the solver
  uint64_t steps = 0;      // of the solver
  double engine_seconds = 0;
};

// `seconds` is a clock that is read before and after the engine's turns: processor time of this thread.
// kInvalid when a group is rejected, with the line of the trace and the engine's reason. A group that finds
// no place although all others have gone is given up.
[[nodiscard]] Result<Outcome> simulate(const Scenario& scenario, const Trace& trace,
                                       const std::function<double()>& seconds);

}  // namespace muster::sim
