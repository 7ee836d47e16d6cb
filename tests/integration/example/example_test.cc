// The program of docs/ that shows the library alone.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "support/paths.h"

namespace muster {
namespace {

TEST_CASE("example: the library's program has at most 40 lines") {
  std::ifstream file(test::source_dir() + "/docs/examples/embedding.cc");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  CHECK(!text.empty());
  CHECK(std::count(text.begin(), text.end(), '\n') <= 40);
}

TEST_CASE("example: the library's program places its group in the rack that is free") {
  const std::string program = test::binary_dir() + "/docs/examples/embedding_example";
  FILE* pipe = popen(program.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char line[200] = {};
  CHECK(std::fgets(line, sizeof line, pipe) != nullptr);
  CHECK(pclose(pipe) == 0);
  CHECK(std::string(line) == "in rack r2: n4 n5 n6 n7\n");
}

}  // namespace
}  // namespace muster
