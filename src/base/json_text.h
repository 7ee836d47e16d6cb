// Writing JSON strings without a JSON library.
#pragma once

#include <string>
#include <string_view>

namespace muster {

// Appends text as a quoted JSON string. Bytes that are no UTF-8 become U+FFFD, so that the result is always
// valid. O(n); text without special characters is copied as one piece.
void append_json_string(std::string& out, std::string_view text);

}  // namespace muster
