// Bodies and paths of the calls that Client makes. Pure functions.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "kube/api.h"

namespace muster::kube {

inline constexpr std::size_t kMaxEventMessage = 1024;

// "/api/v1/namespaces/NS/pods/NAME", with "/SUBRESOURCE" if there is one; percent-encoded.
[[nodiscard]] std::string pod_path(std::string_view ns, std::string_view name,
                                   std::string_view subresource = {});
[[nodiscard]] std::string event_path(std::string_view ns);
[[nodiscard]] std::string percent_encoded(std::string_view text);

// The bodies below carry the uid and the version of the pod as preconditions, where they are not empty.

// A merge patch for the status subresource; empty node and plan remove what was there.
[[nodiscard]] std::string nominate_patch(const PodRef& pod, const std::string& node, const std::string& plan);
// A strategic merge patch that removes one gate and keeps the others.
[[nodiscard]] std::string release_patch(const PodRef& pod);
[[nodiscard]] std::string binding(const PodRef& pod, const std::string& node, const StringMap& annotations);
[[nodiscard]] std::string eviction(const PodRef& pod, bool at_once);
// DeleteOptions.
[[nodiscard]] std::string deletion(const PodRef& pod, bool at_once);
// A merge patch that sets keys::kLetGo.
[[nodiscard]] std::string mark_patch(const PodRef& pod, const std::string& why);
// A strategic merge patch for the status subresource that sets the condition keys::kGroupReady alone.
[[nodiscard]] std::string ready_patch(const PodRef& pod, bool ready,
                                      std::chrono::system_clock::time_point now);

struct EventSource {
  std::string component;  // "muster-extender"
  std::string instance;   // the host name of the pod
};
// `name` is unique in the namespace.
[[nodiscard]] std::string event(const EventRecord& record, const std::string& name, const EventSource& source,
                                std::chrono::system_clock::time_point now);

// At most `limit` bytes of the text, not ending inside a UTF-8 character.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t limit);
// "2026-01-31T12:00:00Z"
[[nodiscard]] std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace muster::kube
