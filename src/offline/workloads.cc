#include "offline/workloads.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/text.h"
#include "kube/decode.h"

namespace muster::offline {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMostPods = 100'000;

// The object at a path such as "spec.template"; nullptr when a step is missing.
const Json* at(const Json& object, std::initializer_list<const char*> path) {
  const Json* here = &object;
  for (const char* key : path) {
    if (!here->is_object()) return nullptr;
    const auto found = here->find(key);
    if (found == here->end() || found->is_null()) return nullptr;
    here = &*found;
  }
  return here;
}

std::string shown(const Json& value) {
  return muster::quoted(value.is_string() ? value.get_ref<const std::string&>()
                                          : value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<int64_t> number(const Json& object, const char* key) {
  const Json* value = at(object, {"spec", key});
  if (!value) return 1;
  if (!value->is_number_integer() || value->get<int64_t>() < 0 || value->get<int64_t>() > kMostPods) {
    return invalid("spec.{}: {} is not a whole number from 0 to {}", key, shown(*value), kMostPods);
  }
  return value->get<int64_t>();
}

// A Job runs as many pods at once as parallelism says, and no more than completions.
Result<int64_t> pod_count(std::string_view kind, const Json& workload) {
  if (kind != "Job") return number(workload, "replicas");
  const Result<int64_t> parallelism = number(workload, "parallelism");
  if (!parallelism || !at(workload, {"spec", "completions"})) return parallelism;
  const Result<int64_t> completions = number(workload, "completions");
  if (!completions) return completions;
  return std::min(*parallelism, *completions);
}

const char* index_label(std::string_view kind, const Json& workload) {
  const Json* mode = at(workload, {"spec", "completionMode"});
  if (kind == "Job" && mode && *mode == "Indexed") return "batch.kubernetes.io/job-completion-index";
  return kind == "StatefulSet" ? "apps.kubernetes.io/pod-index" : nullptr;
}

}  // namespace

bool is_workload(std::string_view kind) {
  return kind == "Job" || kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet";
}

Result<std::vector<kube::Pod>> pods_of(std::string_view kind, std::string_view text) {
  const Json workload = Json::parse(text, nullptr, false);
  if (workload.is_discarded()) return invalid("not JSON");
  const Json* name = at(workload, {"metadata", "name"});
  if (!name || !name->is_string()) return invalid("metadata.name: missing");
  const Json* pod_template = at(workload, {"spec", "template"});
  if (!pod_template || !pod_template->is_object()) return invalid("spec.template: missing");
  const Result<int64_t> count = pod_count(kind, workload);
  if (!count) return tl::unexpected(count.error());

  Json pod = *pod_template;
  pod["kind"] = "Pod";
  if (!pod["metadata"].is_object()) pod["metadata"] = Json::object();
  Json& metadata = pod["metadata"];
  if (const Json* ns = at(workload, {"metadata", "namespace"})) metadata["namespace"] = *ns;
  if (const Json* time = at(workload, {"metadata", "creationTimestamp"}))
    metadata["creationTimestamp"] = *time;
  metadata["ownerReferences"] = Json::array({{{"kind", kind},
                                              {"name", *name},
                                              {"uid", std::string(kind) + "/" + name->get<std::string>()},
                                              {"controller", true}}});
  metadata["name"] = name->get<std::string>() + "-0";

  Result<kube::Pod> first = kube::decode_pod(pod.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!first) return invalid("spec.template.{}", first.error().message);
  const char* label = index_label(kind, workload);
  std::vector<kube::Pod> pods(static_cast<std::size_t>(*count), *first);
  // Without an index members are ranked by name, so the names we make up sort like their numbers.
  const std::size_t width = label ? 0 : std::to_string(std::max<int64_t>(*count, 1) - 1).size();
  for (std::size_t i = 0; i < pods.size(); ++i) {
    pods[i].name = fmt::format("{}-{:0{}}", name->get<std::string>(), i, width);
    if (label) pods[i].labels[label] = std::to_string(i);
  }
  return pods;
}

}  // namespace muster::offline
