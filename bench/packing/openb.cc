#include "packing/openb.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <random>

#include "base/csv.h"

namespace muster::bench {
namespace {

using Row = std::map<std::string, std::string>;  // column → cell

Result<std::vector<Row>> rows_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, "{}: not there", path.string());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<Row> rows;
  std::vector<std::string> names;
  for (const std::string_view line : split_lines(text)) {
    const auto cells = split_csv(line);
    if (!cells) return invalid("{}: {}", path.string(), cells.error().message);
    if (names.empty()) {
      names = *cells;
      continue;
    }
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < std::min(names.size(), cells->size()); ++i) row[names[i]] = (*cells)[i];
  }
  return rows;
}

template <typename Number>
Number to_number(const std::string& cell) {
  Number value{};
  std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return value;
}

}  // namespace

bool OpenbPod::accepts(const std::string& model) const {
  return models.empty() || ("|" + models + "|").find("|" + model + "|") != std::string::npos;
}

Result<std::vector<OpenbNode>> read_nodes(const std::filesystem::path& path) {
  auto rows = rows_of(path);
  if (!rows) return tl::unexpected(rows.error());
  std::vector<OpenbNode> nodes;
  for (Row& row : *rows) {
    nodes.push_back({to_number<int64_t>(row["cpu_milli"]), to_number<int64_t>(row["memory_mib"]),
                     to_number<uint32_t>(row["gpu"]), row["model"]});
  }
  return nodes;
}

Result<std::vector<OpenbPod>> read_pods(const std::filesystem::path& path) {
  auto rows = rows_of(path);
  if (!rows) return tl::unexpected(rows.error());
  std::vector<OpenbPod> pods;
  for (Row& row : *rows) {
    pods.push_back({to_number<int64_t>(row["cpu_milli"]), to_number<int64_t>(row["memory_mib"]),
                    to_number<uint32_t>(row["num_gpu"]), to_number<int64_t>(row["gpu_milli"]),
                    row["gpu_spec"]});
  }
  return pods;
}

std::vector<OpenbPod> arrivals(const std::vector<OpenbPod>& pods, int64_t demand, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<OpenbPod> order = pods;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  int64_t asked = 0;
  for (const OpenbPod& pod : order) asked += pod.devices();
  while (asked < demand) {
    order.push_back(pods[random() % pods.size()]);
    asked += order.back().devices();
  }
  return order;
}

Result<Published> read_published(const std::filesystem::path& path) {
  auto rows = rows_of(path);
  if (!rows) return tl::unexpected(rows.error());
  Published published;
  for (Row& row : *rows) {
    published[row["workload"]][row["policy"]][to_number<int>(row["arrival_pct"])] =
        to_number<double>(row["mean_gpu_alloc_pct"]);
  }
  return published;
}

}  // namespace muster::bench
