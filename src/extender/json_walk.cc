#include "extender/json_walk.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace muster::extender {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

tl::unexpected<Error> broken(std::string_view text, std::size_t at, std::string_view expected) {
  if (at >= text.size())
    return invalid("not JSON: it ends at byte {} where {} is expected", text.size(), expected);
  return invalid("not JSON: {} at byte {} where {} is expected", muster::quoted(text.substr(at, 16)), at,
                 expected);
}

// One behind the closing quote of the string that begins at `begin`; npos when there is none.
std::size_t string_end(std::string_view text, std::size_t begin) {
  std::size_t from = begin + 1;
  while (true) {
    std::size_t quote = text.find('"', from);
    if (quote == std::string_view::npos) return quote;
    // A quote behind an odd number of backslashes belongs to the string.
    std::size_t slashes = 0;
    while (quote - slashes > from && text[quote - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0) return quote + 1;
    from = quote + 1;
  }
}

std::size_t scalar_end(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_space(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']')
    ++at;
  return at;
}

Result<std::size_t> container_end(std::string_view text, std::size_t begin) {
  std::string open;  // the closers that are due
  for (std::size_t at = begin; at < text.size();) {
    char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      if (at == std::string_view::npos) break;
      continue;
    }
    ++at;
    if (c == '{' || c == '[') {
      open += c == '{' ? '}' : ']';
      if (open.size() > kMaxJsonDepth) return invalid("JSON nested deeper than {} levels", kMaxJsonDepth);
    } else if (c == '}' || c == ']') {
      if (open.back() != c) return broken(text, at - 1, open.back() == '}' ? "}" : "]");
      open.pop_back();
      if (open.empty()) return at;
    }
  }
  return broken(text, text.size(), open.empty() ? "\"" : open.substr(open.size() - 1));
}

}  // namespace

Result<std::size_t> value_end(std::string_view text, std::size_t begin) {
  if (begin >= text.size()) return broken(text, begin, "a value");
  char c = text[begin];
  if (c == '{' || c == '[') return container_end(text, begin);
  if (c == '"') {
    std::size_t end = string_end(text, begin);
    if (end == std::string_view::npos) return broken(text, text.size(), "\"");
    return end;
  }
  std::size_t end = scalar_end(text, begin);
  if (!nlohmann::json::accept(text.substr(begin, end - begin))) return broken(text, begin, "a value");
  return end;
}

Result<void> walk_object(std::string_view text, const ValueReader& read) {
  std::size_t at = skip_space(text, 0);
  if (at >= text.size() || text[at] != '{') return broken(text, at, "{");
  at = skip_space(text, at + 1);
  bool first = true;
  while (at >= text.size() || text[at] != '}') {
    if (!first) {
      if (at >= text.size() || text[at] != ',') return broken(text, at, ", or }");
      at = skip_space(text, at + 1);
    }
    first = false;
    if (at >= text.size() || text[at] != '"') return broken(text, at, "a key");
    std::size_t key_end = string_end(text, at);
    if (key_end == std::string_view::npos) return broken(text, text.size(), "\"");
    std::string_view key = text.substr(at + 1, key_end - at - 2);
    at = skip_space(text, key_end);
    if (at >= text.size() || text[at] != ':') return broken(text, at, ":");
    at = skip_space(text, at + 1);
    if (at >= text.size()) return broken(text, at, "a value");
    auto end = read(key, text, at);
    if (!end) return tl::unexpected(end.error());
    at = skip_space(text, *end);
  }
  at = skip_space(text, at + 1);
  if (at != text.size()) return broken(text, at, "the end");
  return {};
}

Result<std::string> string_value(std::string_view text, std::string_view field) {
  auto value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) return invalid("{} is {}, which is not JSON", field, muster::quoted(text));
  if (!value.is_string()) return invalid("{} is {}, not a string", field, muster::quoted(text));
  return value.get<std::string>();
}

std::string_view unescaped_key(std::string_view key, std::string& storage) {
  if (key.find('\\') == std::string_view::npos) return key;
  auto parsed = nlohmann::json::parse("\"" + std::string(key) + "\"", nullptr, false);
  if (!parsed.is_string()) return key;
  storage = parsed.get<std::string>();
  return storage;
}

bool is_null(std::string_view text) { return text == "null"; }

}  // namespace muster::extender
