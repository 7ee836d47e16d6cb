// A fuzz target is one .cc here: MUSTER_FUZZ_TARGET(name) followed by a block that works on `input`, any
// bytes. A defect is a crash, a sanitizer's report, or EXPECT_THAT of something that does not hold. Two
// programs are made of the same file: a fuzzer of its own by libFuzzer, and a part of the replay, which runs
// the kept inputs of corpus/NAME in `make test`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace muster::fuzz {

using Target = void (*)(std::string_view input);

// Of the replay.
inline std::map<std::string, Target>& targets() {
  static std::map<std::string, Target> all;
  return all;
}
struct Registration {
  Registration(const char* name, Target target) { targets()[name] = target; }
};

// Numbers from the front of the input, which is what decides between variants.
inline uint8_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

}  // namespace muster::fuzz

#define EXPECT_THAT(condition) MUSTER_CHECK(condition)

#if defined(MUSTER_FUZZER)
#define MUSTER_FUZZ_TARGET(name)                                                 \
  static void run_##name(std::string_view input);                                \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) { \
    run_##name(std::string_view(reinterpret_cast<const char*>(data), size));     \
    return 0;                                                                    \
  }                                                                              \
  static void run_##name(std::string_view input)
#else
#define MUSTER_FUZZ_TARGET(name)                                                    \
  static void run_##name(std::string_view input);                                   \
  static const ::muster::fuzz::Registration registration_##name(#name, run_##name); \
  static void run_##name(std::string_view input)
#endif
