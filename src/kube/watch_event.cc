#include "kube/watch_event.h"

#include <optional>
#include <utility>

#include "kube/json_reader.h"

namespace muster::kube {
namespace {

using Value = JsonReader::Value;

constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

std::optional<WatchEventType> type_of(std::string_view name) {
  if (name == "ADDED") return WatchEventType::kAdded;
  if (name == "MODIFIED") return WatchEventType::kModified;
  if (name == "DELETED") return WatchEventType::kDeleted;
  if (name == "BOOKMARK") return WatchEventType::kBookmark;
  if (name == "ERROR") return WatchEventType::kError;
  return std::nullopt;
}

void read_metadata(JsonReader& reader, Value metadata, ObjectMeta& meta) {
  reader.each_field(metadata, [&](std::string_view key, Value value) {
    if (key == "namespace") {
      meta.ns = reader.text(value);
    } else if (key == "name") {
      meta.name = reader.text(value);
    } else if (key == "uid") {
      meta.uid = reader.text(value);
    } else if (key == "resourceVersion") {
      meta.resource_version = reader.text(value);
    } else if (key == "continue") {
      meta.continue_token = reader.text(value);
    } else if (key == "annotations") {
      reader.each_field(value, [&](std::string_view name, Value annotation) {
        if (name == kInitialEventsEnd) meta.initial_events_end = reader.text(annotation) == "true";
      });
    }
  });
}

// The form in which API servers write changes: nothing but the two fields, in this order, without spaces.
// What is in the object is looked at when it is decoded.
std::optional<WatchEvent> usual_form(std::string_view line) {
  constexpr std::pair<std::string_view, WatchEventType> kBegins[] = {
      {R"({"type":"ADDED","object":)", WatchEventType::kAdded},
      {R"({"type":"MODIFIED","object":)", WatchEventType::kModified},
      {R"({"type":"DELETED","object":)", WatchEventType::kDeleted}};
  for (const auto& [begin, type] : kBegins) {
    if (!line.starts_with(begin)) continue;
    const std::string_view object = line.substr(begin.size());
    if (!object.starts_with(R"({"kind":")") || !object.ends_with("}}")) return std::nullopt;
    return WatchEvent{type, object.substr(0, object.size() - 1)};
  }
  return std::nullopt;
}

}  // namespace

Result<WatchEvent> read_watch_event(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (const auto usual = usual_form(line)) return *usual;
  std::string type_name;
  std::string_view object;
  const auto read = read_document(line, [&](JsonReader& reader, std::string_view key, Value value) {
    if (key == "type") {
      type_name = reader.text(value);
    } else if (key == "object" && value.type() == simdjson::ondemand::json_type::object) {
      simdjson::ondemand::object inner = value.get_object();
      const std::string_view raw = inner.raw_json();
      // The parser works on a copy of the line; the same place in the line lives longer.
      const auto begin = static_cast<std::size_t>(raw.data() - JsonParser::of_this_thread().buffer.data());
      object = line.substr(begin, raw.size());
    }
  });
  if (!read) return tl::unexpected(read.error());
  const auto type = type_of(type_name);
  if (!type) return invalid("type: {} is not a kind of event", muster::quoted(type_name));
  if (object.empty()) return invalid("object is missing");
  return WatchEvent{*type, object};
}

Result<ObjectMeta> read_meta(std::string_view json) {
  ObjectMeta meta;
  const auto read = read_document(json, [&](JsonReader& reader, std::string_view key, Value value) {
    if (key == "metadata") read_metadata(reader, value, meta);
  });
  if (!read) return tl::unexpected(read.error());
  return meta;
}

}  // namespace muster::kube
