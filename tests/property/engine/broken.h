// What ends a life that a promise did not survive.
#pragma once

#include <stdexcept>

namespace muster::sim {

// A promise was broken; the message says which and how.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace muster::sim
