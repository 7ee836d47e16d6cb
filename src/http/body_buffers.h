// Memory for request bodies, kept from call to call: the kernel would clear every page of a fresh buffer of
// megabytes, which costs more than the call. One large call at a time, as kube-scheduler makes them, finds
// its buffer again; so little is kept that a crowd of large calls leaves nothing behind.
//
// Thread-safe. Buffers may outlive the BodyBuffers they came from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>

namespace muster::http {

struct FreeBytes {
  void operator()(char* bytes) const { std::free(bytes); }
};

struct BodyBuffer {
  std::unique_ptr<char[], FreeBytes> bytes;  // not initialised
  std::size_t capacity = 0;
  std::size_t size = 0;

  [[nodiscard]] std::string_view text() const { return {bytes.get(), size}; }
  // Grows when needed, by doubling. O(size) then.
  void append(std::string_view more);
};

class BodyBuffers {
 public:
  // Room for at least `bytes`; empty.
  [[nodiscard]] BodyBuffer take(std::size_t bytes);
  void give_back(BodyBuffer buffer);

 private:
  static constexpr std::size_t kKept = 2;
  static constexpr std::size_t kWorthKeeping = 256u << 10;

  std::mutex mutex_;
  std::array<BodyBuffer, kKept> kept_;
};

}  // namespace muster::http
