#include "http/body_buffers.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace muster::http {
namespace {

constexpr std::size_t kHugePage = 2u << 20;

// Large ones from pages of 2 MB where the kernel has some: a scan then looks up a few addresses, not
// thousands.
BodyBuffer fresh(std::size_t bytes) {
  bool huge = bytes >= kHugePage;
  if (huge) bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = huge ? std::aligned_alloc(kHugePage, bytes) : std::malloc(std::max<std::size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  if (huge) ::madvise(memory, bytes, MADV_HUGEPAGE);
  return {std::unique_ptr<char[], FreeBytes>(static_cast<char*>(memory)), bytes, 0};
}

}  // namespace

void BodyBuffer::append(std::string_view more) {
  if (more.size() > capacity - size) {
    BodyBuffer larger = fresh(std::max(2 * capacity, size + more.size()));
    if (size > 0) std::memcpy(larger.bytes.get(), bytes.get(), size);
    larger.size = size;
    *this = std::move(larger);
  }
  if (!more.empty()) std::memcpy(bytes.get() + size, more.data(), more.size());
  size += more.size();
}

BodyBuffer BodyBuffers::take(std::size_t bytes) {
  if (bytes >= kWorthKeeping) {
    std::lock_guard lock(mutex_);
    for (BodyBuffer& buffer : kept_) {
      if (buffer.capacity >= bytes) return std::exchange(buffer, {});
    }
  }
  // Lists of nodes grow little by little: the next one is to fit too.
  return fresh(bytes >= kWorthKeeping ? bytes + bytes / 8 : bytes);
}

void BodyBuffers::give_back(BodyBuffer buffer) {
  if (buffer.capacity < kWorthKeeping) return;
  buffer.size = 0;
  std::lock_guard lock(mutex_);
  auto smallest = std::min_element(kept_.begin(), kept_.end(), [](const BodyBuffer& a, const BodyBuffer& b) {
    return a.capacity < b.capacity;
  });
  if (smallest->capacity < buffer.capacity) std::swap(*smallest, buffer);
}

}  // namespace muster::http
