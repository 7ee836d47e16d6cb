// What the subcommands share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "books/books.h"
#include "engine/coordinator.h"
#include "offline/input.h"

namespace muster::cmd {

// "block=topology.muster.dev/block,rack=…" or bare label keys, which are their own names. The host is implied
// and may stand last.
[[nodiscard]] Result<std::vector<books::TreeLabels>> parse_levels(const std::string& list);

// What a configuration file says to the engine; its levels make a topology.
[[nodiscard]] Result<engine::CoordinatorOptions> load_options(const std::string& file);

// A line on stderr for each warning about the input.
void warn_of(const offline::Input& input, const char* command);

// All of the text, or why it cannot be written.
[[nodiscard]] Result<void> write_stdout(std::string_view text);

// Processor time of this thread: a decision is one thread's work, and what else the machine does is not its.
[[nodiscard]] double processor_seconds();

}  // namespace muster::cmd
