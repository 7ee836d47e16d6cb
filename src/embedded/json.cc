#include "embedded/json.h"

namespace muster::embedded {

std::optional<Json> parse_json(std::string_view text, std::string& why) {
  bool too_deep = false;
  const auto limit = [&too_deep](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxJsonDepth) too_deep = true;
    return !too_deep;
  };
  Json value;
  try {
    value = Json::parse(text.begin(), text.end(), limit);
  } catch (const Json::exception& error) {
    why = error.what();
    return std::nullopt;
  }
  if (too_deep) {
    why = "nested deeper than " + std::to_string(kMaxJsonDepth) + " levels";
    return std::nullopt;
  }
  return value;
}

const Json& at_path(const Json& object, std::initializer_list<const char*> path) {
  static const Json null;
  const Json* at = &object;
  for (const char* key : path) {
    if (!at->is_object()) return null;
    const auto found = at->find(key);
    if (found == at->end()) return null;
    at = &*found;
  }
  return *at;
}

std::string text_at(const Json& object, std::initializer_list<const char*> path) {
  const Json& value = at_path(object, path);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string show(const Json& value) {
  constexpr std::size_t kLimit = 80;
  const std::string text = dump(value);
  return text.size() <= kLimit ? text : text.substr(0, kLimit) + "…";
}

}  // namespace muster::embedded
