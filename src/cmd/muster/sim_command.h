// `muster sim`: the command line of src/sim.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace muster::cmd {

struct SimOptions {
  std::string trace_file;
  std::string cluster;
  std::vector<std::string> node_files;
  std::string config_file;
  std::string levels;
  std::vector<std::string> compared;
  std::vector<std::string> bounds;
  std::string bind_delay;
  std::string output = "text";
};

[[nodiscard]] CLI::App* add_sim_command(CLI::App& app, SimOptions& options);

// 0; 1 when a bound is broken; 2 bad input or an output that cannot be written, explained on stderr.
[[nodiscard]] int run_sim(const SimOptions& options);

}  // namespace muster::cmd
