#include "support/paths.h"

namespace muster::test {

std::string source_dir() { return MUSTER_SOURCE_DIR; }
std::string binary_dir() { return MUSTER_BINARY_DIR; }

}  // namespace muster::test
