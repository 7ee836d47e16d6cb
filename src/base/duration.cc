#include "base/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/text.h"

namespace muster {
namespace {

struct Unit {
  std::string_view suffix;
  int64_t millis;
};

constexpr std::array<Unit, 4> kUnits{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

std::optional<int64_t> millis_per(std::string_view suffix) {
  for (const Unit& unit : kUnits) {
    if (unit.suffix == suffix) return unit.millis;
  }
  return std::nullopt;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The sum of `total` and number × millis, or nothing when int64 cannot hold it.
std::optional<int64_t> add_scaled(int64_t total, uint64_t number, int64_t millis) {
  if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  int64_t scaled = 0;
  int64_t sum = 0;
  if (__builtin_mul_overflow(static_cast<int64_t>(number), millis, &scaled)) return std::nullopt;
  if (__builtin_add_overflow(total, scaled, &sum)) return std::nullopt;
  return sum;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto malformed = [&] {
    return invalid("{} is not a duration such as 500ms, 45s, 2m or 1h30m", quoted(text));
  };
  const auto too_long = [&] { return invalid("{} is too long a duration", quoted(text)); };

  if (text.empty()) return malformed();
  int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    uint64_t number = 0;
    const auto [after, status] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (status == std::errc::invalid_argument) return malformed();
    rest.remove_prefix(static_cast<std::size_t>(after - rest.data()));
    std::size_t length = 0;
    while (length < rest.size() && !is_digit(rest[length])) ++length;
    const auto millis = millis_per(rest.substr(0, length));
    if (!millis) return malformed();
    rest.remove_prefix(length);
    const auto sum =
        status == std::errc::result_out_of_range ? std::nullopt : add_scaled(total, number, *millis);
    if (!sum) return too_long();
    total = *sum;
  }
  return Duration(total);
}

std::string format_duration(Duration duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  // Unsigned, so that the most negative value has a magnitude.
  uint64_t rest = count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  std::string text = count < 0 ? "-" : "";
  for (const Unit& unit : kUnits) {
    const auto millis = static_cast<uint64_t>(unit.millis);
    if (rest < millis) continue;
    text += fmt::format("{}{}", rest / millis, unit.suffix);
    rest %= millis;
  }
  return text;
}

}  // namespace muster
