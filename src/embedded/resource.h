// The kinds the embedded API serves and the paths it serves them under.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace muster::embedded {

enum class Kind { kNode, kPod, kEvent, kNamespace, kLease };
inline constexpr std::array kKinds{Kind::kNode, Kind::kPod, Kind::kEvent, Kind::kNamespace, Kind::kLease};

struct KindInfo {
  std::string_view api_version;  // "v1", "coordination.k8s.io/v1"
  std::string_view kind;         // "Pod"
  std::string_view plural;       // "pods"
  bool namespaced = false;
};
[[nodiscard]] const KindInfo& info_of(Kind kind);
[[nodiscard]] std::optional<Kind> kind_named(std::string_view api_version, std::string_view kind);

// A path below /api or /apis, taken apart.
struct Target {
  Kind kind = Kind::kPod;
  std::string ns;           // empty: all namespaces, or a kind without
  std::string name;         // empty: the collection
  std::string subresource;  // status, binding, eviction
};

// Nothing when no kind is served there.
[[nodiscard]] std::optional<Target> parse_path(std::string_view path);

// For messages: pods "ns/name" or nodes "name".
[[nodiscard]] std::string describe(Kind kind, std::string_view ns, std::string_view name);

}  // namespace muster::embedded
