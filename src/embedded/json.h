// Small helpers around nlohmann/json that never throw and never touch a key which is not there.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace muster::embedded {

using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 100;

// Nothing when the text is not JSON or nests deeper than kMaxJsonDepth; `why` then says which.
[[nodiscard]] std::optional<Json> parse_json(std::string_view text, std::string& why);

// The value below object.a.b.c; a null value when a step is missing or not an object.
[[nodiscard]] const Json& at_path(const Json& object, std::initializer_list<const char*> path);
// The same when it is a string, else "".
[[nodiscard]] std::string text_at(const Json& object, std::initializer_list<const char*> path);

// Text of any value, also one with invalid UTF-8 in it; on one line when indent is negative.
[[nodiscard]] std::string dump(const Json& value, int indent = -1);
// The same for messages: cut after 80 bytes.
[[nodiscard]] std::string show(const Json& value);

}  // namespace muster::embedded
