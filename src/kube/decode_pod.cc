#include <algorithm>
#include <limits>

#include "base/pod_keys.h"
#include "kube/decode.h"
#include "kube/decode_common.h"

namespace muster::kube {
namespace {

using Value = JsonReader::Value;

// What is gathered from several places of the document and joined at its end.
struct Draft {
  Pod pod;
  PodDemand demand;
  std::string completion_index_annotation;
  bool constraining_volumes = false;
  bool host_ports = false;
  bool pod_affinity = false;
  bool pod_anti_affinity = false;
  bool topology_spread = false;
  bool resource_claims = false;
};

void read_annotations(JsonReader& reader, Value annotations, Draft& draft) {
  reader.each_field(annotations, [&](std::string_view key, Value value) {
    if (key.starts_with(keys::kPrefix)) {
      draft.pod.annotations.insert_or_assign(std::string(key), std::string(reader.text(value)));
    } else if (key == kJobCompletionIndex) {
      draft.completion_index_annotation = reader.text(value);
    }
  });
}

void read_labels(JsonReader& reader, Value labels, Draft& draft) {
  reader.each_field(labels, [&](std::string_view key, Value value) {
    if (key == kJobCompletionIndex || key == kPodIndex)
      draft.pod.labels.insert_or_assign(std::string(key), std::string(reader.text(value)));
  });
}

void read_owner(JsonReader& reader, Value value, Pod& pod) {
  OwnerReference owner;
  bool controls = false;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "kind") {
      owner.kind = reader.text(field);
    } else if (key == "name") {
      owner.name = reader.text(field);
    } else if (key == "uid") {
      owner.uid = reader.text(field);
    } else if (key == "controller") {
      controls = reader.boolean(field);
    }
  });
  if (controls) pod.controller = std::move(owner);
}

int64_t read_time(JsonReader& reader, Value value) {
  if (value.is_null()) return 0;
  const auto seconds = parse_time(reader.text(value));
  if (!seconds) reader.fail_here(seconds.error().message);
  return *seconds;
}

void read_metadata(JsonReader& reader, Value metadata, Draft& draft) {
  Pod& pod = draft.pod;
  reader.each_field(metadata, [&](std::string_view key, Value value) {
    if (key == "name") {
      pod.name = reader.text(value);
    } else if (key == "namespace") {
      pod.ns = reader.text(value);
    } else if (key == "uid") {
      pod.uid = reader.text(value);
    } else if (key == "resourceVersion") {
      pod.resource_version = reader.text(value);
    } else if (key == "creationTimestamp") {
      pod.creation_seconds = read_time(reader, value);
    } else if (key == "deletionTimestamp") {
      pod.terminating = !value.is_null();
    } else if (key == "annotations") {
      read_annotations(reader, value, draft);
    } else if (key == "labels") {
      read_labels(reader, value, draft);
    } else if (key == "ownerReferences") {
      reader.each_element(value, [&](Value owner) { read_owner(reader, owner, pod); });
    }
  });
}

std::vector<std::string> read_texts(JsonReader& reader, Value list) {
  std::vector<std::string> texts;
  reader.each_element(list, [&](Value text) { texts.emplace_back(reader.text(text)); });
  return texts;
}

// The field `name` of each element, as in [{"name": "a"}, {"name": "b"}].
std::vector<std::string> read_texts_of(JsonReader& reader, Value list, std::string_view name) {
  std::vector<std::string> texts;
  reader.each_element(list, [&](Value element) {
    reader.each_field(element, [&](std::string_view key, Value value) {
      if (key == name) texts.emplace_back(reader.text(value));
    });
  });
  return texts;
}

std::vector<SelectorRequirement> read_requirements(JsonReader& reader, Value list) {
  std::vector<SelectorRequirement> requirements;
  reader.each_element(list, [&](Value element) {
    SelectorRequirement requirement;
    reader.each_field(element, [&](std::string_view key, Value value) {
      if (key == "key") {
        requirement.key = reader.text(value);
      } else if (key == "operator") {
        requirement.op = reader.text(value);
      } else if (key == "values") {
        requirement.values = read_texts(reader, value);
      }
    });
    requirements.push_back(std::move(requirement));
  });
  return requirements;
}

