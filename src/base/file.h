// Whole files, read in one way by all who read one.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace muster {

// More than a cluster of a hundred thousand nodes prints; less than what never ends.
inline constexpr std::size_t kLargestFile = std::size_t{4} << 30;

// All bytes of the file. kInvalid names it and says why it cannot be read, also when that shows only while
// reading, as of a directory, or when it has more than `most` bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t most = kLargestFile);

// The same of standard input.
[[nodiscard]] Result<std::string> read_stdin();

}  // namespace muster
