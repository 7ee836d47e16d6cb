#include "cmd/muster/sim_command.h"

#include <cstdio>

#include "base/duration.h"
#include "base/file.h"
#include "cmd/muster/common.h"
#include "offline/input.h"
#include "sim/cluster.h"
#include "sim/report.h"
#include "sim/simulator.h"
#include "sim/trace.h"

namespace muster::cmd {
namespace {

struct Cluster {
  std::vector<kube::Node> nodes;
  std::vector<kube::Pod> pods;
};

// A configuration with the name that its column gets.
struct Named {
  std::string name;
  engine::CoordinatorOptions options;
};

Result<sim::Trace> read_trace(const std::string& path) {
  const bool piped = path == "-";
  const Result<std::string> text = piped ? read_stdin() : read_file(path);
  if (!text) return tl::unexpected(text.error());
  return sim::read_trace(*text, piped ? "standard input" : path);
}

// Pods that have a node keep it throughout; the others are none of the trace's.
Result<Cluster> read_cluster(const SimOptions& options) {
  if (!options.cluster.empty()) {
    auto nodes = sim::make_nodes(options.cluster);
    if (!nodes) return invalid("--cluster: {}", nodes.error().message);
    return Cluster{std::move(*nodes), {}};
  }
  auto input = offline::read_input(options.node_files, read_stdin);
  if (!input) return tl::unexpected(input.error());
  if (input->nodes.empty()) return invalid("--nodes: there is no node in the input");
  warn_of(*input, "muster sim");
  std::erase_if(input->pods, [](const kube::Pod& pod) { return pod.node_name.empty(); });
  return Cluster{std::move(input->nodes), std::move(input->pods)};
}

Result<std::vector<Named>> read_configurations(const SimOptions& options) {
  std::vector<Named> named;
  std::vector<std::string> files = options.compared;
  if (!options.config_file.empty()) files.push_back(options.config_file);
  for (const std::string& file : files) {
    auto loaded = load_options(file);
    if (!loaded) return tl::unexpected(loaded.error());
    named.push_back({file, std::move(*loaded)});
  }
  if (!named.empty()) return named;
  Named& plain = named.emplace_back();
  if (!options.cluster.empty()) plain.options.trees = sim::block_and_rack();
  if (options.levels.empty()) return named;
  auto trees = parse_levels(options.levels);
  if (!trees) return tl::unexpected(trees.error());
  plain.options.trees = std::move(*trees);
  return named;
}

Result<std::vector<sim::Bound>> read_bounds(const SimOptions& options) {
  std::vector<sim::Bound> bounds;
  for (const std::string& text : options.bounds) {
    auto bound = sim::parse_bound(text);
    if (!bound) return invalid("--bound: {}", bound.error().message);
    bounds.push_back(std::move(*bound));
  }
  return bounds;
}

Result<Duration> read_delay(const SimOptions& options) {
  if (options.bind_delay.empty()) return Duration(0);
  auto delay = parse_duration(options.bind_delay);
  if (!delay) return invalid("--bind-delay: {}", delay.error().message);
  return delay;
}

Result<std::vector<sim::Run>> run_all(const SimOptions& options) {
  const auto delay = read_delay(options);
  if (!delay) return tl::unexpected(delay.error());
  const auto configurations = read_configurations(options);
  if (!configurations) return tl::unexpected(configurations.error());
  const auto trace = read_trace(options.trace_file);
  if (!trace) return tl::unexpected(trace.error());
  const auto cluster = read_cluster(options);
  if (!cluster) return tl::unexpected(cluster.error());
  std::vector<sim::Run> runs;
  for (const Named& configuration : *configurations) {
    const sim::Scenario scenario{configuration.options, cluster->nodes, cluster->pods, *delay};
    const auto outcome = sim::simulate(scenario, *trace, processor_seconds);
    if (!outcome) {
      const std::string& name = configuration.name;
      return invalid("{}: {}{}", options.trace_file, outcome.error().message,
                     name.empty() ? "" : fmt::format(" (configuration {})", name));
    }
    runs.push_back(sim::make_run(configuration.name, *trace, *outcome));
  }
  return runs;
}

Result<std::vector<sim::Judgement>> judge_all(const std::vector<sim::Bound>& bounds,
                                              const std::vector<sim::Run>& runs) {
  std::vector<sim::Judgement> judgements;
  for (const sim::Bound& bound : bounds) {
    auto judgement = sim::judge(bound, runs.at(0), runs.at(1));
    if (!judgement) return invalid("--bound: {}", judgement.error().message);
    judgements.push_back(std::move(*judgement));
  }
  return judgements;
}

int bad_input(const Error& error) {
  std::fprintf(stderr, "muster sim: %s\n", error.message.c_str());
  return 2;
}

}  // namespace

CLI::App* add_sim_command(CLI::App& app, SimOptions& options) {
  CLI::App* sim = app.add_subcommand("sim", "play a trace of groups to the engine in virtual time");
  sim->add_option("--trace", options.trace_file,
                  "CSV: time, members, gpus, duration, and where wanted priority, constraint, namespace")
      ->required()
      ->type_name("FILE|-");
  CLI::Option* cluster = sim->add_option("--cluster", options.cluster, "nvl72:HOSTS or hgx:HOSTS");
  CLI::Option* nodes =
      sim->add_option("--nodes", options.node_files, "nodes, and pods that stay, as kubectl prints them")
          ->type_name("FILE|DIR|-");
  cluster->excludes(nodes);
  CLI::Option* config =
      sim->add_option("--config", options.config_file, "a MusterConfiguration")->type_name("FILE");
  CLI::Option* levels = sim->add_option("--levels", options.levels, "as for muster plan")->type_name("LIST");
  CLI::Option* compare = sim->add_option("--compare", options.compared, "two configurations, side by side")
                             ->expected(2)
                             ->type_name("FILE");
  config->excludes(levels);
  compare->excludes(config)->excludes(levels);
  sim->add_option("--bound", options.bounds,
                  "what may get worse from the first to the second, such as wait-p95=+5% or allocation=-1%; "
                  "may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->needs(compare)
      ->type_name("FIGURE=PERCENT");
  sim->add_option("--bind-delay", options.bind_delay,
                  "from a member's release to its bind call (0s), such as 200ms")
      ->type_name("DURATION");
  sim->add_option("-o,--output", options.output, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  sim->callback([cluster, nodes] {
    if (cluster->count() + nodes->count() == 0) throw CLI::RequiredError("--cluster or --nodes");
  });
  return sim;
}

int run_sim(const SimOptions& options) {
  const auto bounds = read_bounds(options);
  if (!bounds) return bad_input(bounds.error());
  const auto runs = run_all(options);
  if (!runs) return bad_input(runs.error());
  const auto judgements = judge_all(*bounds, *runs);
  if (!judgements) return bad_input(judgements.error());
  const std::string text =
      options.output == "json" ? sim::render_json(*runs, *judgements) : sim::render_text(*runs, *judgements);
  if (const Result<void> told = write_stdout(text); !told) return bad_input(told.error());
  const bool kept =
      std::all_of(judgements->begin(), judgements->end(), [](const sim::Judgement& it) { return it.kept; });
  return kept ? 0 : 1;
}

}  // namespace muster::cmd
