// Waiting for what another thread does.
#pragma once

#include <chrono>
#include <thread>

namespace muster::test {

// Whether the condition comes to hold. Gives up after 60,000 looks a millisecond apart: at least a minute,
// and more on a machine that is busy.
template <typename Condition>
[[nodiscard]] bool soon(const Condition& condition) {
  for (int i = 0; i < 60'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace muster::test
