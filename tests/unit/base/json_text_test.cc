#include "base/json_text.h"

#include <catch2/catch.hpp>

namespace muster {
namespace {

std::string written(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST_CASE("json text: plain text and UTF-8 are copied, special characters escaped") {
  CHECK(written("") == R"("")");
  CHECK(written("node-1 of 4") == R"("node-1 of 4")");
  CHECK(written("a\"b\\c\nd\te\rf\x01") == R"("a\"b\\c\nd\te\rf\u0001")");
  CHECK(written("\x7f") == R"("\u007f")");
  CHECK(written("größer 😀") == "\"größer 😀\"");
  CHECK(written(std::string_view("\0x", 2)) == R"("\u0000x")");
}

TEST_CASE("json text: bytes that are no UTF-8 become the replacement character") {
  CHECK(written("a\xffz") == R"("a\ufffdz")");
  CHECK(written("\xc3") == R"("\ufffd")");
  CHECK(written("\xc0\xaf") == R"("\ufffd\ufffd")");            // overlong
  CHECK(written("\xe0\x80\x80") == R"("\ufffd\ufffd\ufffd")");  // overlong
  CHECK(written("\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd")");  // surrogate
  CHECK(written("\xf4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
  CHECK(written("\xf0\x9f\x98") == R"("\ufffd\ufffd\ufffd")");
}

}  // namespace
}  // namespace muster
