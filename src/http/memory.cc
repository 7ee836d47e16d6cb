#include "http/memory.h"

#include <malloc.h>

namespace muster::http {

void tune_allocator() {
  ::mallopt(M_MMAP_THRESHOLD, 2 << 20);  // 40,000 node names
  ::mallopt(M_TRIM_THRESHOLD, 8 << 20);
  ::mallopt(M_ARENA_MAX, 8);
}

}  // namespace muster::http
