#include "embedded/admission.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/pod_keys.h"

namespace muster::embedded {
namespace {

bool is_dns_subdomain(std::string_view name) {
  const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 253 || !alnum(name.front()) || !alnum(name.back())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return alnum(c) || c == '-' || c == '.'; });
}

bool has_gate(const Json& pod, const Json& name) {
  const Json& gates = at_path(pod, {"spec", "schedulingGates"});
  return std::any_of(gates.begin(), gates.end(), [&](const Json& g) { return at_path(g, {"name"}) == name; });
}

bool is_gated(const Json& pod) { return !at_path(pod, {"spec", "schedulingGates"}).empty(); }

// The conditions of the admission policy in manifests/base, in its order.
bool wants_hold(const Json& pod, const AdmissionOptions& options) {
  const Json& annotations = at_path(pod, {"metadata", "annotations"});
  const auto& ours = options.hold_schedulers;
  return annotations.contains(keys::kGroupName) &&
         std::find(ours.begin(), ours.end(), text_at(pod, {"spec", "schedulerName"})) != ours.end() &&
         text_at(pod, {"spec", "nodeName"}).empty() && at_path(pod, {"spec", "schedulingGroup"}).is_null() &&
         !has_gate(pod, keys::kHold);
}

// A limit without a request is a request too: how a container asks for nvidia.com/gpu as a rule.
void default_requests(Json& container) {
  const Json limits = at_path(container, {"resources", "limits"});
  for (const auto& [resource, amount] : limits.items()) {
    Json& requests = container["resources"]["requests"];
    if (!requests.contains(resource)) requests[resource] = amount;
  }
}

void default_field(Json& object, const char* key, Json value) {
  if (!object.contains(key)) object[key] = std::move(value);
}

void default_pod(Json& pod) {
  Json& spec = pod["spec"];
  default_field(spec, "schedulerName", "default-scheduler");
  default_field(spec, "restartPolicy", "Always");
  default_field(spec, "priority", 0);
  default_field(spec, "terminationGracePeriodSeconds", 30);
  for (const char* list : {"containers", "initContainers"}) {
    if (!spec.contains(list)) continue;
    for (Json& container : spec[list]) default_requests(container);
  }
  default_field(pod["status"], "phase", "Pending");
}

Answer<void> check_containers(const Json& pod, const char* list) {
  const Json& containers = at_path(pod, {"spec", list});
  if (containers.is_null()) return {};
  if (!containers.is_array()) return bad_request("spec.{} must be a list, not {}", list, show(containers));
  for (std::size_t i = 0; i < containers.size(); ++i) {
    if (!containers[i].is_object()) {
      return bad_request("spec.{}[{}] must be an object, not {}", list, i, show(containers[i]));
    }
    for (const char* side : {"limits", "requests"}) {
      const Json& amounts = at_path(containers[i], {"resources", side});
      if (amounts.is_null() || amounts.is_object()) continue;
      return bad_request("spec.{}[{}].resources.{} must be an object, not {}", list, i, side, show(amounts));
    }
  }
  return {};
}

Answer<void> check_pod(const Json& pod) {
  const Json& spec = at_path(pod, {"spec"});
  if (!spec.is_object()) return unacceptable("spec of a pod must be an object, not {}", show(spec));
  if (at_path(spec, {"containers"}).empty()) return unacceptable("spec.containers: a pod needs at least one");
  for (const char* list : {"containers", "initContainers"}) {
    if (auto fine = check_containers(pod, list); !fine) return fine;
  }
  const Json& gates = at_path(spec, {"schedulingGates"});
  if (!gates.is_null() && !gates.is_array()) {
    return bad_request("spec.schedulingGates must be a list, not {}", show(gates));
  }
  if (is_gated(pod) && !text_at(spec, {"nodeName"}).empty()) {
    return unacceptable("spec.nodeName: \"{}\" cannot be set while spec.schedulingGates is not empty",
                        text_at(spec, {"nodeName"}));
  }
  return {};
}

void start_pending(Json& pod) {
  pod["status"] = Json{{"phase", "Pending"}};
  if (!is_gated(pod)) return;
  pod["status"]["conditions"] =
      Json::array({{{"type", "PodScheduled"},
                    {"status", "False"},
                    {"reason", "SchedulingGated"},
                    {"message", "Scheduling is blocked due to non-empty scheduling gates"}}});
}

Answer<void> check_gates_only_go(const Json& before, const Json& after) {
  const Json& gates = at_path(after, {"spec", "schedulingGates"});
  for (const Json& gate : gates) {
    const Json& name = at_path(gate, {"name"});
    if (has_gate(before, name)) continue;
    return unacceptable("spec.schedulingGates: {} cannot be added after creation", show(name));
  }
  return {};
}

Answer<void> check_pod_change(const Json& before, const Json& after) {
  if (auto fine = check_pod(after); !fine) return fine;
  if (auto fine = check_gates_only_go(before, after); !fine) return fine;

  Json allowed = at_path(before, {"spec"});
  const Json& wanted = at_path(after, {"spec"});
  std::vector<const char*> mutable_fields{"schedulingGates", "tolerations", "activeDeadlineSeconds",
                                          "terminationGracePeriodSeconds"};
  // While gated the node set may be narrowed. That it is not widened is not checked here.
  if (is_gated(before)) mutable_fields.insert(mutable_fields.end(), {"nodeSelector", "affinity"});
  for (const char* field : mutable_fields) {
    allowed.erase(field);
    if (wanted.contains(field)) allowed[field] = wanted[field];
  }
  if (allowed == wanted) return {};
  return unacceptable("spec: pod updates may not change other fields than {}",
                      fmt::join(mutable_fields, ", "));
}

