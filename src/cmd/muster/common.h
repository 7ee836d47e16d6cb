// What the subcommands share.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "books/books.h"
#include "engine/coordinator.h"

namespace muster::cmd {

// "block=topology.muster.dev/block,rack=…" or bare label keys, which are their own names. The host is implied
// and may stand last.
[[nodiscard]] Result<std::vector<books::TreeLabels>> parse_levels(const std::string& list);

// What a configuration file says to the engine; its levels make a topology.
[[nodiscard]] Result<engine::CoordinatorOptions> load_options(const std::string& file);

// Processor time of this thread: a decision is one thread's work, and what else the machine does is not its.
[[nodiscard]] double processor_seconds();

}  // namespace muster::cmd
