// The command line of muster-demo.
#pragma once

#include <string>
#include <variant>

namespace muster::demo {

struct Options {
  std::string extender;
  std::string cluster;
  std::string config;
  bool fast = false;  // no pauses, even in a terminal
};

// The options, or the status to exit with at once: 0 after --help and --version, 2 for a wrong command line,
// which has been explained on stderr.
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace muster::demo