std::vector<NodeSelectorTerm> read_terms(JsonReader& reader, Value node_selector) {
  std::vector<NodeSelectorTerm> terms;
  reader.each_field(node_selector, [&](std::string_view list, Value elements) {
    if (list != "nodeSelectorTerms") return;
    reader.each_element(elements, [&](Value element) {
      NodeSelectorTerm term;
      reader.each_field(element, [&](std::string_view key, Value value) {
        if (key == "matchExpressions") {
          term.labels = read_requirements(reader, value);
        } else if (key == "matchFields") {
          term.fields = read_requirements(reader, value);
        }
      });
      terms.push_back(std::move(term));
    });
  });
  return terms;
}

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";

bool has_required_terms(JsonReader& reader, Value pod_affinity) {
  bool found = false;
  reader.each_field(pod_affinity, [&](std::string_view key, Value value) {
    if (key == kRequired) reader.each_element(value, [&](Value) { found = true; });
  });
  return found;
}

void read_affinity(JsonReader& reader, Value affinity, Draft& draft) {
  reader.each_field(affinity, [&](std::string_view key, Value value) {
    if (key == "nodeAffinity") {
      reader.each_field(value, [&](std::string_view strength, Value selector) {
        if (strength == kRequired && !selector.is_null())
          draft.pod.node_set.required_affinity = read_terms(reader, selector);
      });
    } else if (key == "podAffinity") {
      draft.pod_affinity = has_required_terms(reader, value);
    } else if (key == "podAntiAffinity") {
      draft.pod_anti_affinity = has_required_terms(reader, value);
    }
  });
}

Toleration read_toleration(JsonReader& reader, Value value) {
  Toleration toleration;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "key") {
      toleration.key = reader.text(field);
    } else if (key == "operator") {
      toleration.op = reader.text(field);
    } else if (key == "value") {
      toleration.value = reader.text(field);
    } else if (key == "effect") {
      toleration.effect = reader.text(field);
    }
  });
  return toleration;
}

// Volumes of these kinds are on every node; all others may tie a pod to some.
bool is_free_of_place(std::string_view volume_kind) {
  constexpr std::string_view kKinds[] = {"name",      "emptyDir", "configMap", "secret", "downwardAPI",
                                         "projected", "hostPath", "nfs",       "image",  "gitRepo"};
  return std::find(std::begin(kKinds), std::end(kKinds), volume_kind) != std::end(kKinds);
}

void read_volume(JsonReader& reader, Value volume, Draft& draft) {
  reader.each_field(volume, [&](std::string_view kind, Value value) {
    if (!is_free_of_place(kind) && !value.is_null()) draft.constraining_volumes = true;
  });
}

struct Resources {
  std::optional<QuantityList> requests;
  QuantityList limits;
};

Resources read_resources(JsonReader& reader, Value value) {
  Resources resources;
  reader.each_field(value, [&](std::string_view key, Value list) {
    if (key == "requests" && !list.is_null()) {
      resources.requests = read_quantities(reader, list);
    } else if (key == "limits") {
      resources.limits = read_quantities(reader, list);
    }
  });
  return resources;
}

// The API server writes limits into missing requests when a pod is created.
QuantityList with_defaults(Resources resources) {
  QuantityList requests = resources.requests ? std::move(*resources.requests) : QuantityList{};
  for (const auto& [name, quantity] : resources.limits.entries()) {
    if (!requests.has(name)) requests.set(name, quantity);
  }
  return requests;
}

void read_ports(JsonReader& reader, Value ports, Draft& draft) {
  reader.each_element(ports, [&](Value port) {
    reader.each_field(port, [&](std::string_view key, Value value) {
      if (key == "hostPort" && reader.integer(value) != 0) draft.host_ports = true;
    });
  });
}

