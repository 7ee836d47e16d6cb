// The small arithmetic that repeats nodes and pods in a case: "rack-{i/10}" becomes "rack-3" for i = 37.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace muster::plan_cases {

// Whole numbers, i, + - * / % and parentheses, with the usual precedence. Throws std::invalid_argument.
[[nodiscard]] int64_t evaluate(std::string_view expression, int64_t i);

// The text with every {expression} that speaks of i replaced; other braces stay.
[[nodiscard]] std::string expand(const std::string& text, int64_t i);

// All texts and keys of the value expanded. A text that is one expression and nothing else becomes a number.
[[nodiscard]] nlohmann::json expand(const nlohmann::json& value, int64_t i);

}  // namespace muster::plan_cases
