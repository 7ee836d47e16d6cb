// docs/failure-domain.md as tests: each row of its table is a row here, and neither has one more.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "failing_group.h"
#include "support/paths.h"

namespace muster::group {
namespace {

// "| Bound | a member completes | nothing |" of the first table whose head is "state".
std::vector<std::vector<std::string>> documented_rows() {
  std::ifstream file(test::source_dir() + "/docs/failure-domain.md");
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("|")) {
      inside = false;
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream text(line.substr(1));
    for (std::string cell; std::getline(text, cell, '|');) {
      const auto begin = cell.find_first_not_of(' ');
      const auto end = cell.find_last_not_of(' ');
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
    }
    if (cells.front() == "state") inside = true;
    if (inside && cells.front() != "state" && !cells.front().starts_with("-")) rows.push_back(cells);
  }
  return rows;
}

std::vector<Row> all_rows() {
  std::vector<Row> rows = rows_before_it_stands();
  for (const auto& more : {rows_of_a_bound_group(), rows_of_letting_go()})
    rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

TEST_CASE("What a fault does to a group in each state") {
  for (const Row& row : all_rows()) {
    DYNAMIC_SECTION(row.state << ": " << row.fault << ": " << row.then) { row.shows(); }
  }
}

TEST_CASE("docs/failure-domain.md lists what the tests show, and nothing else") {
  std::vector<std::vector<std::string>> shown;
  for (const Row& row : all_rows()) shown.push_back({row.state, row.fault, row.then});
  const auto documented = documented_rows();
  CHECK(documented.size() == shown.size());
  for (const auto& row : documented) {
    INFO(row.at(0) << " | " << row.at(1) << " | " << row.at(2));
    CHECK(std::find(shown.begin(), shown.end(), row) != shown.end());
  }
  for (const auto& row : shown) {
    INFO(row.at(0) << " | " << row.at(1) << " | " << row.at(2));
    CHECK(std::find(documented.begin(), documented.end(), row) != documented.end());
  }
}

}  // namespace
}  // namespace muster::group
