// bench_queueing: Philly's jobs on three topologies, and how many groups the engine decides in a second. See
// bench/README.md for what the figures mean.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/harness.h"
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
  TraceOptions trace{.scale = 4};
  uint32_t large = 100'000;   // hosts
  uint32_t large_copies = 4;  // of the trace
};

struct Fabric {
  std::string name;
  std::vector<kube::Node> nodes;
  uint32_t host_gpus = 8;
};

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
  const auto outcome = sim::simulate(scenario, trace, [] { return thread_micros() / 1e6; });
  if (!outcome) return tl::unexpected(outcome.error());
  return sim::make_run(fabric.name, trace, *outcome);
}

Options parse(Program& program, int argc, char** argv) {
  Options options;
  program.takes_seed("of the durations");
  CLI::App& app = program.options();
  app.add_option("--traces", options.traces,
                 "folder with gavel-philly, alibaba-pai-v2020, alibaba-lingjun-2023");
  app.add_option("--load", options.trace.load, "share of the GPUs that the jobs ask for (0.9)")
      ->check(CLI::Range(0.01, 10.0));
  app.add_option("--scale", options.trace.scale, "GPUs for each of a job of the trace (4)")
      ->check(CLI::Range(1, 16));
  app.add_option("--large", options.large, "hosts of the large cluster, 0: none (100000)");
  app.add_option("--large-copies", options.large_copies, "of the trace on it (4)")->check(CLI::Range(1, 100));
  program.parse(argc, argv);
  options.trace.seed = program.seed();
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Program program("queueing",
                  "Waits, allocation and spans of Philly's jobs in virtual time; decisions per second");
  const Options options = parse(program, argc, argv);
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
  const auto add = [&](Fabric fabric, TraceOptions trace) {
    trace.host_gpus = fabric.host_gpus;
    trace.gpus = int64_t{fabric.host_gpus} * static_cast<int64_t>(fabric.nodes.size());
    auto run = play(std::move(fabric), make_trace(*jobs, *runtimes, trace));
    if (run) return runs.push_back(std::move(*run));
    std::fprintf(stderr, "bench_queueing: %s\n", run.error().message.c_str());
    std::exit(1);
  };
  for (Fabric& fabric : fabrics(options)) add(std::move(fabric), options.trace);
  if (options.large > 0) {
    TraceOptions trace = options.trace;
    trace.copies = options.large_copies;
    trace.scale = 2 * sim::kNvl72.gpus;  // every job a gang
    add(generated(sim::kNvl72, options.large), trace);
  }
  fmt::print("{}", sim::render_text(runs, {}));
  Json figures{{"clock", "thread-cpu"},
               {"load", options.trace.load},
               {"scale", options.trace.scale},
               {"largeCopies", options.large_copies}};
  figures.update(Json::parse(sim::render_json(runs, {})));
  return program.finish(figures);
}
