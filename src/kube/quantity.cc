#include "kube/quantity.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "base/resources.h"
#include "base/text.h"

namespace muster::kube {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
// Beyond ±this, an exponent no longer changes the result: any non-zero text of legal length is either above
// the cap or below a thousandth.
constexpr int64_t kMaxExponent = 100'000;
constexpr std::size_t kMaxLength = 1'000;  // of the text; Kubernetes itself writes fewer than 30 characters

struct Scale {
  int binary_shift = 0;
  int64_t decimal_exponent = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Scale> scale_of_letter(char c) {
  switch (c) {
    case 'n':
      return Scale{0, -9};
    case 'u':
      return Scale{0, -6};
    case 'm':
      return Scale{0, -3};
    case 'k':
      return Scale{0, 3};
    case 'M':
      return Scale{0, 6};
    case 'G':
      return Scale{0, 9};
    case 'T':
      return Scale{0, 12};
    case 'P':
      return Scale{0, 15};
    case 'E':
      return Scale{0, 18};
    default:
      return std::nullopt;
  }
}

std::optional<Scale> scale_of_exponent(std::string_view digits) {
  const bool negative = !digits.empty() && digits.front() == '-';
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) digits.remove_prefix(1);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  int64_t exponent = 0;
  for (const char c : digits) exponent = std::min(kMaxExponent, exponent * 10 + (c - '0'));
  return Scale{0, negative ? -exponent : exponent};
}

std::optional<Scale> scale_of(std::string_view suffix) {
  if (suffix.empty()) return Scale{};
  if (suffix.size() == 1) return scale_of_letter(suffix[0]);
  if (suffix.size() == 2 && suffix[1] == 'i') {
    constexpr std::string_view kBinary = "KMGTPE";
    const auto position = kBinary.find(suffix[0]);
    if (position == std::string_view::npos) return std::nullopt;
    return Scale{10 * (static_cast<int>(position) + 1), 0};
  }
  if (suffix[0] != 'e' && suffix[0] != 'E') return std::nullopt;
  return scale_of_exponent(suffix.substr(1));
}

// digits · 2^shift, in decimal digits. A digit and its carry stay below 2^64 for shift ≤ 60.
std::string shifted_left(std::string digits, int shift) {
  uint64_t carry = 0;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
    carry += static_cast<uint64_t>(*it - '0') << shift;
    *it = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  return carry == 0 ? digits : std::to_string(carry) + digits;
}

// The value of decimal digits, or nothing beyond INT64_MAX.
std::optional<int64_t> to_integer(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 19) return std::nullopt;
  uint64_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<uint64_t>(c - '0');
  if (value > static_cast<uint64_t>(kMax)) return std::nullopt;
  return static_cast<int64_t>(value);
}

// digits · 10^exponent, rounded up to a thousandth.
Quantity scaled(std::string digits, int64_t exponent) {
  const auto significant = digits.find_first_not_of('0');
  if (significant == std::string::npos) return {};
  digits.erase(0, significant);
  const auto length = static_cast<int64_t>(digits.size());
  if (length + exponent > 19) return {kMax, 0};
  if (length + exponent < -3) return {0, 1};
  if (exponent >= 0) {
    const auto units = to_integer(digits.append(static_cast<std::size_t>(exponent), '0'));
    return units ? Quantity(*units, 0) : Quantity(kMax, 0);
  }
  const auto fraction_length = static_cast<std::size_t>(-exponent);
  if (digits.size() < fraction_length) digits.insert(0, fraction_length - digits.size(), '0');
  const auto point = digits.size() - fraction_length;
  const auto units = to_integer(std::string_view(digits).substr(0, point));
  if (!units) return {kMax, 0};
  std::string thousandths = digits.substr(point, 3);
  thousandths.append(3 - thousandths.size(), '0');
  const bool more = digits.find_first_not_of('0', std::min(point + 3, digits.size())) != std::string::npos;
  return {*units, static_cast<int32_t>(*to_integer(thousandths)) + (more ? 1 : 0)};
}