ContainerDemand read_container(JsonReader& reader, Value container, Draft& draft) {
  ContainerDemand demand;
  reader.each_field(container, [&](std::string_view key, Value value) {
    if (key == "name") {
      demand.name = reader.text(value);
    } else if (key == "resources") {
      demand.requests = with_defaults(read_resources(reader, value));
    } else if (key == "restartPolicy") {
      demand.sidecar = reader.text(value) == "Always";
    } else if (key == "ports") {
      read_ports(reader, value, draft);
    }
  });
  return demand;
}

void read_spread(JsonReader& reader, Value constraint, Draft& draft) {
  bool required = true;
  reader.each_field(constraint, [&](std::string_view key, Value value) {
    if (key == "whenUnsatisfiable") required = reader.text(value) != "ScheduleAnyway";
  });
  if (required) draft.topology_spread = true;
}

int32_t read_priority(JsonReader& reader, Value value) {
  const int64_t priority = reader.integer(value);
  if (priority < std::numeric_limits<int32_t>::min() || priority > std::numeric_limits<int32_t>::max())
    reader.fail_here(fmt::format("{} does not fit 32 bits", priority));
  return static_cast<int32_t>(priority);
}

// What concerns room and what we leave to kube-scheduler; false: not such a field.
bool read_demand(JsonReader& reader, std::string_view key, Value value, Draft& draft) {
  PodDemand& demand = draft.demand;
  if (key == "containers") {
    reader.each_element(value,
                        [&](Value c) { demand.containers.push_back(read_container(reader, c, draft)); });
  } else if (key == "initContainers") {
    reader.each_element(value,
                        [&](Value c) { demand.init_containers.push_back(read_container(reader, c, draft)); });
  } else if (key == "resources") {
    demand.pod_level = read_resources(reader, value).requests;
  } else if (key == "overhead") {
    demand.overhead = read_quantities(reader, value);
  } else if (key == "volumes") {
    reader.each_element(value, [&](Value volume) { read_volume(reader, volume, draft); });
  } else if (key == "topologySpreadConstraints") {
    reader.each_element(value, [&](Value constraint) { read_spread(reader, constraint, draft); });
  } else if (key == "resourceClaims") {
    reader.each_element(value, [&](Value) { draft.resource_claims = true; });
  } else {
    return false;
  }
  return true;
}

void read_spec(JsonReader& reader, Value spec, Draft& draft) {
  Pod& pod = draft.pod;
  reader.each_field(spec, [&](std::string_view key, Value value) {
    if (read_demand(reader, key, value, draft)) return;
    if (key == "nodeName") {
      pod.node_name = reader.text(value);
    } else if (key == "schedulerName") {
      pod.scheduler_name = reader.text(value);
    } else if (key == "priority") {
      pod.priority = read_priority(reader, value);
    } else if (key == "schedulingGroup") {
      pod.in_native_group = !value.is_null();
    } else if (key == "schedulingGates") {
      pod.scheduling_gates = read_texts_of(reader, value, "name");
    } else if (key == "readinessGates") {
      pod.readiness_gates = read_texts_of(reader, value, "conditionType");
    } else if (key == "nodeSelector") {
      pod.node_set.node_selector = read_string_map(reader, value);
    } else if (key == "affinity") {
      read_affinity(reader, value, draft);
    } else if (key == "tolerations") {
      reader.each_element(value, [&](Value toleration) {
        pod.node_set.tolerations.push_back(read_toleration(reader, toleration));
      });
    }
  });
}

PodPhase read_phase(JsonReader& reader, Value value) {
  const std::string_view phase = reader.text(value);
  if (phase.empty() || phase == "Pending") return PodPhase::kPending;
  if (phase == "Running") return PodPhase::kRunning;
  if (phase == "Succeeded") return PodPhase::kSucceeded;
  if (phase == "Failed") return PodPhase::kFailed;
  return PodPhase::kUnknown;
}

