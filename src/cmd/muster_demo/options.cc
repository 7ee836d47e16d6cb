#include "cmd/muster_demo/options.h"

#include <CLI/CLI.hpp>

namespace muster::demo {

std::optional<Options> parse_options(int argc, char** argv, int& status) {
  Options options;
  CLI::App app{
      "Shows in the terminal what Muster does: runs muster-extender with a cluster in memory and plays\n"
      "the user and kube-scheduler. Ends with status 0 when everything happened as told."};
  app.add_option("--extender", options.extender, "the program muster-extender")->required();
  app.add_option("--cluster", options.cluster, "the sample cluster, YAML")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--config", options.config, "its MusterConfiguration")->required()->check(CLI::ExistingFile);
  app.add_flag("--fast", options.fast, "do not pause between the scenes");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    status = app.exit(error);
    return std::nullopt;
  }
  return options;
}

}  // namespace muster::demo
