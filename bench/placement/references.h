// The solver beside schedulers that place one pod after another (placement/per_pod.h), as a table and as
// JSON.
#pragma once

#include <cstdint>

#include "harness/harness.h"

namespace muster::bench {

void print_reference_head();
// All put the same groups on the same states, by turns. Each round has a cluster of its own, so that a row is
// not one lucky or unlucky state. Large rows have fewer rounds than asked for, but one. Prints the rows at
// the end.
[[nodiscard]] Json measure_references(uint32_t hosts, uint64_t seed, uint32_t rounds);
void print_reference_foot();

}  // namespace muster::bench