void take_back(const Json& before, Json& after, const char* field) {
  if (before.contains(field)) {
    after[field] = before[field];
  } else {
    after.erase(field);
  }
}

std::string why_not_bindable(const Json& pod) {
  if (!at_path(pod, {"metadata", "deletionTimestamp"}).is_null()) return "the pod is being deleted";
  const std::string node = text_at(pod, {"spec", "nodeName"});
  if (!node.empty()) return fmt::format("the pod is already assigned to node \"{}\"", node);
  if (is_gated(pod)) return "the pod has scheduling gates";
  return {};
}

Answer<void> check_strings(const Json& map, const char* field) {
  if (map.is_null()) return {};
  if (!map.is_object()) return bad_request("metadata.{} must be an object, not {}", field, show(map));
  for (const auto& [key, value] : map.items()) {
    if (!value.is_string()) {
      return bad_request("metadata.{}[\"{}\"] must be a string, not {}", field, key, show(value));
    }
  }
  return {};
}

Answer<void> check_halves(const Json& object) {
  for (const char* field : {"spec", "status"}) {
    if (!object.contains(field) || object[field].is_object()) continue;
    return bad_request("{} must be an object, not {}", field, show(object[field]));
  }
  return {};
}

}  // namespace

Answer<void> check_metadata(const Json& object) {
  if (!object.is_object()) return bad_request("the object must be a JSON object, not {}", show(object));
  const Json& meta = at_path(object, {"metadata"});
  if (!meta.is_object()) return bad_request("metadata must be an object, not {}", show(meta));
  const Json& name = at_path(meta, {"name"});
  if (!name.is_string() || !is_dns_subdomain(name.get_ref<const std::string&>())) {
    return unacceptable("metadata.name must be a DNS name of lower-case letters, digits, '-' and '.', not {}",
                        show(name));
  }
  if (auto fine = check_strings(at_path(meta, {"labels"}), "labels"); !fine) return fine;
  return check_strings(at_path(meta, {"annotations"}), "annotations");
}

Answer<void> admit_new(Kind kind, Json& object, const AdmissionOptions& options) {
  if (auto fine = check_metadata(object); !fine) return fine;
  if (kind != Kind::kPod) return {};
  if (auto fine = check_pod(object); !fine) return fine;
  if (wants_hold(object, options)) object["spec"]["schedulingGates"].push_back({{"name", keys::kHold}});
  start_pending(object);
  default_pod(object);
  return {};
}

Answer<void> admit_existing(Kind kind, Json& object) {
  if (auto fine = check_metadata(object); !fine) return fine;
  if (auto fine = check_halves(object); !fine) return fine;
  if (kind != Kind::kPod) return {};
  if (auto fine = check_pod(object); !fine) return fine;
  default_pod(object);
  return {};
}

Answer<void> admit_change(Kind kind, Half half, const Json& before, Json& after) {
  if (auto fine = check_metadata(after); !fine) return fine;
  if (auto fine = check_halves(after); !fine) return fine;
  if (kind != Kind::kPod && kind != Kind::kNode) return {};
  take_back(before, after, half == Half::kStatus ? "spec" : "status");
  if (kind == Kind::kPod && half == Half::kMain) return check_pod_change(before, after);
  return {};
}

Answer<void> admit_binding(Json& pod, const Json& binding, const std::string& now) {
  const std::string name = text_at(pod, {"metadata", "name"});
  const std::string what = describe(Kind::kPod, text_at(pod, {"metadata", "namespace"}), name);
  const std::string node = text_at(binding, {"target", "name"});
  if (node.empty()) return unacceptable("target.name of the binding of {} must name a node", what);
  const std::string target_kind = text_at(binding, {"target", "kind"});
  if (!target_kind.empty() && target_kind != "Node") {
    return unacceptable("target.kind of the binding of {} must be Node, not \"{}\"", what, target_kind);
  }
  const Json& annotations = at_path(binding, {"metadata", "annotations"});
  if (auto fine = check_strings(annotations, "annotations"); !fine) return fine;

  const std::string uid = text_at(binding, {"metadata", "uid"});
  const std::string is = text_at(pod, {"metadata", "uid"});
  if (!uid.empty() && uid != is)
    return conflict(what, fmt::format("metadata.uid is \"{}\" and not \"{}\"", is, uid));
  const std::string version = text_at(binding, {"metadata", "resourceVersion"});
  if (!version.empty() && version != text_at(pod, {"metadata", "resourceVersion"}))
    return conflict(what, fmt::format("metadata.resourceVersion is not \"{}\" any more", version));
  if (const std::string why = why_not_bindable(pod); !why.empty()) return conflict(what, why);

  pod["spec"]["nodeName"] = node;
  if (annotations.is_object()) pod["metadata"]["annotations"].update(annotations);
  pod["status"].erase("nominatedNodeName");
  set_condition(pod, "PodScheduled", true, "", now);
  return {};
}

void set_condition(Json& object, const std::string& type, bool value, const std::string& reason,
                   const std::string& now) {
  Json& conditions = object["status"]["conditions"];
  if (!conditions.is_array()) conditions = Json::array();
  const auto same = [&](const Json& condition) { return at_path(condition, {"type"}) == type; };
  auto found = std::find_if(conditions.begin(), conditions.end(), same);
  if (found == conditions.end()) {
    conditions.push_back(Json{{"type", type}});
    found = conditions.end() - 1;
  }
  Json& condition = *found;
  const char* status = value ? "True" : "False";
  if (text_at(condition, {"status"}) != status) condition["lastTransitionTime"] = now;
  condition["status"] = status;
  condition.erase("message");
  condition.erase("reason");
  if (!reason.empty()) condition["reason"] = reason;
}

}  // namespace muster::embedded
