#include "sim/report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/json_text.h"
#include "base/text.h"

namespace muster::sim {
namespace {

constexpr std::size_t kColumn = 14;  // characters, at least
constexpr std::string_view kNeverPlaced = "never-placed";

// Sizes from a power of two to below the next: 1, 2-3, 4-7, …
std::string size_class(uint32_t members) {
  uint32_t first = 1;
  while (first <= members / 2) first *= 2;
  return first == 1 ? "1" : fmt::format("{}-{}", first, 2 * first - 1);
}

// Nearest rank. REQUIRES: sorted, not empty.
double percentile(const std::vector<Duration>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<std::size_t>(rank, 1) - 1].count()) / 1e3;
}

void add_waits(const std::string& members, std::vector<Duration> waits, std::vector<Figure>& figures) {
  std::sort(waits.begin(), waits.end());
  const std::string suffix = members.empty() ? "" : "/" + members;
  const std::string whose =
      members.empty() ? "" : fmt::format(", {} member{}", members, members == "1" ? "" : "s");
  for (const int percent : {50, 95, 99}) {
    Figure& figure = figures.emplace_back();
    figure.key = fmt::format("wait-p{}{}", percent, suffix);
    figure.label = fmt::format("wait p{}{}", percent, whose);
    figure.unit = Unit::kSeconds;
    if (!waits.empty()) figure.value = percentile(waits, percent / 100.0);
  }
}

void add_all_waits(const Trace& trace, const Outcome& outcome, std::vector<Figure>& figures) {
  std::vector<Duration> all;
  std::map<uint32_t, std::vector<Duration>> by_size;  // smallest size of the class
  std::map<uint32_t, std::string> names;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const std::string name = size_class(trace[i].members);
    const auto smallest = static_cast<uint32_t>(std::stoul(name));
    names[smallest] = name;
    if (!outcome.waits[i]) continue;
    all.push_back(*outcome.waits[i]);
    by_size[smallest].push_back(*outcome.waits[i]);
  }
  add_waits("", std::move(all), figures);
  for (const auto& [smallest, name] : names) add_waits(name, std::move(by_size[smallest]), figures);
}

std::string value_text(const Figure& figure) {
  if (!figure.value) return "-";
  switch (figure.unit) {
    case Unit::kNumber:
      return fmt::format("{:.0f}", *figure.value);
    case Unit::kSeconds:
      return fmt::format("{:.1f} s", *figure.value);
    case Unit::kShare:
      return fmt::format("{:.2f} %", 100 * *figure.value);
    case Unit::kRatio:
      return fmt::format("{:.3f}", *figure.value);
  }
  return {};
}

const Figure* find(const Run& run, std::string_view key) {
  const auto found = std::find_if(run.figures.begin(), run.figures.end(),
                                  [&](const Figure& figure) { return figure.key == key; });
  return found == run.figures.end() ? nullptr : &*found;
}

std::string change_text(const Figure& first, const Figure& second) {
  if (!first.value || !second.value || *first.value == *second.value) return {};
  if (*first.value == 0) return "from 0";
  return fmt::format("{:+.1f} %", 100 * (*second.value / *first.value - 1));
}

std::string judgement_text(const Judgement& it) {
  const std::string line = fmt::format("{} {}", it.kept ? "✓" : "✗", it.bound.text);
  if (it.more_never_placed == 0) return line + "\n";
  return fmt::format("{}: {} more group{} never placed\n", line, it.more_never_placed,
                     it.more_never_placed == 1 ? " is" : "s are");
}

// Every figure of any run, as other levels or sizes make others: those of a later run behind what they
// follow.
std::vector<Figure> all_figures(const std::vector<Run>& runs) {
  std::vector<Figure> all;
  for (const Run& run : runs) {
    auto place = all.begin();
    for (const Figure& figure : run.figures) {
      const auto known =
          std::find_if(all.begin(), all.end(), [&](const Figure& other) { return other.key == figure.key; });
      place = known == all.end() ? all.insert(place, figure) : known;
      ++place;
    }
  }
  return all;
}

double never_placed(const Run& run) {
  const Figure* figure = find(run, kNeverPlaced);
  return figure ? figure->value.value_or(0) : 0;
}

std::string quoted_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

Run make_run(std::string name, const Trace& trace, const Outcome& outcome) {
  Run run{std::move(name), {}};
  const auto add = [&](std::string key, std::string label, Unit unit, std::optional<double> value) {
    run.figures.push_back({std::move(key), std::move(label), unit, value});
  };
  const auto never = std::count(outcome.waits.begin(), outcome.waits.end(), std::nullopt);
  add("hosts", "hosts", Unit::kNumber, static_cast<double>(outcome.hosts));
  add("gpus", "GPUs", Unit::kNumber, static_cast<double>(outcome.gpus));
  add("groups", "groups", Unit::kNumber, static_cast<double>(trace.size()));
  add(std::string(kNeverPlaced), "never placed", Unit::kNumber, static_cast<double>(never));
  add_all_waits(trace, outcome, run.figures);
  add("allocation", "GPU allocation", Unit::kShare, outcome.allocation);
  add("partly-used", "partly used hosts", Unit::kShare, outcome.partly_used);
  for (const LevelOutcome& level : outcome.levels) {
    add("excess-span/" + level.name, "excess span, " + level.name, Unit::kRatio, level.excess_span);
    add("fragmentation/" + level.name, "fragmentation, " + level.name, Unit::kShare, level.fragmentation);
  }
  add("decisions", "decisions", Unit::kNumber, static_cast<double>(outcome.decisions));
  const auto per_second = [&](double count) {
    return outcome.engine_seconds > 0 ? std::optional(count / outcome.engine_seconds) : std::nullopt;
  };
  add("decisions-per-second", "decisions per second", Unit::kNumber,
      per_second(static_cast<double>(outcome.decisions)));
  add("placements-per-second", "placements per second", Unit::kNumber,
      per_second(static_cast<double>(trace.size()) - static_cast<double>(never)));
  return run;
}

