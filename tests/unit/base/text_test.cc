#include "base/text.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

namespace muster {
namespace {

TEST_CASE("text: a quoted value stays on one line and is cut") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("a\"b\\c") == R"("a\"b\\c")");
  CHECK(quoted("a\nb\tc\x01") == R"("a\nb\tc\x01")");
  CHECK(quoted(std::string(200, 'x')) == "\"" + std::string(80, 'x') + "…\"");
  CHECK(quoted(std::string(80, 'x')) == "\"" + std::string(80, 'x') + "\"");
}

TEST_CASE("text: the cut never splits a UTF-8 character") {
  // Each 'ä' has two bytes, so that a cut after five falls into the third.
  CHECK(quoted("äää", 5) == "\"ää…\"");
  CHECK(quoted("äää", 6) == "\"äää\"");
}

TEST_CASE("text: edit distance counts single edits and swaps of neighbours") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("holdTimeout", "holdTimeout") == 0);
  CHECK(edit_distance("holdTimout", "holdTimeout") == 1);
  CHECK(edit_distance("holdTimeuot", "holdTimeout") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("HoldTimeout", "holdtimeout") == 0);
}

TEST_CASE("text: edit distance of long texts is bounded") {
  const std::string left(1'000'000, 'a');
  const std::string right(1'000'000, 'b');
  CHECK(edit_distance(left, right) == 64);
}

TEST_CASE("text: the nearest word is the first of the closest") {
  const std::array<std::string_view, 4> known{"address", "port", "part", "tls"};
  CHECK(nearest("adress", known) == "address");
  CHECK(nearest("pert", known) == "port");
  CHECK(nearest("TLS", known) == "tls");
  CHECK(nearest("anything", {}).empty());
}

}  // namespace
}  // namespace muster
