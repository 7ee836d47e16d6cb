#include "embedded/resource.h"

#include <fmt/format.h>

#include <vector>

namespace muster::embedded {
namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    const std::string_view segment = path.substr(0, path.find('/'));
    segments.push_back(segment);
    path.remove_prefix(segment.size());
  }
  return segments;
}

// Length of the prefix that names the API version, and that version; 0 when it is none.
struct Version {
  std::size_t segments = 0;
  std::string name;
};

Version version_of(const std::vector<std::string_view>& segments) {
  if (segments.size() >= 2 && segments[0] == "api") return {2, std::string(segments[1])};
  if (segments.size() >= 3 && segments[0] == "apis")
    return {3, fmt::format("{}/{}", segments[1], segments[2])};
  return {};
}

std::optional<Kind> kind_at(std::string_view api_version, std::string_view plural) {
  for (const Kind kind : kKinds) {
    const KindInfo& info = info_of(kind);
    if (info.api_version == api_version && info.plural == plural) return kind;
  }
  return std::nullopt;
}

}  // namespace

const KindInfo& info_of(Kind kind) {
  static constexpr KindInfo kNode{"v1", "Node", "nodes", false};
  static constexpr KindInfo kPod{"v1", "Pod", "pods", true};
  static constexpr KindInfo kEvent{"v1", "Event", "events", true};
  static constexpr KindInfo kNamespace{"v1", "Namespace", "namespaces", false};
  static constexpr KindInfo kLease{"coordination.k8s.io/v1", "Lease", "leases", true};
  switch (kind) {
    case Kind::kNode:
      return kNode;
    case Kind::kPod:
      return kPod;
    case Kind::kEvent:
      return kEvent;
    case Kind::kNamespace:
      return kNamespace;
    case Kind::kLease:
      return kLease;
  }
  return kPod;
}

std::optional<Kind> kind_named(std::string_view api_version, std::string_view name) {
  for (const Kind kind : kKinds) {
    const KindInfo& info = info_of(kind);
    if (info.api_version == api_version && info.kind == name) return kind;
  }
  return std::nullopt;
}

std::optional<Target> parse_path(std::string_view path) {
  const std::vector<std::string_view> segments = segments_of(path);
  const Version version = version_of(segments);
  if (version.segments == 0) return std::nullopt;

  std::size_t at = version.segments;
  Target target;
  // "namespaces/NS/pods" is about pods, "namespaces/NS" and "namespaces/NS/status" are about the namespace.
  const bool in_namespace =
      segments.size() > at + 2 && segments[at] == "namespaces" && segments[at + 2] != "status";
  if (in_namespace) {
    target.ns = segments[at + 1];
    at += 2;
  }
  if (at >= segments.size() || segments.size() > at + 3) return std::nullopt;

  const std::optional<Kind> kind = kind_at(version.name, segments[at]);
  if (!kind || info_of(*kind).namespaced < in_namespace) return std::nullopt;
  target.kind = *kind;
  if (segments.size() > at + 1) target.name = segments[at + 1];
  if (segments.size() > at + 2) target.subresource = segments[at + 2];
  if (info_of(*kind).namespaced && !in_namespace && !target.name.empty()) return std::nullopt;
  return target;
}

std::string describe(Kind kind, std::string_view ns, std::string_view name) {
  if (ns.empty()) return fmt::format("{} \"{}\"", info_of(kind).plural, name);
  return fmt::format("{} \"{}/{}\"", info_of(kind).plural, ns, name);
}

}  // namespace muster::embedded
