#include "sim/trace.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/csv.h"
#include "base/names.h"
#include "base/pod_keys.h"
#include "base/text.h"
#include "books/annotations.h"
#include "muster/request.h"

namespace muster::sim {
namespace {

constexpr std::array<std::string_view, 7> kColumns{"time",     "members",    "gpus",     "duration",
                                                   "priority", "constraint", "namespace"};
constexpr std::size_t kRequired = 4;  // of them, the first
constexpr double kLongest = 3.2e9;    // seconds, a hundred years
constexpr int64_t kMostGpus = 1'000'000;

// Keys of annotations that are none of a constraint's: a line says these itself, …
constexpr std::array<std::string_view, 3> kOfLine{"group-name", "min-member", "rank"};
// … and these Muster writes on pods.
constexpr std::array<std::string_view, 5> kWritten{"plan", "domain", "let-go", "restarts", "hold"};

template <typename Keys>
bool is_among(const Keys& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// Where each column stands in a line.
using Layout = std::array<std::optional<std::size_t>, kColumns.size()>;

Result<Layout> read_layout(const std::vector<std::string>& names) {
  Layout layout;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto known = std::find(kColumns.begin(), kColumns.end(), names[i]);
    if (known == kColumns.end())
      return invalid("column {} is not known, did you mean {}?", quoted(names[i]),
                     nearest(names[i], kColumns));
    auto& place = layout[static_cast<std::size_t>(known - kColumns.begin())];
    if (place) return invalid("column {} is there twice", names[i]);
    place = i;
  }
  for (std::size_t column = 0; column < kRequired; ++column) {
    if (!layout[column]) return invalid("column {} is missing", kColumns[column]);
  }
  return layout;
}

template <typename Number>
std::optional<Number> number_in(const std::string& cell) {
  Number value{};
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

Result<Duration> seconds_in(const std::string& cell) {
  const auto value = number_in<double>(cell);
  if (!value || !(*value >= 0 && *value <= kLongest))
    return invalid("{} is not a number of seconds from 0 to {:.0f}", quoted(cell), kLongest);
  return Duration(std::llround(*value * 1'000));
}

Result<int64_t> whole_in(const std::string& cell, int64_t least, int64_t most) {
  const auto value = number_in<int64_t>(cell);
  if (!value || *value < least || *value > most)
    return invalid("{} is not a whole number from {} to {}", quoted(cell), least, most);
  return *value;
}

Result<kube::StringMap> asks_in(const std::string& cell) {
  kube::StringMap asks;
  for (std::size_t begin = 0; begin < cell.size();) {
    const std::size_t end = std::min(cell.find(' ', begin), cell.size());
    const std::string word = cell.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) continue;
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos) return invalid("{} is not KEY=VALUE", quoted(word));
    const std::string key = word.substr(0, sign);
    if (is_among(kOfLine, key)) return invalid("{} follows from the line", quoted(word));
    if (is_among(kWritten, key)) return invalid("{} is for Muster alone to write", quoted(word));
    if (!asks.emplace(std::string(keys::kPrefix) + key, word.substr(sign + 1)).second)
      return invalid("{}: {} is there twice", quoted(word), key);
  }
  kube::StringMap annotations = asks;
  annotations[keys::kGroupName] = "group";
  annotations[keys::kMinMember] = "1";
  if (const auto spec = books::parse_spec(annotations); !spec) return tl::unexpected(spec.error());
  return asks;
}

// One line's cells, by column.
class Line {
 public:
  Line(const Layout& layout, std::vector<std::string> cells) : layout_(layout), cells_(std::move(cells)) {}

  // Puts what `read` makes of the column's cell into `to`; an absent or empty cell leaves an optional column
  // as it is. The first error stays.
  template <typename T, typename Read>
  void take(std::size_t column, T& to, Read read) {
    if (error_ || !layout_[column]) return;
    const std::string& cell = cells_[*layout_[column]];
    if (cell.empty() && column >= kRequired) return;
    auto value = read(cell);
    if (value)
      to = static_cast<T>(std::move(*value));
    else
      error_ = Error{ErrorCode::kInvalid, fmt::format("{}: {}", kColumns[column], value.error().message)};
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const Layout& layout_;
  const std::vector<std::string> cells_;
  std::optional<Error> error_;
};

Result<Arrival> read_arrival(const Layout& layout, std::vector<std::string> cells) {
  const auto whole = [](int64_t least, int64_t most) {
    return [=](const std::string& cell) { return whole_in(cell, least, most); };
  };
  const auto name = [](const std::string& cell) -> Result<std::string> {
    if (const Result<void> label = check_dns_label(cell); !label) return tl::unexpected(label.error());
    return cell;
  };
  Arrival arrival;
  Line line(layout, std::move(cells));
  line.take(0, arrival.at, seconds_in);
  line.take(1, arrival.members, whole(1, kMaxMembers));
  line.take(2, arrival.gpus, whole(1, kMostGpus));
  line.take(3, arrival.duration, seconds_in);
  line.take(4, arrival.priority, whole(-2'000'000'000, 2'000'000'000));
  line.take(5, arrival.asks, asks_in);
  line.take(6, arrival.ns, name);
  if (line.error()) return tl::unexpected(*line.error());
  return arrival;
}

}  // namespace

Result<Trace> read_trace(std::string_view text, std::string_view source) {
  Trace trace;
  std::optional<Layout> layout;
  std::size_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    ++number;
    if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with('#')) continue;
    auto cells = split_csv(line);
    if (!cells) return invalid("{}: line {}: {}", source, number, cells.error().message);
    if (!layout) {
      const Result<Layout> read = read_layout(*cells);
      if (!read) return invalid("{}: line {}: {}", source, number, read.error().message);
      layout = *read;
      continue;
    }
    const auto columns = static_cast<std::size_t>(
        std::count_if(layout->begin(), layout->end(), [](const auto& place) { return place.has_value(); }));
    if (cells->size() != columns)
      return invalid("{}: line {}: {} cells, and the first line names {}", source, number, cells->size(),
                     columns);
    Result<Arrival> arrival = read_arrival(*layout, std::move(*cells));
    if (!arrival) return invalid("{}: line {}: {}", source, number, arrival.error().message);
    arrival->line = number;
    trace.push_back(std::move(*arrival));
  }
  if (trace.empty()) return invalid("{}: no group arrives", source);
  std::stable_sort(trace.begin(), trace.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  return trace;
}

}  // namespace muster::sim
