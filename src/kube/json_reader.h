// Reading JSON by simdjson's on-demand parser with the path of the place kept for messages. Internal to
// src/kube: only its .cc files include this. Everything here throws BadJson or simdjson_error;
// read_document() is where exceptions stop.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace muster::kube {

struct BadJson : std::exception {
  explicit BadJson(std::string why) : message(std::move(why)) {}
  [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }
  std::string message;
};

// Walks one document. Values must be visited in document order, each once; what is not visited is skipped.
class JsonReader {
 public:
  using Value = simdjson::ondemand::value;

  // Whether a message shows a value of the wrong kind, or its kind alone, since it may be a secret.
  enum class Show { kValues, kKinds };

  explicit JsonReader(Show show = Show::kValues) : show_(show) { path_.reserve(16); }

  // visit(key, value) for each field; null is an object without fields.
  template <typename Visit>
  void each_field(Value value, Visit&& visit) {
    if (value.is_null()) return;
    expect(value, simdjson::ondemand::json_type::object, "an object");
    simdjson::ondemand::object object = value.get_object();
    each_field_of(object, visit);
  }
  template <typename Visit>
  void each_field_of(simdjson::ondemand::object& object, Visit&& visit) {
    for (auto field : object) {
      const std::string_view key = field.unescaped_key();
      path_.push_back({key, 0});
      visit(key, field.value());
      path_.pop_back();
    }
  }

  // visit(value) for each element; null is an empty list.
  template <typename Visit>
  void each_element(Value value, Visit&& visit) {
    if (value.is_null()) return;
    expect(value, simdjson::ondemand::json_type::array, "a list");
    std::size_t index = 0;
    for (auto element : value.get_array()) {
      path_.push_back({{}, index++});
      visit(element.value());
      path_.pop_back();
    }
  }

  // The scalars; null is "", false, 0.
  std::string_view text(Value value);
  bool boolean(Value value);
  int64_t integer(Value value);
  // The text of an object, which is not looked into. Valid as long as the document.
  std::string_view raw_object(Value value);
  // A string's content, or the digits of a number as they stand in the document.
  std::string_view text_or_number(Value value);

  // Throws BadJson: "spec.containers[0].name: <why>".
  [[noreturn]] void fail_here(std::string_view why) const;
  [[nodiscard]] std::string path() const;

 private:
  struct Part {
    std::string_view key;  // without data: an index
    std::size_t index = 0;
  };
  void expect(Value& value, simdjson::ondemand::json_type type, std::string_view name) const;

  const Show show_;
  std::vector<Part> path_;  // after an exception: where it happened
};

// A parser with its buffer, one for each thread.
struct JsonParser {
  simdjson::ondemand::parser parser;
  std::string buffer;
  static JsonParser& of_this_thread();
  // The document, copied to where the parser may read beyond its end.
  simdjson::ondemand::document iterate(std::string_view json);
};

// Calls visit(reader, key, value) for each field of the document, which must be an object with nothing behind
// it, and turns exceptions into kInvalid.
template <typename Visit>
Result<void> read_document(std::string_view json, Visit&& visit,
                           JsonReader::Show show = JsonReader::Show::kValues) {
  JsonReader reader(show);
  try {
    auto document = JsonParser::of_this_thread().iterate(json);
    if (document.type() != simdjson::ondemand::json_type::object)
      return invalid("the document is not an object");
    simdjson::ondemand::object root = document.get_object();
    reader.each_field_of(root,
                         [&](std::string_view key, JsonReader::Value value) { visit(reader, key, value); });
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      return invalid("malformed JSON: there is more after the object's end");
    return {};
  } catch (const BadJson& e) {
    return tl::unexpected(Error{ErrorCode::kInvalid, e.message});
  } catch (const simdjson::simdjson_error& e) {
    const std::string at = reader.path();
    return invalid("malformed JSON{}{}: {}", at.empty() ? "" : " at ", at, e.what());
  }
}

}  // namespace muster::kube