struct Parts {
  bool negative = false;
  std::string digits;
  std::size_t fraction_digits = 0;
  std::string_view suffix;
};

Parts split(std::string_view text) {
  Parts parts;
  std::size_t at = 0;
  if (text[0] == '-' || text[0] == '+') {
    parts.negative = text[0] == '-';
    ++at;
  }
  while (at < text.size() && is_digit(text[at])) parts.digits.push_back(text[at++]);
  if (at < text.size() && text[at] == '.') {
    ++at;
    for (; at < text.size() && is_digit(text[at]); ++at, ++parts.fraction_digits)
      parts.digits.push_back(text[at]);
  }
  parts.suffix = text.substr(at);
  return parts;
}

// What nearly all quantities are: at most 15 digits and a common suffix, without a sign or a point. Nothing
// for everything else, valid or not.
std::optional<Quantity> plain(std::string_view text) {
  int64_t number = 0;
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) number = number * 10 + (text[at++] - '0');
  if (at == 0 || at > 15) return std::nullopt;
  const std::string_view suffix = text.substr(at);
  if (suffix.empty()) return Quantity(number, 0);
  if (suffix == "m") return Quantity(number / 1000, static_cast<int32_t>(number % 1000));
  if (suffix.size() != 2 || suffix[1] != 'i') return std::nullopt;
  const int shift = suffix[0] == 'K' ? 10 : suffix[0] == 'M' ? 20 : suffix[0] == 'G' ? 30 : 0;
  if (shift == 0 || number > (kMax >> shift)) return std::nullopt;
  return Quantity(number << shift, 0);
}

}  // namespace

Quantity::Quantity(int64_t units, int32_t millis) : units_(units), millis_(millis) {
  MUSTER_CHECK(units >= 0 && millis >= 0 && millis <= 1000);
  if (millis_ == 1000) {
    millis_ = 0;
    if (units_ < kMax) ++units_;
  }
  if (units_ == kMax) millis_ = 0;
}

int64_t Quantity::value() const { return millis_ == 0 ? units_ : units_ + 1; }

int64_t Quantity::milli_value() const {
  int64_t result = 0;
  if (__builtin_mul_overflow(units_, int64_t{1000}, &result)) return kMax;
  if (__builtin_add_overflow(result, int64_t{millis_}, &result)) return kMax;
  return result;
}

Quantity& Quantity::operator+=(const Quantity& other) {
  const int32_t millis = millis_ + other.millis_;
  int64_t units = 0;
  if (__builtin_add_overflow(units_, other.units_, &units) ||
      __builtin_add_overflow(units, int64_t{millis / 1000}, &units)) {
    return *this = Quantity(kMax, 0);
  }
  return *this = Quantity(units, millis % 1000);
}

Result<Quantity> parse_quantity(std::string_view text) {
  if (text.empty()) return invalid("an empty text is not a quantity");
  if (text.size() > kMaxLength)
    return invalid("{} is too long for a quantity ({} characters)", quoted(text), text.size());
  if (const auto quick = text.size() <= 17 ? plain(text) : std::nullopt) return *quick;
  Parts parts = split(text);
  if (parts.digits.empty()) return invalid("{} is not a quantity: it has no digits", quoted(text));
  const auto scale = scale_of(parts.suffix);
  if (!scale) return invalid("{} is not a quantity: unknown suffix {}", quoted(text), quoted(parts.suffix));
  std::string digits = scale->binary_shift == 0 ? std::move(parts.digits)
                                                : shifted_left(std::move(parts.digits), scale->binary_shift);
  const Quantity quantity =
      scaled(std::move(digits), scale->decimal_exponent - static_cast<int64_t>(parts.fraction_digits));
  if (parts.negative && quantity != Quantity{}) return invalid("{} is below zero", quoted(text));
  return quantity;
}

int64_t amount_of(std::string_view resource, const Quantity& quantity) {
  return resource == kCpu ? quantity.milli_value() : quantity.value();
}

}  // namespace muster::kube
