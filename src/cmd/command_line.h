// How every program reads its command line.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace muster::cmd {

inline constexpr int kBadCommandLine = 2;

// "muster plan" once the subcommand is known, so that a message tells who speaks.
[[nodiscard]] inline std::string speaker(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app.get_name() : app.get_name() + " " + chosen.front()->get_name();
}

// CLI11 asks for what is required before it says that it does not know a word.
[[nodiscard]] inline std::optional<std::string> unknown_word(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining(true);
  if (rest.empty()) return {};
  const std::string word = muster::quoted(rest.front());
  const bool option = rest.front().starts_with('-');
  if (option || app.get_require_subcommand_min() == 0 || !app.get_subcommands().empty())
    return (option ? "option " : "argument ") + word + " is not known";
  std::vector<std::string_view> known;
  for (const CLI::App* subcommand : app.get_subcommands({})) known.push_back(subcommand->get_name());
  return "subcommand " + word + " is not known, did you mean " + std::string(nearest(rest.front(), known)) +
         "?";
}

// No option means anything without a value; a variable of a script that is not set looks like that.
[[nodiscard]] inline std::optional<std::string> empty_value(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results())
      if (value.empty()) return option->get_name() + ": is empty";
  }
  for (const CLI::App* subcommand : app.get_subcommands())
    if (auto found = empty_value(*subcommand)) return found;
  return {};
}

// Nothing when the program may go on, else the status to end with: 0 after --help and --version, 2 after a
// mistake, which has been explained on stderr.
[[nodiscard]] inline std::optional<int> parse(CLI::App& app, int argc, const char* const* argv) {
  std::optional<std::string> mistake;
  try {
    app.parse(argc, argv);
    mistake = empty_value(app);
    if (!mistake) return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      if (std::cout.flush()) return 0;
      std::fprintf(stderr, "%s: standard output cannot be written\n", speaker(app).c_str());
      return kBadCommandLine;
    }
    mistake = unknown_word(app).value_or(error.what());
  }
  std::fprintf(stderr, "%s: %s\nRun with --help for more information.\n", speaker(app).c_str(),
               mistake->c_str());
  return kBadCommandLine;
}

}  // namespace muster::cmd
