#include "cmd/muster/plan_command.h"

#include <algorithm>
#include <cstdio>

#include "base/file.h"
#include "cmd/muster/common.h"
#include "offline/planner.h"
#include "offline/render.h"

namespace muster::cmd {
namespace {

constexpr int kBadInput = 2;

int bad_input(const Error& error) {
  std::fprintf(stderr, "muster plan: %s\n", error.message.c_str());
  return kBadInput;
}

Result<offline::Settings> settings_of(const PlanOptions& options) {
  offline::Settings settings;
  settings.order = options.order == "queue" ? offline::Order::kQueue : offline::Order::kInput;
  if (!options.levels.empty()) {
    Result<std::vector<books::TreeLabels>> trees = parse_levels(options.levels);
    if (!trees) return tl::unexpected(trees.error());
    settings.trees = std::move(*trees);
  } else if (!options.config_file.empty()) {
    Result<engine::CoordinatorOptions> loaded = load_options(options.config_file);
    if (!loaded) return tl::unexpected(loaded.error());
    settings.trees = std::move(loaded->trees);
    settings.solving = loaded->solving;
    settings.limits = loaded->limits;
  }
  return settings;
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

}  // namespace

void add_plan_command(CLI::App& app, PlanOptions& options) {
  CLI::App* plan = app.add_subcommand(
      "plan", "place groups offline: nodes and pods as kubectl prints them, and manifests");
  CLI::Option* config =
      plan->add_option("--config", options.config_file, "a MusterConfiguration, for its levels and limits")
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
  const Result<offline::Settings> settings = settings_of(options);
  if (!settings) return bad_input(settings.error());
  const Result<offline::Input> input = offline::read_input(options.files, read_stdin);
  if (!input) return bad_input(input.error());
  warn_of(*input, "muster plan");
  const auto micros = [] { return static_cast<int64_t>(processor_seconds() * 1e6); };
  const std::vector<offline::GroupReport> reports = offline::plan(*input, *settings, micros);
  const std::string text = options.output == "json" ? offline::render_json(reports)
                                                    : offline::render_text(reports, options.explain);
  if (const Result<void> told = write_stdout(text); !told) return bad_input(told.error());
  return status_of(reports);
}

}  // namespace muster::cmd
