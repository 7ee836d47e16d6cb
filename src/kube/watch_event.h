// One line of a watch, and the metadata of a list.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace muster::kube {

enum class WatchEventType { kAdded, kModified, kDeleted, kBookmark, kError };

struct WatchEvent {
  WatchEventType type = WatchEventType::kError;
  std::string_view object;  // JSON, a part of the line
};

// kInvalid for malformed JSON, an unknown type (named) or a missing object. That the object itself is
// malformed may show only when it is decoded.
[[nodiscard]] Result<WatchEvent> read_watch_event(std::string_view line);

struct ObjectMeta {
  std::string ns;  // empty: of a list, or of what belongs to no namespace
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string continue_token;       // lists only
  bool initial_events_end = false;  // bookmarks only: the initial state is complete
};
// "metadata" of a list, of a bookmark's object or of one that cannot be decoded as a whole.
[[nodiscard]] Result<ObjectMeta> read_meta(std::string_view json);

}  // namespace muster::kube