Result<Bound> parse_bound(std::string_view text) {
  const auto wrong = [&] {
    return invalid("{} is not FIGURE=+PERCENT% or FIGURE=-PERCENT%, such as wait-p95=+5%", quoted(text));
  };
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos || sign == 0 || !text.ends_with('%')) return wrong();
  const std::string_view amount = text.substr(sign + 1, text.size() - sign - 2);
  if (!amount.starts_with('+') && !amount.starts_with('-')) return wrong();
  Bound bound{std::string(text), std::string(text.substr(0, sign)), 0};
  const char* const end = amount.data() + amount.size();
  const auto [last, error] = std::from_chars(amount.data() + 1, end, bound.percent, std::chars_format::fixed);
  if (error != std::errc() || last != end || !(bound.percent >= 0 && bound.percent < 1e6)) return wrong();
  if (amount.starts_with('-')) bound.percent = -bound.percent;
  return bound;
}

Result<Judgement> judge(const Bound& bound, const Run& first, const Run& second) {
  for (const Run* run : {&first, &second}) {
    const Figure* figure = find(*run, bound.key);
    if (figure && figure->value) continue;
    std::string keys;
    for (const Figure& known : run->figures) {
      if (known.value) keys += (keys.empty() ? "" : ", ") + known.key;
    }
    return invalid("{}: {} has no figure {} (it has {})", quoted(bound.text), run->name, quoted(bound.key),
                   keys);
  }
  Judgement judgement{bound, *find(first, bound.key)->value, *find(second, bound.key)->value};
  if (bound.key != kNeverPlaced)
    judgement.more_never_placed = std::max(0.0, never_placed(second) - never_placed(first));
  const double limit = judgement.first * (1 + bound.percent / 100);
  const bool from_above = bound.text.find("=+") != std::string::npos;
  const bool within = from_above ? judgement.second <= limit : judgement.second >= limit;
  judgement.kept = within && judgement.more_never_placed == 0;
  return judgement;
}

std::string render_text(const std::vector<Run>& runs, const std::vector<Judgement>& judgements) {
  const std::vector<Figure> lines = all_figures(runs);
  const bool compared = runs.size() == 2;
  std::size_t width = kColumn;
  for (const Run& run : runs) width = std::max(width, run.name.size());
  std::string text;
  if (runs.size() > 1) {
    text = fmt::format("{:<28}", "");
    for (const Run& run : runs) text += fmt::format(" {:>{}}", run.name, width);
    text += compared ? fmt::format(" {:>10}\n", "change") : "\n";
  }
  for (const Figure& line : lines) {
    std::string row = fmt::format("{:<28}", line.label);
    for (const Run& run : runs) {
      const Figure* figure = find(run, line.key);
      row += fmt::format(" {:>{}}", figure ? value_text(*figure) : "-", width);
    }
    if (compared) {
      const Figure* first = find(runs[0], line.key);
      const Figure* second = find(runs[1], line.key);
      row += fmt::format(" {:>10}", first && second ? change_text(*first, *second) : "");
    }
    row.resize(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  for (const Judgement& it : judgements) text += judgement_text(it);
  return text;
}

std::string render_json(const std::vector<Run>& runs, const std::vector<Judgement>& judgements) {
  std::string text = "{\"runs\":[";
  for (const Run& run : runs) {
    text +=
        fmt::format("{}{{\"name\":{},\"figures\":{{", text.ends_with('[') ? "" : ",", quoted_json(run.name));
    for (const Figure& figure : run.figures) {
      text += fmt::format("{}{}:{}", text.ends_with('{') ? "" : ",", quoted_json(figure.key),
                          figure.value ? fmt::format("{}", *figure.value) : "null");
    }
    text += "}}";
  }
  text += "],\"bounds\":[";
  for (const Judgement& it : judgements) {
    text +=
        fmt::format("{}{{\"bound\":{},\"first\":{},\"second\":{},\"kept\":{}", text.ends_with('[') ? "" : ",",
                    quoted_json(it.bound.text), it.first, it.second, it.kept);
    if (it.more_never_placed > 0) text += fmt::format(",\"moreNeverPlaced\":{}", it.more_never_placed);
    text += '}';
  }
  return text + "]}\n";
}

}  // namespace muster::sim
