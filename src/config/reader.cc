#include "config/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/duration.h"
#include "base/text.h"

namespace muster::config {
namespace {

// What YAML 1.1, which yaml-cpp and Kubernetes' own parser follow, reads as something else than a string.
bool reads_as_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords{"true", "false", "yes", "no", "on", "off"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T number{};
  const char* end = text.data() + text.size();
  const auto [after, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || after != end) return std::nullopt;
  return number;
}

bool is_unquoted(const YAML::Node& node) { return node.Tag() == "?" || node.Tag().empty(); }

std::string kind_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Scalar:
      return quoted(node.Scalar());
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return "empty";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// A near miss is most likely a slip; for anything else the list of what exists helps more.
bool is_slip(std::string_view word, std::string_view known) {
  return edit_distance(word, known) <= std::max<std::size_t>(2, known.size() / 3);
}

std::string unknown_key(const std::string& key, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view best = nearest(key, views);
  if (best.empty()) return "unknown key; nothing is known here";
  if (is_slip(key, best)) return fmt::format("unknown key; did you mean \"{}\"?", best);
  return fmt::format("unknown key; the nearest known one is \"{}\", all of them: {}", best, join(known));
}

}  // namespace

void Document::mistake(const YAML::Mark& mark, std::string_view path, std::string_view message) {
  if (error) return;
  std::string text = source;
  if (!mark.is_null()) text += fmt::format(":{}", mark.line + 1);
  if (!path.empty()) text += fmt::format(": {}", path);
  error = Error{ErrorCode::kInvalid, fmt::format("{}: {}", text, message)};
}

std::optional<std::string> Value::plain(std::string_view wanted) const {
  if (node_.IsScalar() && is_unquoted(node_)) return node_.Scalar();
  const bool is_quoted = node_.IsScalar();
  mistake(fmt::format("is {}{}, not {}", kind_of(node_), is_quoted ? " in quotes" : "", wanted));
  return std::nullopt;
}

void Value::read(std::string& out) const {
  if (!node_.IsScalar()) return mistake(fmt::format("is {}, not a string", kind_of(node_)));
  const std::string& text = node_.Scalar();
  if (is_unquoted(node_)) {
    if (reads_as_bool(text)) {
      return mistake(fmt::format("{} is a boolean here; put it in quotes to mean the string", quoted(text)));
    }
    if (whole_number<double>(text)) {
      return mistake(fmt::format("{} is a number here; put it in quotes to mean the string", quoted(text)));
    }
  }
  if (text.empty()) return mistake("is an empty string");
  out = text;
}

// The other spellings of YAML 1.1 are not what Kubernetes' files have.
void Value::read(bool& out) const {
  const auto text = plain("true or false");
  if (!text) return;
  if (*text != "true" && *text != "false") {
    return mistake(fmt::format("{} is neither true nor false", quoted(*text)));
  }
  out = *text == "true";
}

void Value::read(Duration& out, Duration least, Duration most) const {
  if (!node_.IsScalar()) return mistake(fmt::format("is {}, not a duration", kind_of(node_)));
  const auto duration = parse_duration(node_.Scalar());
  if (!duration) return mistake(duration.error().message);
  if (*duration < least || *duration > most) {
    return mistake(fmt::format("{} is out of the range {} to {}", node_.Scalar(), format_duration(least),
                               format_duration(most)));
  }
  out = *duration;
}

void Value::read(uint64_t& out, uint64_t least, uint64_t most) const {
  const auto text = plain("a whole number");
  if (!text) return;
  // "010" is eight to YAML and ten to people: it is refused rather than guessed.
  const bool ambiguous = text->size() > 1 && text->front() == '0';
  std::optional<uint64_t> number;
  if (!ambiguous) number = whole_number<uint64_t>(*text);
  const bool digits =
      !text->empty() && std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!number && !(digits && !ambiguous)) {
    return mistake(fmt::format("{} is not a whole number", quoted(*text)));
  }
  if (!number || *number < least || *number > most) {
    return mistake(fmt::format("{} is out of the range {} to {}", *text, least, most));
  }
  out = *number;
}

void Value::read(double& out, double least, double most) const {
  const auto text = plain("a number");
  if (!text) return;
  const auto number = whole_number<double>(*text);
  if (!number || !std::isfinite(*number)) return mistake(fmt::format("{} is not a number", quoted(*text)));
  if (*number < least || *number > most) {
    return mistake(fmt::format("{} is out of the range {} to {}", *text, least, most));
  }
  out = *number;
}

std::vector<Value> Value::items(std::size_t most) const {
  if (!node_.IsSequence()) {
    mistake(fmt::format("is {}, not a list", kind_of(node_)));
    return {};
  }
  if (node_.size() == 0) {
    mistake("is an empty list");
    return {};
  }
  if (node_.size() > most) {
    mistake(fmt::format("has {} entries; at most {} are allowed", node_.size(), most));
    return {};
  }
  std::vector<Value> values;
  for (const YAML::Node& node : node_) {
    values.emplace_back(*document_, node, fmt::format("{}[{}]", path_, values.size()), node.Mark());
  }
  return values;
}

Section::Section(const Value& value)
    : document_(&value.document()), path_(value.path()), mark_(value.mark()) {
  if (!value.node().IsMap()) {
    value.mistake(fmt::format("is {}, not a mapping", kind_of(value.node())));
    return;
  }
  for (const auto& entry : value.node()) add(entry.first, entry.second);
}

void Section::add(const YAML::Node& name, const YAML::Node& node) {
  if (!name.IsScalar()) {
    return document_->mistake(name.Mark(), path_, fmt::format("{} is no key", kind_of(name)));
  }
  const std::string& key = name.Scalar();
  const auto same = [&](const Entry& other) { return other.key == key; };
  if (std::any_of(entries_.begin(), entries_.end(), same)) {
    return document_->mistake(name.Mark(), path_of(key), "this key stands twice");
  }
  // An empty value stands, for YAML, where the next thing begins; for people, at its key.
  const YAML::Mark mark = node.IsNull() ? name.Mark() : node.Mark();
  entries_.push_back({key, name.Mark(), Value(*document_, node, path_of(key), mark)});
}

std::string Section::path_of(std::string_view key) const {
  // Plain keys stay plain; anything a person would stumble over is put in quotes.
  const bool tame =
      !key.empty() && key.size() <= 80 && std::all_of(key.begin(), key.end(), [](unsigned char c) {
        return c > 0x20 && c != 0x7F && c != '"' && c != '\\';
      });
  const std::string shown = tame ? std::string(key) : quoted(key);
  return path_.empty() ? shown : fmt::format("{}.{}", path_, shown);
}

std::optional<Value> Section::find(std::string_view key) {
  known_.emplace_back(key);
  if (document_->error) return std::nullopt;
  for (Entry& entry : entries_) {
    if (entry.key != key) continue;
    entry.asked = true;
    return entry.value;
  }
  return std::nullopt;
}

std::optional<Value> Section::require(std::string_view key) {
  auto value = find(key);
  if (!value) missing_.emplace_back(key);
  return value;
}

void Section::finish() {
  for (const Entry& entry : entries_) {
    if (!entry.asked) document_->mistake(entry.mark, path_of(entry.key), unknown_key(entry.key, known_));
  }
  // After the unknown ones: a key that is missing because of a slip is found by the slip.
  for (const std::string& key : missing_) document_->mistake(mark_, path_of(key), "is missing");
}

}  // namespace muster::config
