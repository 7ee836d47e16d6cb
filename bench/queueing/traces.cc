#include "queueing/traces.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <tuple>

#include "base/csv.h"
#include "sim/cluster.h"

namespace muster::bench {
namespace {

constexpr uint32_t kLingjunGpus = 8;

// The cells of each line but the first.
Result<std::vector<std::vector<std::string>>> rows_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, "{}: not there", path.string());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::vector<std::string>> rows;
  for (const std::string_view line : split_lines(text)) {
    auto cells = split_csv(line);
    if (!cells) return invalid("{}: {}", path.string(), cells.error().message);
    rows.push_back(std::move(*cells));
  }
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

double number(const std::string& cell) {
  double value = 0;
  std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return value;
}

}  // namespace

Result<std::vector<PhillyJob>> read_philly(const std::filesystem::path& folder) {
  std::vector<PhillyJob> jobs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().stem().string();
    const auto rows = rows_of(entry.path());
    if (!name.starts_with("vc_") || !rows) continue;
    for (const auto& row : *rows) {
      if (row.size() == 4)
        jobs.push_back({number(row[2]), static_cast<uint32_t>(number(row[3])), "vc-" + name.substr(3)});
    }
  }
  if (jobs.empty()) return fail(ErrorCode::kNotFound, "{}: no vc_*.csv", folder.string());
  std::sort(jobs.begin(), jobs.end(), [](const PhillyJob& a, const PhillyJob& b) {
    return std::tie(a.arrival, a.cluster, a.gpus) < std::tie(b.arrival, b.cluster, b.gpus);
  });
  return jobs;
}

Result<std::vector<double>> read_runtimes(const std::filesystem::path& file) {
  const auto rows = rows_of(file);
  if (!rows) return tl::unexpected(rows.error());
  std::vector<double> runtimes;
  for (const auto& row : *rows) runtimes.push_back(number(row[0]));
  return runtimes;
}

Result<std::vector<kube::Node>> read_lingjun(const std::filesystem::path& file) {
  const auto rows = rows_of(file);
  if (!rows) return tl::unexpected(rows.error());
  std::vector<kube::Node> nodes;
  for (const auto& row : *rows) {
    if (row.size() == 4) nodes.push_back(sim::make_node(row[0], row[2], row[3], kLingjunGpus));
  }
  return nodes;
}

sim::Trace make_trace(const std::vector<PhillyJob>& jobs, const std::vector<double>& runtimes,
                      const TraceOptions& options) {
  std::mt19937_64 random(options.seed);
  sim::Trace trace;
  double work = 0;  // GPU seconds
  for (const PhillyJob& job : jobs) {
    const uint32_t gpus = job.gpus * options.scale;
    for (uint32_t copy = 0; copy < options.copies; ++copy) {
      const double seconds = runtimes[random() % runtimes.size()];
      work += gpus * seconds;
      sim::Arrival& arrival = trace.emplace_back();
      arrival.members = (gpus + options.host_gpus - 1) / options.host_gpus;
      arrival.gpus = (gpus + arrival.members - 1) / arrival.members;
      arrival.duration = Duration(std::llround(seconds * 1e3));
      arrival.ns = job.cluster;
      if (arrival.members > 1)
        arrival.asks = {{"muster.dev/topology-preferred", "rack"}, {"muster.dev/topology-required", "block"}};
    }
  }
  const double span = work / (static_cast<double>(options.gpus) * options.load);
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const double share = jobs[i / options.copies].arrival / jobs.back().arrival;
    trace[i].at = Duration(std::llround(share * span * 1e3));
  }
  return trace;
}

}  // namespace muster::bench
