// bench_queueing: Philly's jobs on three topologies, and how many groups the engine decides in a second. See
// bench/README.md for what the figures mean.
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "queueing/traces.h"
#include "sim/cluster.h"
#include "sim/report.h"
#include "sim/simulator.h"

using namespace muster;
using namespace muster::bench;

namespace {

constexpr int64_t kGpus = 6'776;  // of each fabric, as many as lingjun-2023 has

struct Options {
  std::string traces;
  Mix mix{.scale = 4};
  uint32_t large = 100'000;   // hosts
  uint32_t large_copies = 4;  // of the trace
  std::string json;
};

struct Fabric {
  std::string name;
  std::vector<kube::Node> nodes;
  uint32_t host_gpus = 8;
};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Fabric generated(const sim::Layout& layout, uint32_t hosts) {
  return {fmt::format("{}, {}", layout.name, hosts), sim::make_nodes(layout, hosts), layout.gpus};
}

std::vector<Fabric> fabrics(const Options& options) {
  std::vector<Fabric> all;
  const auto file = std::filesystem::path(options.traces) / "alibaba-lingjun-2023" / "topo.csv";
  if (auto nodes = read_lingjun(file))
    all.push_back({fmt::format("lingjun, {}", nodes->size()), std::move(*nodes)});
  else
    fmt::print("Queueing: lingjun-2023 skipped, {}\n", nodes.error().message);
  for (const sim::Layout& layout : {sim::kHgx, sim::kNvl72})
    all.push_back(generated(layout, static_cast<uint32_t>(kGpus / layout.gpus)));
  return all;
}

Result<sim::Run> play(Fabric fabric, const sim::Trace& trace) {
  sim::Scenario scenario;
  scenario.options.trees = sim::block_and_rack();
  scenario.nodes = std::move(fabric.nodes);
  const auto outcome = sim::simulate(scenario, trace, processor_seconds);
  if (!outcome) return tl::unexpected(outcome.error());
  return sim::make_run(fabric.name, trace, *outcome);
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("Waits, allocation and spans of Philly's jobs in virtual time; decisions per second",
               "bench_queueing");
  app.add_option("--traces", options.traces,
                 "folder with gavel-philly, alibaba-pai-v2020, alibaba-lingjun-2023");
  app.add_option("--seed", options.mix.seed, "of the durations (1)");
  app.add_option("--load", options.mix.load, "share of the GPUs that the jobs ask for (0.9)")
      ->check(CLI::Range(0.01, 10.0));
  app.add_option("--scale", options.mix.scale, "GPUs for each of a job of the trace (4)")
      ->check(CLI::Range(1, 16));
  app.add_option("--large", options.large, "hosts of the large cluster, 0: none (100000)");
  app.add_option("--large-copies", options.large_copies, "of the trace on it (4)")->check(CLI::Range(1, 100));
  app.add_option("--json", options.json, "write the figures to this file as well");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

int write(const Options& options, const std::vector<sim::Run>& runs) {
  std::FILE* file = std::fopen(options.json.c_str(), "w");
  if (file == nullptr) {
    std::fprintf(stderr, "bench_queueing: %s cannot be written\n", options.json.c_str());
    return 2;
  }
  fmt::print(file, "{{\"seed\":{},\"load\":{},\"scale\":{},\"result\":{}}}\n", options.mix.seed,
             options.mix.load, options.mix.scale, sim::render_json(runs, {}));
  std::fclose(file);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const std::filesystem::path folder(options.traces);
  const auto jobs = read_philly(folder / "gavel-philly");
  const auto runtimes = read_runtimes(folder / "alibaba-pai-v2020" / "philly_runtime.csv");
  if (options.traces.empty() || !jobs || !runtimes) {
    fmt::print("Queueing: skipped, {}\n", options.traces.empty() ? "no --traces"
                                          : !jobs                ? jobs.error().message
                                                                 : runtimes.error().message);
    return 0;
  }
  std::vector<sim::Run> runs;
  const auto add = [&](Fabric fabric, Mix mix) {
    mix.host_gpus = fabric.host_gpus;
    mix.gpus = int64_t{fabric.host_gpus} * static_cast<int64_t>(fabric.nodes.size());
    auto run = play(std::move(fabric), make_trace(*jobs, *runtimes, mix));
    if (run) return runs.push_back(std::move(*run));
    std::fprintf(stderr, "bench_queueing: %s\n", run.error().message.c_str());
    std::exit(1);
  };
  for (Fabric& fabric : fabrics(options)) add(std::move(fabric), options.mix);
  if (options.large > 0) {
    Mix mix = options.mix;
    mix.copies = options.large_copies;
    mix.scale = 2 * sim::kNvl72.gpus;  // every job a gang
    add(generated(sim::kNvl72, options.large), mix);
  }
  fmt::print("{}", sim::render_text(runs, {}));
  return options.json.empty() ? 0 : write(options, runs);
}
