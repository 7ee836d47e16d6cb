// bench_packing: the FGD experiment on the openb traces. See bench/README.md for what the figures mean.
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "packing/openb.h"
#include "packing/packers.h"

using namespace muster;
using namespace muster::bench;

namespace {

constexpr std::array<int, 6> kPoints{90, 95, 100, 110, 120, 130};  // demand arrived, in % of capacity
constexpr const char* kFgd = "06-FGD";

struct Options {
  std::string traces;
  uint32_t seeds = 10;
  std::vector<std::string> policies{"muster", "muster-no-mix", "gradient", "best-fit"};
  std::string only;  // workload
  std::string json;
};

struct Curve {
  std::array<double, kPoints.size()> allocation{};  // %
};

struct Row {
  std::string workload;
  std::string policy;
  std::array<double, kPoints.size()> mean{};
  double deviation = 0;  // at the last point
  uint32_t seeds = 0;
  double micros = 0;     // processor time per pod
  double published = 0;  // FGD's mean at the last point; 0: none
};

double now_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::unique_ptr<Packer> make(const std::string& policy, const std::vector<OpenbNode>& nodes,
                             const std::vector<OpenbPod>& pods) {
  if (policy == "muster") return make_muster(nodes, pods, true);
  if (policy == "muster-no-mix") return make_muster(nodes, pods, false);
  if (policy == "gradient") return make_gradient(nodes, pods);
  return make_best_fit(nodes);
}

Curve run(Packer& packer, const std::vector<OpenbPod>& order, int64_t capacity) {
  Curve curve;
  int64_t asked = 0;
  int64_t placed = 0;
  std::size_t point = 0;
  for (const OpenbPod& pod : order) {
    if (point == kPoints.size()) break;
    asked += pod.devices();
    if (packer.place(pod)) placed += pod.devices();
    while (point < kPoints.size() && asked * 100 >= capacity * kPoints[point])
      curve.allocation[point++] = 100.0 * static_cast<double>(placed) / static_cast<double>(capacity);
  }
  return curve;
}

Row measure(const std::string& workload, const std::string& policy, const std::vector<OpenbNode>& nodes,
            const std::vector<OpenbPod>& pods, const Options& options) {
  int64_t capacity = 0;
  for (const OpenbNode& node : nodes) capacity += int64_t{node.gpus} * 1'000;
  Row row{workload, policy, {}, 0, options.seeds, 0, 0};
  std::vector<double> ends;
  std::size_t decisions = 0;
  const double start = now_micros();
  for (uint32_t seed = 1; seed <= options.seeds; ++seed) {
    const std::vector<OpenbPod> order = arrivals(pods, capacity * kPoints.back() / 100 + 1, seed);
    const std::unique_ptr<Packer> packer = make(policy, nodes, pods);
    const Curve curve = run(*packer, order, capacity);
    decisions += order.size();
    ends.push_back(curve.allocation.back());
    for (std::size_t p = 0; p < kPoints.size(); ++p) row.mean[p] += curve.allocation[p] / options.seeds;
  }
  row.micros = (now_micros() - start) / static_cast<double>(decisions);
  double squares = 0;
  for (const double end : ends) squares += (end - row.mean.back()) * (end - row.mean.back());
  row.deviation = std::sqrt(squares / static_cast<double>(ends.size()));
  return row;
}

void print(const Row& row) {
  fmt::print("{:<28} {:<10}", row.workload, row.policy);
  for (const double value : row.mean) fmt::print(" {:>6.2f}", value);
  fmt::print(" {:>5.2f} {:>7.2f} {:>+6.2f} {:>8.1f}\n", row.deviation, row.published,
             row.mean.back() - row.published, row.micros);
  std::fflush(stdout);
}

std::string to_json(const Row& row) {
  std::string points;
  for (std::size_t p = 0; p < kPoints.size(); ++p)
    points += fmt::format("{}\"{}\":{:.3f}", p == 0 ? "" : ",", kPoints[p], row.mean[p]);
  return fmt::format(
      "{{\"workload\":\"{}\",\"policy\":\"{}\",\"allocation\":{{{}}},\"deviation\":{:.3f},\"seeds\":{},"
      "\"publishedFgd\":{:.2f},\"microsPerPod\":{:.1f}}}",
      row.workload, row.policy, points, row.deviation, row.seeds, row.published, row.micros);
}

std::string to_json(const Published& published, const std::vector<std::string>& workloads) {
  std::string text;
  for (const std::string& workload : workloads) {
    const auto found = published.find(workload);
    if (found == published.end()) continue;
    for (const auto& [policy, points] : found->second) {
      std::string values;
      for (const auto& [point, value] : points)
        values += fmt::format("{}\"{}\":{:.2f}", values.empty() ? "" : ",", point, value);
      text += fmt::format("{}{{\"workload\":\"{}\",\"policy\":\"{}\",\"allocation\":{{{}}}}}",
                          text.empty() ? "" : ",\n", workload, policy, values);
    }
  }
  return text;
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("GPU allocation while single pods arrive, until they ask for 130 % of what there is",
               "bench_packing");
  app.add_option("--traces", options.traces, "folder with alibaba-gpu-v2023 and fgd_reference_gpu_alloc.csv");
  app.add_option("--seeds", options.seeds, "orders of arrival (10)");
  app.add_option("--policies", options.policies, "of muster, muster-no-mix, gradient, best-fit (all)")
      ->delimiter(',')
      ->check(CLI::IsMember({"muster", "muster-no-mix", "gradient", "best-fit"}));
  app.add_option("--workload", options.only, "only this one, such as default");
  app.add_option("--json", options.json, "write the figures to this file as well");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

std::vector<std::filesystem::path> workloads(const std::filesystem::path& folder, const std::string& only) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string stem = entry.path().stem().string();
    if (!stem.starts_with("openb_pod_list_")) continue;
    if (only.empty() || stem == "openb_pod_list_" + only) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

int write(const Options& options, const std::vector<Row>& rows, const Published& published,
          const std::vector<std::string>& names) {
  std::FILE* file = std::fopen(options.json.c_str(), "w");
  if (file == nullptr) {
    std::fprintf(stderr, "bench_packing: %s cannot be written\n", options.json.c_str());
    return 2;
  }
  std::string text;
  for (const Row& row : rows) text += (text.empty() ? "" : ",\n") + to_json(row);
  fmt::print(file, "{{\"runs\":[{}],\n\"published\":[{}]}}\n", text, to_json(published, names));
  std::fclose(file);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const std::filesystem::path folder = std::filesystem::path(options.traces) / "alibaba-gpu-v2023";
  const auto nodes = read_nodes(folder / "openb_node_list_gpu_node.csv");
  if (options.traces.empty() || !nodes) {
    fmt::print("Packing: skipped, {}\n", options.traces.empty() ? "no --traces" : nodes.error().message);
    return 0;
  }
  const auto published =
      read_published(std::filesystem::path(options.traces) / "fgd_reference_gpu_alloc.csv");
  fmt::print("{:<28} {:<10}", "GPU allocation in % at", "");
  for (const int point : kPoints) fmt::print(" {:>5}%", point);
  fmt::print(" {:>5} {:>7} {:>6} {:>8}\n", "±", "FGD*", "ours-", "µs/pod");
  std::vector<Row> rows;
  std::vector<std::string> names;
  for (const auto& path : workloads(folder, options.only)) {
    const auto pods = read_pods(path);
    if (!pods) continue;
    names.push_back(path.stem().string());
    for (const std::string& policy : options.policies) {
      Row row = measure(names.back(), policy, *nodes, *pods, options);
      if (published) {
        if (const auto found = published->find(row.workload); found != published->end())
          row.published = found->second.at(kFgd).at(kPoints.back());
      }
      print(row);
      rows.push_back(std::move(row));
    }
  }
  fmt::print("* the published mean of FGD at {} % (its own simulator, 10 seeds)\n", kPoints.back());
  return options.json.empty() ? 0 : write(options, rows, published ? *published : Published{}, names);
}
