// The command line of muster-demo.
#pragma once

#include <optional>
#include <string>

namespace muster::demo {

struct Options {
  std::string extender;
  std::string cluster;
  std::string config;
  bool fast = false;  // no pauses, even in a terminal
};

// Nothing when the program has to end at once, with this status: after --help, or after a mistake, which has
// then been explained on stderr.
[[nodiscard]] std::optional<Options> parse_options(int argc, char** argv, int& status);

}  // namespace muster::demo
