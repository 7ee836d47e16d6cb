// One line of CSV: cells separated by commas; a cell may stand in double quotes, with "" for a quote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace muster {

// Blanks around a cell are dropped. kInvalid when a quote does not end.
[[nodiscard]] Result<std::vector<std::string>> split_csv(std::string_view line);

// The lines of a text, without their ends and the byte order mark before the first; the last one may lack its
// end.
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace muster
