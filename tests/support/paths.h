// Where the source tree and the build tree are, for tests that read files of the project or run its programs.
// In functions and not in macros: a path on the command line would keep ccache from knowing a test again in a
// clone elsewhere.
#pragma once

#include <string>

namespace muster::test {

[[nodiscard]] std::string source_dir();
[[nodiscard]] std::string binary_dir();

}  // namespace muster::test
