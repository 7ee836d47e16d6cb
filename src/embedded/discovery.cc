#include "embedded/discovery.h"

#include <fmt/format.h>

#include <string>

#include "embedded/resource.h"

namespace muster::embedded {
namespace {

Json resource_list(std::string_view api_version) {
  Json resources = Json::array();
  for (const Kind kind : kKinds) {
    const KindInfo& info = info_of(kind);
    if (info.api_version != api_version) continue;
    resources.push_back({{"name", info.plural},
                         {"singularName", ""},
                         {"kind", info.kind},
                         {"namespaced", info.namespaced},
                         {"verbs", {"create", "delete", "get", "list", "patch", "update", "watch"}}});
  }
  return Json{
      {"kind", "APIResourceList"}, {"groupVersion", api_version}, {"resources", std::move(resources)}};
}

Json group_list() {
  const Json version{{"groupVersion", "coordination.k8s.io/v1"}, {"version", "v1"}};
  const Json group{
      {"name", "coordination.k8s.io"}, {"versions", Json::array({version})}, {"preferredVersion", version}};
  return Json{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", Json::array({group})}};
}

}  // namespace

std::optional<Json> discovery_page(std::string_view path) {
  if (path == "/healthz" || path == "/livez" || path == "/readyz") return Json("ok");
  if (path == "/version") return Json{{"major", "1"}, {"minor", "37"}, {"gitVersion", "v1.37.0-embedded"}};
  if (path == "/api") return Json{{"kind", "APIVersions"}, {"versions", {"v1"}}};
  if (path == "/apis") return group_list();
  if (path == "/api/v1") return resource_list("v1");
  if (path == "/apis/coordination.k8s.io/v1") return resource_list("coordination.k8s.io/v1");
  return std::nullopt;
}

}  // namespace muster::embedded
