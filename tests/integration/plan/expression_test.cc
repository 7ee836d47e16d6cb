#include "expression.h"

#include <catch2/catch.hpp>
#include <stdexcept>

namespace muster::plan_cases {

TEST_CASE("The arithmetic of cases has the usual precedence") {
  CHECK(evaluate("i", 7) == 7);
  CHECK(evaluate("i/10", 37) == 3);
  CHECK(evaluate("2 + 3*i % 4", 3) == 3);
  CHECK(evaluate("(i-1)*(i+1)", 5) == 24);
  CHECK_THROWS_AS(evaluate("i+", 1), std::invalid_argument);
  CHECK_THROWS_AS(evaluate("i/0", 1), std::invalid_argument);
}

TEST_CASE("Braces are replaced where they speak of i, and JSON is left alone") {
  CHECK(expand(std::string("b{i/100}-r{i/10%10}"), 237) == "b2-r3");
  CHECK(expand(std::string(R"({"minMember": 4})"), 1) == R"({"minMember": 4})");
  CHECK(expand(std::string("{}"), 1) == "{}");
  CHECK(expand(nlohmann::json{{"n{i}", {"{i}", "x{i}", true}}}, 2) ==
        nlohmann::json{{"n2", nlohmann::json::array({2, "x2", true})}});
}

}  // namespace muster::plan_cases
