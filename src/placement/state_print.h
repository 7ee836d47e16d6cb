// 128 bits stand for a state of a search: two different ones share them with a probability of 2^-100 in the
// largest search there can be.
#pragma once

#include <cstddef>
#include <cstdint>

namespace muster::placement {

struct StatePrint {
  uint64_t high = 0;
  uint64_t low = 0;

  static uint64_t mixed(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
  }
  // "What `a` names has the value `b`"; the same again takes it back.
  void toggle(uint64_t a, uint64_t b) {
    high ^= mixed(mixed(a + 0x9E3779B97F4A7C15ULL) + b);
    low ^= mixed(mixed(b + 0xD1B54A32D192ED03ULL) ^ (a * 0x2545F4914F6CDD1DULL));
  }
  friend bool operator==(const StatePrint&, const StatePrint&) = default;
};
struct StatePrintHash {
  std::size_t operator()(const StatePrint& print) const { return print.low; }
};

}  // namespace muster::placement
