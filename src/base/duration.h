// Durations as people write them in annotations and in the configuration file.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace muster {

// "45s", "2m", "1h30m", "500ms": a sum of whole unsigned numbers with the units ms, s, m and h, without
// spaces or sign. kInvalid names the value; the caller puts the field's name in front. Linear in the text.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// The shortest text that parse_duration reads back as the same value: "1h30m", "500ms", "0s". Negative values
// get a sign, which parse_duration refuses.
[[nodiscard]] std::string format_duration(Duration duration);

}  // namespace muster