void apply(const Condition& condition, Draft& draft) {
  if (condition.type == "Ready") {
    draft.pod.ready = condition.status == "True";
  } else if (condition.type == "ContainersReady") {
    draft.pod.containers_ready = condition.status == "True";
  } else if (condition.type == keys::kGroupReady) {
    draft.pod.group_ready = condition.status == "True";
  } else if (condition.type == "PodScheduled") {
    const bool refused = condition.status == "False" && condition.reason == "Unschedulable";
    draft.pod.unschedulable_message = refused ? condition.message : std::string_view{};
  } else if (condition.type == "PodResizePending") {
    draft.demand.resize_infeasible = condition.reason == "Infeasible";
  }
}

void read_container_state(JsonReader& reader, Value status, Draft& draft) {
  ContainerState state;
  reader.each_field(status, [&](std::string_view key, Value value) {
    if (key == "name") {
      state.name = reader.text(value);
    } else if (key == "allocatedResources" && !value.is_null()) {
      state.allocated = read_quantities(reader, value);
    } else if (key == "resources") {
      state.actuated = read_resources(reader, value).requests;
    }
  });
  if (state.allocated || state.actuated) draft.demand.states.push_back(std::move(state));
}

void read_status(JsonReader& reader, Value status, Draft& draft) {
  reader.each_field(status, [&](std::string_view key, Value value) {
    if (key == "phase") {
      draft.pod.phase = read_phase(reader, value);
    } else if (key == "nominatedNodeName") {
      draft.pod.nominated_node = reader.text(value);
    } else if (key == "conditions") {
      reader.each_element(value, [&](Value element) { apply(read_condition(reader, element), draft); });
    } else if (key == "containerStatuses" || key == "initContainerStatuses") {
      reader.each_element(value, [&](Value element) { read_container_state(reader, element, draft); });
    } else if (key == "allocatedResources" && !value.is_null()) {
      draft.demand.pod_level_allocated = read_quantities(reader, value);
    } else if (key == "resources") {
      draft.demand.pod_level_actuated = read_resources(reader, value).requests;
    }
  });
}

void read_field(JsonReader& reader, std::string_view key, Value value, Draft& draft) {
  if (key == "kind") {
    check_kind(reader, value, "Pod");
  } else if (key == "metadata") {
    read_metadata(reader, value, draft);
  } else if (key == "spec") {
    read_spec(reader, value, draft);
  } else if (key == "status") {
    read_status(reader, value, draft);
  }
}

Pod finished(Draft draft) {
  Pod& pod = draft.pod;
  pod.requests = pod_requests(draft.demand);
  if (pod.ns.empty()) pod.ns = "default";
  if (pod.scheduler_name.empty()) pod.scheduler_name = "default-scheduler";
  if (!draft.completion_index_annotation.empty())
    pod.labels.emplace(kJobCompletionIndex, std::move(draft.completion_index_annotation));
  if (draft.constraining_volumes) pod.unmodelled.emplace_back("volumes");
  if (draft.host_ports) pod.unmodelled.emplace_back("host ports");
  if (draft.pod_affinity) pod.unmodelled.emplace_back("pod affinity");
  if (draft.pod_anti_affinity) pod.unmodelled.emplace_back("pod anti-affinity");
  if (draft.topology_spread) pod.unmodelled.emplace_back("topology spread");
  if (draft.resource_claims) pod.unmodelled.emplace_back("resource claims");
  return std::move(draft.pod);
}

}  // namespace

Result<Pod> decode_pod(std::string_view json) {
  Draft draft;
  const auto read = read_document(json, [&](JsonReader& reader, std::string_view key, Value value) {
    read_field(reader, key, value, draft);
  });
  if (!read) return tl::unexpected(read.error());
  if (draft.pod.name.empty()) return invalid("metadata.name is missing");
  return finished(std::move(draft));
}

}  // namespace muster::kube
