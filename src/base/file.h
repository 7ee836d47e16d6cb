// Whole files, read in one way by all who read one.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace muster {

// More than a cluster of a hundred thousand nodes prints; less than what never ends.
inline constexpr std::size_t kLargestFile = std::size_t{4} << 30;

// All bytes of the file. kNotFound when it does not exist. kInvalid when it cannot be read for another
// reason, also when that shows only while reading, as of a directory, or when it has more than `most` bytes.
// Either names it and says why.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t most = kLargestFile);

// The same of standard input.
[[nodiscard]] Result<std::string> read_stdin();

}  // namespace muster
