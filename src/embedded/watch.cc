#include "embedded/watch.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace muster::embedded {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using Sink = std::function<bool(std::string_view)>;

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_true(std::string_view text) { return text == "true" || text == "1"; }

std::string_view name_of(ChangeType type) {
  switch (type) {
    case ChangeType::kAdded:
      return "ADDED";
    case ChangeType::kModified:
      return "MODIFIED";
    case ChangeType::kDeleted:
      return "DELETED";
  }
  return "ERROR";
}

std::string line(std::string_view type, const Json& object) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, dump(object));
}

std::string bookmark_line(Kind kind, Version version, bool ends_initial_list) {
  const KindInfo& info = info_of(kind);
  Json object{{"apiVersion", info.api_version},
              {"kind", info.kind},
              {"metadata", {{"resourceVersion", std::to_string(version)}}}};
  if (ends_initial_list) object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
  return line("BOOKMARK", object);
}

// Writes the present state and returns its version; nothing when the peer has gone.
std::optional<Version> write_present(const Store& store, const WatchParams& params, const Sink& sink) {
  const Listing listing = store.list(params.kind, params.ns);
  for (const Object& object : listing.items) {
    if (!sink(line("ADDED", *object))) return std::nullopt;
  }
  if (params.initial_list && !sink(bookmark_line(params.kind, listing.version, true))) return std::nullopt;
  return listing.version;
}

bool write_changes(const Changes& changes, const Sink& sink) {
  std::string lines;
  for (const Change& change : changes.items) lines += line(name_of(change.type), *change.object);
  return sink(lines);
}

}  // namespace

Answer<WatchParams> watch_params(Kind kind, const std::string& ns,
                                 const std::function<std::string(std::string_view)>& query) {
  WatchParams params;
  params.kind = kind;
  params.ns = ns;
  params.bookmarks = is_true(query("allowWatchBookmarks"));
  params.initial_list = is_true(query("sendInitialEvents"));

  if (const std::string text = query("resourceVersion"); !text.empty() && !params.initial_list) {
    const auto version = parse_number<Version>(text);
    if (!version) return bad_request("resourceVersion: \"{}\" is not a version of this server", text);
    params.after = *version;
  }
  if (const std::string text = query("timeoutSeconds"); !text.empty()) {
    const auto seconds = parse_number<int64_t>(text);
    if (!seconds || *seconds < 0)
      return bad_request("timeoutSeconds: \"{}\" is not a number of seconds", text);
    if (*seconds > 0) params.timeout = std::chrono::seconds(std::min<int64_t>(*seconds, 86400));
  }
  return params;
}

void run_watch(const Store& store, const WatchParams& params, const Sink& sink,
               std::chrono::milliseconds bookmark_interval) {
  const SteadyTime end = std::chrono::steady_clock::now() + params.timeout;
  Version after = params.after;
  if (after == 0) {
    const auto version = write_present(store, params, sink);
    if (!version) return;
    after = *version;
  }

  SteadyTime next_bookmark = std::chrono::steady_clock::now() + bookmark_interval;
  while (!store.closed() && std::chrono::steady_clock::now() < end) {
    const SteadyTime until = params.bookmarks ? std::min(end, next_bookmark) : end;
    const auto changes = store.changes(params.kind, params.ns, after, until);
    if (!changes) {
      sink(line("ERROR", status_object(changes.error())));
      return;
    }
    after = changes->seen;
    if (!changes->items.empty() && !write_changes(*changes, sink)) return;
    if (!params.bookmarks || std::chrono::steady_clock::now() < next_bookmark) continue;
    if (!sink(bookmark_line(params.kind, after, false))) return;
    next_bookmark = std::chrono::steady_clock::now() + bookmark_interval;
  }
}

}  // namespace muster::embedded
