// Where the bytes that matter to JSON's framing are in a block of 64: one bit for each byte. Internal to
// framing.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace muster::kube {

// Bit i is the parity of the bits up to i: within a text that a quote opens, its closing quote not included.
[[nodiscard]] inline uint64_t prefix_xor(uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

#if defined(__SSE2__)

class ByteMasks {
 public:
  static constexpr std::size_t kBytes = 64;
  // Reads kBytes from `block`.
  explicit ByteMasks(const char* block) {
    for (int i = 0; i < 4; ++i)
      part_[i] =
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * static_cast<std::ptrdiff_t>(i)));
  }
  [[nodiscard]] uint64_t quotes() const { return equal('"', 0); }
  [[nodiscard]] uint64_t backslashes() const { return equal('\\', 0); }
  // '[' and '{' differ in one bit, as do ']' and '}'.
  [[nodiscard]] uint64_t opening() const { return equal('{', 0x20); }
  [[nodiscard]] uint64_t closing() const { return equal('}', 0x20); }

 private:
  [[nodiscard]] uint64_t equal(char wanted, char ignored_bit) const {
    uint64_t mask = 0;
    for (int i = 0; i < 4; ++i) {
      const __m128i bytes = _mm_or_si128(part_[i], _mm_set1_epi8(ignored_bit));
      const auto hits =
          static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
      mask |= static_cast<uint64_t>(hits) << (16 * i);
    }
    return mask;
  }
  __m128i part_[4];
};

#else

class ByteMasks {
 public:
  static constexpr std::size_t kBytes = 64;
  explicit ByteMasks(const char* block) : block_(block) {}
  [[nodiscard]] uint64_t quotes() const { return equal('"', 0); }
  [[nodiscard]] uint64_t backslashes() const { return equal('\\', 0); }
  [[nodiscard]] uint64_t opening() const { return equal('{', 0x20); }
  [[nodiscard]] uint64_t closing() const { return equal('}', 0x20); }

 private:
  [[nodiscard]] uint64_t equal(char wanted, char ignored_bit) const {
    uint64_t mask = 0;
    for (std::size_t i = 0; i < kBytes; ++i)
      mask |= static_cast<uint64_t>(static_cast<char>(block_[i] | ignored_bit) == wanted) << i;
    return mask;
  }
  const char* block_;
};

#endif

}  // namespace muster::kube
