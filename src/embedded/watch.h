// A watch: changes as lines of JSON, from a version on.
//
// As in the Kubernetes API, a watch without a resourceVersion or with "0" starts with the present state as
// ADDED events, one from a forgotten version is an ERROR event with a Status 410 on a stream that began
// with 200, and bookmarks come only when they are asked for.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "embedded/failure.h"
#include "embedded/store.h"

namespace muster::embedded {

struct WatchParams {
  Kind kind = Kind::kPod;
  std::string ns;             // empty: all
  Version after = 0;          // 0: begin with the present state
  bool initial_list = false;  // sendInitialEvents=true: begin with the present state and mark its end
  bool bookmarks = false;
  std::chrono::seconds timeout{1800};
};

// From the query parameters watch, resourceVersion, allowWatchBookmarks, timeoutSeconds, sendInitialEvents.
[[nodiscard]] Answer<WatchParams> watch_params(Kind kind, const std::string& ns,
                                               const std::function<std::string(std::string_view)>& query);

inline constexpr std::chrono::seconds kBookmarkInterval{5};

// Blocks and writes until the timeout, a closed store, an error or a sink that answers false.
void run_watch(const Store& store, const WatchParams& params,
               const std::function<bool(std::string_view)>& sink,
               std::chrono::milliseconds bookmark_interval = kBookmarkInterval);

}  // namespace muster::embedded
