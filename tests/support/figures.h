// Figures on a page of Prometheus text; those, and the reasons of Events, that a document tells of.
#pragma once

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "support/paths.h"

namespace muster::test {

// "muster_groups{state=\"Bound\"}" → its value; -1 when the page does not have it.
inline double shown(const std::string& page, const std::string& figure) {
  const std::size_t at = ("\n" + page).find("\n" + figure + " ");
  return at == std::string::npos ? -1 : std::stod(page.substr(at + figure.size() + 1));
}

inline std::set<std::string> all_matches(const std::string& text, const char* expression) {
  const std::regex regex(expression);
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) found.insert((*at)[1]);
  return found;
}

inline std::set<std::string> families(const std::string& page) {
  return all_matches(page, "# TYPE ([a-z_]+) ");
}

inline std::string document(const std::string& file) {
  std::ifstream in(source_dir() + "/docs/" + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Those in backquotes in a file of docs/.
inline std::set<std::string> documented_figures(const std::string& file) {
  return all_matches(document(file), "`((?:muster|process)_[a-z_]+)`");
}

// Reasons of Events: the first cells of tables that are one word with a capital.
inline std::set<std::string> documented_reasons(const std::string& file) {
  return all_matches(document(file), "\\n\\| `([A-Z][A-Za-z]*)` \\|");
}

}  // namespace muster::test
