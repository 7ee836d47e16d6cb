#include "base/duration.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

namespace muster {
namespace {

TEST_CASE("duration: every unit and every sum of units is read") {
  CHECK(parse_duration("500ms")->count() == 500);
  CHECK(parse_duration("45s")->count() == 45'000);
  CHECK(parse_duration("2m")->count() == 120'000);
  CHECK(parse_duration("1h30m")->count() == 5'400'000);
  CHECK(parse_duration("1m1ms")->count() == 60'001);
  CHECK(parse_duration("90s")->count() == 90'000);
  CHECK(parse_duration("0s")->count() == 0);
}

TEST_CASE("duration: what is none is refused with its value") {
  const std::vector<std::string> bad{"",   "45",  "s",    "-1s", "+1s", "1.5s", "1 s",  " 1s",  "1s ", "1d",
                                     "1S", "1sm", "1h30", "ten", "1ns", "1us",  "1e3s", "0x1s", "1s\n"};
  for (const std::string& text : bad) {
    const auto duration = parse_duration(text);
    INFO('[' << text << ']');
    REQUIRE_FALSE(duration);
    CHECK(duration.error().code == ErrorCode::kInvalid);
    CHECK_THAT(duration.error().message, Catch::Contains("is not a duration"));
  }
  CHECK(parse_duration("12q").error().message == "\"12q\" is not a duration such as 500ms, 45s, 2m or 1h30m");
}

TEST_CASE("duration: a value that does not fit is refused, not wrapped") {
  for (const std::string text :
       {"9223372036854775808ms", "99999999999999999999999h", "2562047788016h", "9223372036854775807ms1ms"}) {
    INFO(text);
    REQUIRE_FALSE(parse_duration(text));
    CHECK_THAT(parse_duration(text).error().message, Catch::Contains("too long"));
  }
  CHECK(parse_duration("9223372036854775807ms")->count() == std::numeric_limits<int64_t>::max());
}

TEST_CASE("duration: what is written is read back") {
  CHECK(format_duration(Duration(0)) == "0s");
  CHECK(format_duration(Duration(5'400'000)) == "1h30m");
  CHECK(format_duration(Duration(61'001)) == "1m1s1ms");
  CHECK(format_duration(Duration(-1500)) == "-1s500ms");
  for (const int64_t millis :
       {int64_t{1}, int64_t{999}, int64_t{86'400'000}, std::numeric_limits<int64_t>::max()}) {
    CHECK(parse_duration(format_duration(Duration(millis)))->count() == millis);
  }
  CHECK_FALSE(format_duration(Duration::min()).empty());
}

}  // namespace
}  // namespace muster
