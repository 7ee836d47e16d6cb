// `muster plan`: the command line of src/offline.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace muster::cmd {

struct PlanOptions {
  std::string config_file;
  std::string levels;
  std::string order = "input";
  bool explain = false;
  std::string output = "text";
  std::vector<std::string> files;
};

void add_plan_command(CLI::App& app, PlanOptions& options);

// 0 all groups fit, 3 some group does not, 4 some are undecided, 2 bad input or an output that cannot be
// written, explained on stderr.
[[nodiscard]] int run_plan(const PlanOptions& options);

}  // namespace muster::cmd
