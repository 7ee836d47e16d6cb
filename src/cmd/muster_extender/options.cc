#include "cmd/muster_extender/options.h"

#include "cmd/command_line.h"

namespace muster::cmd {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("Muster: a kube-scheduler extender that places and binds groups of pods as one",
               "muster-extender");
  app.set_version_flag("--version", "muster-extender " MUSTER_VERSION);
  app.add_option("--config", options.config_file, "the MusterConfiguration file")->type_name("FILE");
  auto* kubeconfig = app.add_option("--kubeconfig", options.kubeconfig,
                                    "how to reach the API server (default: KUBECONFIG, then in-cluster)");
  kubeconfig->type_name("FILE");
  auto* cluster = app.add_option("--cluster", options.cluster_file,
                                 "no Kubernetes: an API in memory, filled from this YAML file");
  cluster->type_name("FILE")->excludes(kubeconfig);
  app.add_option("--api-port", options.api_port, "port of the API in memory (default: a free one)")
      ->needs(cluster);
  app.add_option("--port", options.port, "overrides server.port; 0 picks a free one");
  app.add_flag("--insecure", options.insecure,
               "let any caller from other machines in: plain HTTP, or no clientCAFile");
  app.add_flag("--leader-elect", options.leader_elect, "as leaderElection.enabled of the configuration");
  app.add_option("--probe", options.probe, "ask the running server for this path, e.g. /readyz, and exit")
      ->type_name("PATH");
  if (const auto status = parse(app, argc, argv)) return *status;
  return options;
}

}  // namespace muster::cmd
