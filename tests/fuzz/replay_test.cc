// Runs what is kept in corpus/ through the targets; every folder there belongs to a target.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz/target.h"
#include "support/paths.h"

namespace muster::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

TEST_CASE("fuzz: every input that is kept is taken without a defect") {
  const fs::path corpus = fs::path(test::source_dir()) / "tests/fuzz/corpus";
  std::size_t folders = 0;
  for (const auto& [name, target] : targets()) {
    INFO(name);
    REQUIRE(fs::is_directory(corpus / name));
    ++folders;
    std::size_t inputs = 0;
    for (const auto& path : entries_of(corpus / name)) {
      std::ifstream file(path, std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(file), {}};
      INFO(path);
      target(input);
      ++inputs;
    }
    CHECK(inputs >= 3);
  }
  CHECK(folders == entries_of(corpus).size());
}

TEST_CASE("fuzz: the shortest inputs and long runs of one byte are taken without a defect") {
  for (const auto& [name, target] : targets()) {
    INFO(name);
    target("");
    for (int byte = 0; byte < 256; ++byte) {
      target(std::string(1, static_cast<char>(byte)));
      target(std::string(300, static_cast<char>(byte)));
    }
  }
}

}  // namespace
}  // namespace muster::fuzz
