#include "kube/yaml_scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/json_text.h"

namespace muster::kube {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<std::string> word(std::string_view text) {
  if (is_one_of(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}))
    return "true";
  if (is_one_of(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}))
    return "false";
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return "null";
  return std::nullopt;
}

bool has_no_json(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return is_one_of(text, {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"});
}

// 12, -0x1f, 0b101, 0o17, 017; within 64 bits.
std::optional<std::string> integer(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) base = 16;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B')) base = 2;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'o' || text[1] == 'O')) base = 8;
  if (base != 10) {
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (negative && value > uint64_t{1} << 63) return std::nullopt;
  return fmt::format("{}{}", negative && value != 0 ? "-" : "", value);
}

std::string_view take_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

// The same digits in the form JSON wants: 1. → 1.0, .5 → 0.5, +1e3 → 1e3.
std::optional<std::string> decimal(std::string_view text) {
  std::string json;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    if (text[0] == '-') json = "-";
    text.remove_prefix(1);
  }
  const bool begins_with_point = !text.empty() && text[0] == '.';
  std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    fraction = take_digits(text);
    if (begins_with_point && fraction.empty()) return std::nullopt;
  } else if (whole.empty()) {
    return std::nullopt;
  }
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  json += whole.empty() ? "0" : std::string(whole);
  if (!fraction.empty()) json += fmt::format(".{}", fraction);
  if (text.empty()) return json;
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  text.remove_prefix(1);
  json += 'e';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    json += text[0];
    text.remove_prefix(1);
  }
  const std::string_view exponent = take_digits(text);
  if (exponent.empty() || !text.empty()) return std::nullopt;
  return json + std::string(exponent);
}

std::optional<std::string> number(std::string_view text) {
  if (text.empty() || !(is_digit(text[0]) || text[0] == '+' || text[0] == '-' || text[0] == '.'))
    return std::nullopt;
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  if (auto whole = integer(plain)) return whole;
  return decimal(plain);
}

}  // namespace

std::optional<std::string> json_of_plain_scalar(std::string_view text) {
  if (auto token = word(text)) return token;
  if (has_no_json(text)) return std::nullopt;
  if (auto token = number(text)) return token;
  std::string json;
  append_json_string(json, text);
  return json;
}

}  // namespace muster::kube
