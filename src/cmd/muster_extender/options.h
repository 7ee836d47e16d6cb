// muster-extender's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace muster::cmd {

struct Options {
  std::string config_file;
  std::string kubeconfig;
  std::string cluster_file;  // not empty: the embedded API instead of a cluster
  uint16_t api_port = 0;     // of the embedded API
  std::optional<uint16_t> port;
  bool insecure = false;      // any caller may be heard beyond loopback
  bool leader_elect = false;  // as leaderElection.enabled
  std::string probe;          // not empty: ask the running server for this path and exit
};

// The options, or the status to exit with at once: 0 after --help and --version, 2 for a wrong command line,
// which has been explained on stderr.
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace muster::cmd
