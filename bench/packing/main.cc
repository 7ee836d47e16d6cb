// bench_packing: the FGD experiment on the openb traces. See bench/README.md for what the figures mean.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/harness.h"
#include "packing/openb.h"
#include "packing/packers.h"

using namespace muster;
using namespace muster::bench;

namespace {

constexpr std::array<int, 6> kPoints{90, 95, 100, 110, 120, 130};  // demand arrived, in % of capacity
constexpr const char* kFgd = "06-FGD";

struct Options {
  std::string traces;
  uint32_t orders = 10;
  uint64_t seed = 1;  // of the first order
  std::vector<std::string> policies{"muster", "muster-no-mix", "gradient", "best-fit"};
  std::string only;  // workload
};

struct Curve {
  std::array<double, kPoints.size()> allocation{};  // %
};

struct Row {
  std::string workload;
  std::string policy;
  std::array<double, kPoints.size()> mean{};
  double deviation = 0;  // at the last point
  uint32_t orders = 0;
  double micros = 0;                // processor time per pod
  std::optional<double> published;  // FGD's mean at the last point
};

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
  Row row{workload, policy, {}, 0, options.orders, 0, std::nullopt};
  std::vector<double> ends;
  std::size_t decisions = 0;
  const double start = thread_micros();
  for (uint32_t i = 0; i < options.orders; ++i) {
    const std::vector<OpenbPod> order = arrivals(pods, capacity * kPoints.back() / 100 + 1, options.seed + i);
    const std::unique_ptr<Packer> packer = make(policy, nodes, pods);
    const Curve curve = run(*packer, order, capacity);
    decisions += order.size();
    ends.push_back(curve.allocation.back());
    for (std::size_t p = 0; p < kPoints.size(); ++p) row.mean[p] += curve.allocation[p] / options.orders;
  }
  row.micros = thread_micros_since(start) / static_cast<double>(decisions);
  double squares = 0;
  for (const double end : ends) squares += (end - row.mean.back()) * (end - row.mean.back());
  row.deviation = std::sqrt(squares / static_cast<double>(ends.size()));
  return row;
}

void print_head() {
  fmt::print("{:<28} {:<13}", "GPU allocation in % at", "");
  for (const int point : kPoints) fmt::print(" {:>5}%", point);
  fmt::print(" {:>5} {:>7} {:>6} {:>8}\n", "±", "FGD*", "ours-", "µs/pod");
}

void print(const Row& row) {
  fmt::print("{:<28} {:<13}", row.workload, row.policy);
  for (const double value : row.mean) fmt::print(" {:>6.2f}", value);
  fmt::print(" {:>5.2f} {:>7} {:>6} {:>8.1f}\n", row.deviation,
             row.published ? fmt::format("{:.2f}", *row.published) : "-",
             row.published ? fmt::format("{:+.2f}", row.mean.back() - *row.published) : "-", row.micros);
  std::fflush(stdout);
}

Json to_json(const Row& row) {
  Json allocation;
  for (std::size_t p = 0; p < kPoints.size(); ++p) allocation[std::to_string(kPoints[p])] = row.mean[p];
  return {{"workload", row.workload},
          {"policy", row.policy},
          {"allocation", std::move(allocation)},
          {"deviation", row.deviation},
          {"orders", row.orders},
          {"publishedFgd", row.published ? Json(*row.published) : Json()},
          {"microsPerPod", row.micros}};
}

// What is published of this workload: a curve for each policy.
void add_published(const Published& published, const std::string& workload, Json& curves) {
  const auto found = published.find(workload);
  if (found == published.end()) return;
  for (const auto& [policy, points] : found->second) {
    Json allocation;
    for (const auto& [point, value] : points) allocation[std::to_string(point)] = value;
    curves.push_back({{"workload", workload}, {"policy", policy}, {"allocation", std::move(allocation)}});
  }
}

Options parse(Program& program, int argc, char** argv) {
  Options options;
  program.takes_seed("of the first order of arrival");
  CLI::App& app = program.options();
  app.add_option("--traces", options.traces, "folder with alibaba-gpu-v2023 and fgd_reference_gpu_alloc.csv");
  app.add_option("--orders", options.orders, "orders of arrival (10)")->check(CLI::PositiveNumber);
  app.add_option("--policies", options.policies, "of muster, muster-no-mix, gradient, best-fit (all)")
      ->delimiter(',')
      ->check(CLI::IsMember({"muster", "muster-no-mix", "gradient", "best-fit"}));
  app.add_option("--workload", options.only, "only this one, such as default");
  program.parse(argc, argv);
  options.seed = program.seed();
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

}  // namespace

int main(int argc, char** argv) {
  Program program("packing",
                  "GPU allocation while single pods arrive, until they ask for 130 % of what there is");
  const Options options = parse(program, argc, argv);
  const std::filesystem::path folder = std::filesystem::path(options.traces) / "alibaba-gpu-v2023";
  const auto nodes = read_nodes(folder / "openb_node_list_gpu_node.csv");
  if (options.traces.empty() || !nodes) {
    fmt::print("Packing: skipped, {}\n", options.traces.empty() ? "no --traces" : nodes.error().message);
    return 0;
  }
  const Published published =
      read_published(std::filesystem::path(options.traces) / "fgd_reference_gpu_alloc.csv")
          .value_or(Published{});
  print_head();
  Json figures{{"clock", "thread-cpu"}, {"runs", Json::array()}, {"published", Json::array()}};
  for (const auto& path : workloads(folder, options.only)) {
    const auto pods = read_pods(path);
    if (!pods) continue;
    const std::string workload = path.stem().string();
    for (const std::string& policy : options.policies) {
      Row row = measure(workload, policy, *nodes, *pods, options);
      if (const auto found = published.find(workload); found != published.end())
        row.published = found->second.at(kFgd).at(kPoints.back());
      print(row);
      figures["runs"].push_back(to_json(row));
    }
    add_published(published, workload, figures["published"]);
  }
  fmt::print("* the published mean of FGD at {} % (its own simulator, 10 seeds)\n", kPoints.back());
  return program.finish(figures);
}
