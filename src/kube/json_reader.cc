#include "kube/json_reader.h"

namespace muster::kube {
namespace {

using simdjson::ondemand::json_type;

std::string_view name_of(json_type type) {
  switch (type) {
    case json_type::array:
      return "a list";
    case json_type::object:
      return "an object";
    case json_type::number:
      return "a number";
    case json_type::string:
      return "a text";
    case json_type::boolean:
      return "true or false";
    case json_type::null:
      return "null";
  }
  return "something else";
}

std::string_view trimmed(std::string_view token) {
  const auto end = token.find_last_not_of(" \t\r\n");
  return token.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

void JsonReader::expect(Value& value, json_type type, std::string_view name) const {
  const json_type actual = value.type();
  if (actual == type) return;
  const bool shown = show_ == Show::kValues && actual != json_type::object && actual != json_type::array;
  fail_here(fmt::format("expected {}, got {}{}", name, name_of(actual),
                        shown ? " " + quoted(trimmed(value.raw_json_token())) : ""));
}

std::string_view JsonReader::text(Value value) {
  if (value.is_null()) return {};
  expect(value, json_type::string, "a text");
  return value.get_string();
}

bool JsonReader::boolean(Value value) {
  if (value.is_null()) return false;
  expect(value, json_type::boolean, "true or false");
  return value.get_bool();
}

int64_t JsonReader::integer(Value value) {
  if (value.is_null()) return 0;
  expect(value, json_type::number, "a whole number");
  const std::string_view token = trimmed(value.raw_json_token());
  int64_t result = 0;
  if (value.get_int64().get(result) != simdjson::SUCCESS)
    fail_here(fmt::format("{} is not a whole number of 64 bits",
                          show_ == Show::kValues ? quoted(token) : "the number"));
  return result;
}

std::string_view JsonReader::raw_object(Value value) {
  expect(value, json_type::object, "an object");
  simdjson::ondemand::object object = value.get_object();
  return object.raw_json();
}

std::string_view JsonReader::text_or_number(Value value) {
  if (value.type() == json_type::number) return trimmed(value.raw_json_token());
  return text(value);
}

void JsonReader::fail_here(std::string_view why) const { throw BadJson(fmt::format("{}: {}", path(), why)); }

std::string JsonReader::path() const {
  std::string result;
  for (const Part& part : path_) {
    if (part.key.data() == nullptr) {
      result += fmt::format("[{}]", part.index);
    } else if (part.key.find_first_of("./ ") != std::string_view::npos || part.key.size() > 100) {
      result += fmt::format("[{}]", quoted(part.key));
    } else {
      const std::string key = quoted(part.key);
      result +=
          fmt::format("{}{}", result.empty() ? "" : ".", std::string_view(key).substr(1, key.size() - 2));
    }
  }
  return result;
}

JsonParser& JsonParser::of_this_thread() {
  thread_local JsonParser instance;
  return instance;
}

simdjson::ondemand::document JsonParser::iterate(std::string_view json) {
  if (buffer.size() < json.size() + simdjson::SIMDJSON_PADDING)
    buffer.resize(json.size() + json.size() / 4 + simdjson::SIMDJSON_PADDING);
  std::copy(json.begin(), json.end(), buffer.begin());
  return parser.iterate(buffer.data(), json.size(), buffer.size());
}

}  // namespace muster::kube
