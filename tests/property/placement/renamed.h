// The same cluster and request under other names and in another order.
#pragma once

#include "generator.h"

namespace muster::test {

// Hosts come in the other order, and hosts and domains have names that sort in another way. The instance is
// one of the generator's.
[[nodiscard]] Instance renamed(const Instance& instance);

}  // namespace muster::test
