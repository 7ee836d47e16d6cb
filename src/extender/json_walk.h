// Finds the members of a JSON object without building anything: each value comes as the text it is. Strings
// and nesting are followed exactly; what stands inside a value is looked at by whoever needs it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace muster::extender {

// Deeper nesting than any Kubernetes object has is refused, so that no reader of the text can be led to use
// its stack up.
inline constexpr int kMaxJsonDepth = 100;

// Where the value that begins at `begin` ends (one behind its last character). kInvalid at a missing end, a
// depth beyond kMaxJsonDepth, or a character that begins no value. O(length of the value).
[[nodiscard]] Result<std::size_t> value_end(std::string_view text, std::size_t begin);

// Takes over a value that begins at `begin` and returns its end; the default is value_end().
using ValueReader =
    std::function<Result<std::size_t>(std::string_view key, std::string_view text, std::size_t begin)>;

// Calls read for each member of the object that is the whole text, in order. Keys come as written.
[[nodiscard]] Result<void> walk_object(std::string_view text, const ValueReader& read);

// A key as written, without its escapes; storage holds the result when there were some.
[[nodiscard]] std::string_view unescaped_key(std::string_view key, std::string& storage);

// The text as a string value. kInvalid names `field` and the value when it is none.
[[nodiscard]] Result<std::string> string_value(std::string_view text, std::string_view field);
[[nodiscard]] bool is_null(std::string_view text);

}  // namespace muster::extender
