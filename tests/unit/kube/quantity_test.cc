#include "kube/quantity.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

namespace muster::kube {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

struct Vector {
  const char* text;
  int64_t value;
  int64_t milli;
};

// Expected numbers computed with Kubernetes' own parser (apimachinery 0.37, rounded up to thousandths as the
// API server does on writing), except where they exceed int64.
constexpr Vector kVectors[] = {
    {"0", 0, 0},
    {"-0", 0, 0},
    {"+1", 1, 1000},
    {"1", 1, 1000},
    {"02", 2, 2000},
    {"1.", 1, 1000},
    {".5", 1, 500},
    {"0.5", 1, 500},
    {"500m", 1, 500},
    {"100u", 1, 1},
    {"1n", 1, 1},
    {"1000001u", 2, 1001},
    {"1.5k", 1500, 1'500'000},
    {"1M", 1'000'000, 1'000'000'000},
    {"3G", 3'000'000'000, 3'000'000'000'000},
    {"2T", 2'000'000'000'000, 2'000'000'000'000'000},
    {"1P", 1'000'000'000'000'000, 1'000'000'000'000'000'000},
    {"1Ki", 1024, 1'024'000},
    {"0.5Ki", 512, 512'000},
    {"1.1Ki", 1127, 1'126'400},
    {"1Mi", 1 << 20, 1'048'576'000},
    {"1Gi", 1 << 30, 1'073'741'824'000},
    {"090Gi", 96'636'764'160, 96'636'764'160'000},
    {"7Ti", 7'696'581'394'432, 7'696'581'394'432'000},
    {"1Pi", 1'125'899'906'842'624, 1'125'899'906'842'624'000},
    {"1000e+2", 100'000, 100'000'000},
    {"12e3", 12'000, 12'000'000},
    {"12E3", 12'000, 12'000'000},
    {"12e-3", 1, 12},
    {"1e-25", 1, 1},
    {"0E", 0, 0},
    {"0.0000000000000000000000000000000000001", 1, 1},
    {"000000000000000000000000000000000000001", 1, 1000},
    {"9223372036854775807", kMax, kMax},
};

TEST_CASE("a quantity is worth what Kubernetes says it is worth") {
  for (const auto& [text, value, milli] : kVectors) {
    CAPTURE(text);
    const auto quantity = parse_quantity(text);
    REQUIRE(quantity.has_value());
    CHECK(quantity->value() == value);
    CHECK(quantity->milli_value() == milli);
  }
}

TEST_CASE("a quantity beyond 64 bits stays at the largest number") {
  for (const std::string text : {"9223372036854775808", "10E", "8Ei", "8200Ei", "1e19", "1e400",
                                 "1e99999999999999999999999", "71.06e19", "4522201057195212T"}) {
    CAPTURE(text);
    const auto quantity = parse_quantity(text);
    REQUIRE(quantity.has_value());
    CHECK(quantity->value() == kMax);
    CHECK(quantity->milli_value() == kMax);
  }
}

TEST_CASE("what is not a quantity is refused with the text in the message") {
  for (const std::string text : {"",      " ",   "abc",  "k",    ".",    "-",    "1 ",    " 1",    "1ki",
                                 "1K",    "1mi", "1i",   "1e",   "1ee3", "1e3m", "1e--3", "1.2.3", "0x10",
                                 "1_000", "1,5", "five", "1Gib", "NaN",  "inf",  "1\xff", "١"}) {
    CAPTURE(text);
    const auto quantity = parse_quantity(text);
    REQUIRE_FALSE(quantity.has_value());
    CHECK(quantity.error().code == ErrorCode::kInvalid);
    if (!text.empty()) CHECK(quantity.error().message.find(text) != std::string::npos);
  }
}

TEST_CASE("a quantity below zero is refused") {
  const auto quantity = parse_quantity("-500m");
  REQUIRE_FALSE(quantity.has_value());
  CHECK(quantity.error().message == "\"-500m\" is below zero");
}

TEST_CASE("a very long text is refused without being shown whole") {
  const auto quantity = parse_quantity(std::string(1'000'000, '7'));
  REQUIRE_FALSE(quantity.has_value());
  CHECK(quantity.error().message.size() < 200);
}

TEST_CASE("quantities are added before they are rounded") {
  Quantity sum;
  for (int i = 0; i < 2; ++i) sum += *parse_quantity("500m");
  CHECK(sum.value() == 1);
  sum += *parse_quantity("1m");
  CHECK(sum.value() == 2);
}

TEST_CASE("a sum of quantities does not wrap around") {
  Quantity sum = *parse_quantity("7Ei");
  sum += *parse_quantity("7Ei");
  CHECK(sum.value() == kMax);
  CHECK(sum > *parse_quantity("7Ei"));
}

TEST_CASE("cpu is counted in thousandths and everything else in units") {
  CHECK(amount_of("cpu", *parse_quantity("1500m")) == 1500);
  CHECK(amount_of("memory", *parse_quantity("1500m")) == 2);
  CHECK(amount_of("nvidia.com/gpu", *parse_quantity("8")) == 8);
}

TEST_CASE("the usual forms mean the same as their unusual spelling") {
  for (const std::string digits :
       {"0", "1", "007", "250", "999", "1000", "1023", "123456789012", "999999999999999"}) {
    for (const std::string suffix : {"", "m", "Ki", "Mi", "Gi"}) {
      INFO(digits << suffix);
      CHECK(parse_quantity(digits + suffix).value() == parse_quantity("+" + digits + ".0" + suffix).value());
    }
  }
}

}  // namespace
}  // namespace muster::kube
