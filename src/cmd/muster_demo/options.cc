#include "cmd/muster_demo/options.h"

#include "cmd/command_line.h"

namespace muster::demo {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Shows in the terminal what Muster does: runs muster-extender with a cluster in memory and plays\n"
      "the user and kube-scheduler. Ends with status 0 when everything happened as told.",
      "muster-demo"};
  app.set_version_flag("--version", "muster-demo " MUSTER_VERSION);
  app.add_option("--extender", options.extender, "the program muster-extender")->required();
  app.add_option("--cluster", options.cluster, "the sample cluster, YAML")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--config", options.config, "its MusterConfiguration")->required()->check(CLI::ExistingFile);
  app.add_flag("--fast", options.fast, "do not pause between the scenes");
  if (const auto status = cmd::parse(app, argc, argv)) return *status;
  return options;
}

}  // namespace muster::demo
