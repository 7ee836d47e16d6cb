#include "kube/decode_common.h"

#include <array>
#include <chrono>
#include <optional>

#include "kube/decode.h"

namespace muster::kube {
namespace {

std::string_view without_spaces(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Reads exactly `digits` decimal digits at the front of `text` and drops them.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "+hh:mm" or "-hh:mm" as seconds east of Greenwich.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

std::optional<int64_t> to_unix_seconds(std::string_view text) {
  constexpr std::array<std::string_view, 6> kSeparators = {"-", "-", "Tt", ":", ":", ""};
  std::array<int, 6> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = take_number(text, i == 0 ? 4 : 2);
    if (!number) return std::nullopt;
    parts[i] = *number;
    if (!kSeparators[i].empty() && !take(text, kSeparators[i])) return std::nullopt;
  }
  const auto [year, month, day, hour, minute, second] = parts;
  if (take(text, ".")) {
    if (!take_number(text, 1)) return std::nullopt;
    while (take(text, "0123456789")) {
    }
  }
  const auto offset = take_offset(text);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!offset || !text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86'400 + hour * 3600 + minute * 60 + second - *offset;
}

}  // namespace

Result<int64_t> parse_time(std::string_view rfc3339) {
  const auto seconds = to_unix_seconds(rfc3339);
  if (!seconds) return invalid("{} is not a time such as 2026-01-31T12:00:00Z", quoted(rfc3339));
  return *seconds;
}

void read_quantity(JsonReader& reader, std::string_view name, JsonReader::Value amount, QuantityList& list) {
  if (amount.is_null()) return;
  const auto quantity = parse_quantity(without_spaces(reader.text_or_number(amount)));
  if (!quantity) reader.fail_here(quantity.error().message);
  list.set(name, *quantity);
}

QuantityList read_quantities(JsonReader& reader, JsonReader::Value value) {
  QuantityList list;
  reader.each_field(value, [&](std::string_view name, JsonReader::Value amount) {
    read_quantity(reader, name, amount, list);
  });
  return list;
}

StringMap read_string_map(JsonReader& reader, JsonReader::Value value) {
  StringMap map;
  reader.each_field(value, [&](std::string_view key, JsonReader::Value text) {
    map.insert_or_assign(std::string(key), std::string(reader.text(text)));
  });
  return map;
}

Condition read_condition(JsonReader& reader, JsonReader::Value value) {
  Condition condition;
  reader.each_field(value, [&](std::string_view key, JsonReader::Value field) {
    if (key == "type") {
      condition.type = reader.text(field);
    } else if (key == "status") {
      condition.status = reader.text(field);
    } else if (key == "reason") {
      condition.reason = reader.text(field);
    } else if (key == "message") {
      condition.message = reader.text(field);
    }
  });
  return condition;
}

void check_kind(JsonReader& reader, JsonReader::Value value, std::string_view expected) {
  const std::string_view kind = reader.text(value);
  if (!kind.empty() && kind != expected)
    reader.fail_here(fmt::format("expected {}, got {}", expected, quoted(kind)));
}

}  // namespace muster::kube
