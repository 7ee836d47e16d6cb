#include "cmd/muster/plan_command.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/text.h"
#include "config/config.h"
#include "muster/topology.h"
#include "offline/planner.h"
#include "offline/render.h"

namespace muster::cmd {
namespace {

constexpr int kBadInput = 2;

int bad_input(const Error& error) {
  std::fprintf(stderr, "muster plan: %s\n", error.message.c_str());
  return kBadInput;
}

// "block=topology.muster.dev/block,rack=…" or bare label keys, which are their own names. The host is implied
// and may stand last.
Result<std::vector<books::TreeLabels>> parse_levels(const std::string& list) {
  books::TreeLabels tree{"levels", {}};
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    const std::string item = list.substr(begin, comma - begin);
    begin = comma + 1;
    const std::size_t sign = item.find('=');
    const std::string name = item.substr(0, sign);
    const std::string key = sign == std::string::npos ? name : item.substr(sign + 1);
    if (name.empty() || key.empty())
      return invalid("--levels: {} is neither NAME=LABELKEY nor LABELKEY", muster::quoted(item));
    const bool host = name == "host" || key == "kubernetes.io/hostname";
    if (host && begin <= list.size())
      return invalid("--levels: {} has to be the last level", muster::quoted(item));
    const bool listed = std::any_of(tree.levels.begin(), tree.levels.end(),
                                    [&](const books::LevelLabels& level) { return level.name == name; });
    if (listed) return invalid("--levels: {} is listed twice", muster::quoted(name));
    if (!host) tree.levels.push_back({name, {key}});
  }
  return std::vector<books::TreeLabels>{tree};
}

Result<std::vector<books::TreeLabels>> trees_of(const PlanOptions& options) {
  if (!options.levels.empty()) return parse_levels(options.levels);
  std::vector<books::TreeLabels> trees;
  if (options.config_file.empty()) return trees;
  const Result<config::Configuration> configuration = config::load(options.config_file);
  if (!configuration) return tl::unexpected(configuration.error());
  for (const config::Tree& tree : configuration->trees) {
    books::TreeLabels& made = trees.emplace_back(books::TreeLabels{tree.name, {}});
    for (const config::Level& level : tree.levels) made.levels.push_back({level.name, level.labels});
  }
  return trees;
}

Result<void> check(const std::vector<books::TreeLabels>& trees) {
  if (const Result<Topology> topology = Topology::build(books::to_spec(trees), {}); !topology) {
    return tl::unexpected(topology.error());
  }
  return {};
}

int status_of(const std::vector<offline::GroupReport>& reports) {
  const auto any = [&](auto... outcomes) {
    return std::any_of(reports.begin(), reports.end(), [&](const offline::GroupReport& report) {
      return ((report.outcome == outcomes) || ...);
    });
  };
  if (any(offline::Outcome::kNo, offline::Outcome::kRejected)) return 3;
  return any(offline::Outcome::kUndecided) ? 4 : 0;
}

// Processor time of this thread: the decision is one thread's work, and what else the machine does is not
// its.
int64_t now_in_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

void add_plan_command(CLI::App& app, PlanOptions& options) {
  CLI::App* plan = app.add_subcommand(
      "plan", "place groups offline: nodes and pods as kubectl prints them, and manifests");
  CLI::Option* config =
      plan->add_option("--config", options.config_file, "a MusterConfiguration, for its levels")
          ->type_name("FILE");
  plan->add_option("--levels", options.levels,
                   "levels, coarse to fine: NAME=LABELKEY or LABELKEY, comma-separated")
      ->type_name("LIST")
      ->excludes(config);
  plan->add_option("--order", options.order, "input: as they appear (default); queue: by priority, then age")
      ->check(CLI::IsMember({"input", "queue"}));
  plan->add_flag("--explain", options.explain, "near misses, remedies, time and steps");
  plan->add_option("-o,--output", options.output, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  plan->add_option("-f,--filename", options.files,
                   "a file, a directory, or - for standard input; may be repeated")
      ->required()
      ->type_name("FILE|DIR|-");
}

int run_plan(const PlanOptions& options) {
  const Result<std::vector<books::TreeLabels>> trees = trees_of(options);
  if (!trees) return bad_input(trees.error());
  if (const Result<void> sound = check(*trees); !sound) return bad_input(sound.error());
  const auto read_stdin = []() -> Result<std::string> {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  };
  const Result<offline::Input> input = offline::read_input(options.files, read_stdin);
  if (!input) return bad_input(input.error());
  for (const offline::PassedOver& it : input->passed_over) {
    std::fprintf(stderr, "muster plan: warning: %s: line %zu, object %zu: kind %s is passed over%s\n",
                 it.source.c_str(), it.line, it.object, muster::quoted(it.kind).c_str(),
                 it.count == 1 ? "" : fmt::format(" ({} objects)", it.count).c_str());
  }
  const offline::Settings settings{
      *trees, options.order == "queue" ? offline::Order::kQueue : offline::Order::kInput};
  const std::vector<offline::GroupReport> reports = offline::plan(*input, settings, now_in_micros);
  const std::string text = options.output == "json" ? offline::render_json(reports)
                                                    : offline::render_text(reports, options.explain);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return status_of(reports);
}

}  // namespace muster::cmd
