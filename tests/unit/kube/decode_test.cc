#include "kube/decode.h"

#include <catch2/catch.hpp>
#include <limits>

#include "kube/yaml.h"

namespace muster::kube {
namespace {

// Decodes YAML, which is easier to read here; the JSON in between is what the API server would send.
template <typename T>
Result<T> from_yaml(std::string_view yaml) {
  const auto documents = yaml_to_json(yaml, "test");
  REQUIRE(documents.has_value());
  REQUIRE(documents->size() == 1);
  return decode<T>(documents->front().json);
}

// A pod whose spec is `spec`, indented by two.
Pod pod_of(std::string_view spec) {
  const auto pod = from_yaml<Pod>("metadata: {name: p, namespace: ns}\nspec:\n" + std::string(spec));
  REQUIRE(pod.has_value());
  return *pod;
}

std::string error_of(std::string_view json) {
  const auto pod = decode_pod(json);
  if (pod) return "";
  CHECK(pod.error().code == ErrorCode::kInvalid);
  return pod.error().message;
}

// As a real API server writes it, shortened only where fields repeat.
constexpr std::string_view kLivePod = R"({
  "kind": "Pod", "apiVersion": "v1",
  "metadata": {
    "name": "train-0", "generateName": "train-", "namespace": "research",
    "uid": "0d8f6c1e-2c1f-4bb6-9b40-6f2b1b1b7a11", "resourceVersion": "184467440737095516150",
    "creationTimestamp": "2026-01-31T12:00:05Z",
    "labels": {"batch.kubernetes.io/job-completion-index": "3", "job-name": "train", "apps.kubernetes.io/pod-index": "3"},
    "annotations": {"muster.dev/group-name": "train", "muster.dev/min-member": "4", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
    "ownerReferences": [
      {"apiVersion": "v1", "kind": "Node", "name": "x", "uid": "u0"},
      {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u1", "controller": true, "blockOwnerDeletion": true}],
    "managedFields": [{"manager": "kube-controller-manager", "fieldsV1": {"f:metadata": {"f:annotations": {".": {}}}}}]
  },
  "spec": {
    "volumes": [{"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
    "containers": [{"name": "main", "image": "i", "resources": {"limits": {"nvidia.com/gpu": "8"}, "requests": {"cpu": "1500m", "memory": "64Gi", "nvidia.com/gpu": "8"}},
                    "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
    "restartPolicy": "Never", "schedulerName": "muster", "priority": -7, "preemptionPolicy": "PreemptLowerPriority",
    "schedulingGates": [{"name": "muster.dev/hold"}, {"name": "example.com/quota"}],
    "readinessGates": [{"conditionType": "example.com/fabric"}],
    "nodeSelector": {"pool": "gpu"},
    "affinity": {"nodeAffinity": {
      "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}],
      "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}], "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}]}]}}},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
                    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]
  },
  "status": {"phase": "Pending", "nominatedNodeName": "host-1", "qosClass": "Burstable",
    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 nodes", "lastTransitionTime": null}]}
})";

TEST_CASE("a live pod is decoded into what Muster looks at") {
  const auto pod = decode_pod(kLivePod);
  REQUIRE(pod.has_value());
  CHECK(pod->ns == "research");
  CHECK(pod->name == "train-0");
  CHECK(pod->uid == "0d8f6c1e-2c1f-4bb6-9b40-6f2b1b1b7a11");
  CHECK(pod->resource_version == "184467440737095516150");
  CHECK(pod->creation_seconds == 1769860805);
  CHECK_FALSE(pod->terminating);
  CHECK(pod->annotations == StringMap{{"muster.dev/group-name", "train"}, {"muster.dev/min-member", "4"}});
  CHECK(pod->labels ==
        StringMap{{"batch.kubernetes.io/job-completion-index", "3"}, {"apps.kubernetes.io/pod-index", "3"}});
  REQUIRE(pod->controller.has_value());
  CHECK(*pod->controller == OwnerReference{"Job", "train", "u1"});
  CHECK(pod->scheduler_name == "muster");
  CHECK(pod->node_name.empty());
  CHECK(pod->priority == -7);
  CHECK_FALSE(pod->in_native_group);
  CHECK(pod->scheduling_gates == std::vector<std::string>{"muster.dev/hold", "example.com/quota"});
  CHECK(pod->readiness_gates == std::vector<std::string>{"example.com/fabric"});
  CHECK(pod->node_set.node_selector == StringMap{{"pool", "gpu"}});
  REQUIRE(pod->node_set.required_affinity.has_value());
  CHECK(*pod->node_set.required_affinity ==
        std::vector<NodeSelectorTerm>{{{{"zone", "In", {"a", "b"}}}, {{"metadata.name", "NotIn", {"bad"}}}}});
  CHECK(pod->node_set.tolerations ==
        std::vector<Toleration>{{"nvidia.com/gpu", "Exists", "", "NoSchedule"},
                                {"node.kubernetes.io/not-ready", "Exists", "", "NoExecute"}});
  CHECK(pod->requests.entries() ==
        std::vector<ResourceList::Entry>{
            {"cpu", 1500}, {"memory", int64_t{64} << 30}, {"nvidia.com/gpu", 8}, {"pods", 1}});
  CHECK(pod->unmodelled.empty());
  CHECK(pod->phase == PodPhase::kPending);
  CHECK_FALSE(pod->ready);
  CHECK(pod->nominated_node == "host-1");
  CHECK(pod->unschedulable_message == "0/4 nodes");
}

TEST_CASE("a running pod is seen as bound, ready and, when it is deleted, terminating") {
  const auto pod = from_yaml<Pod>(R"(
metadata: {name: p, deletionTimestamp: "2026-01-31T12:00:00Z"}
spec: {nodeName: host-2, schedulingGroup: {podGroupName: g}}
status:
  phase: Running
  conditions:
  - {type: Ready, status: "True"}
  - {type: PodScheduled, status: "True"}
)");
  REQUIRE(pod.has_value());
  CHECK(pod->node_name == "host-2");
  CHECK(pod->ready);
  CHECK(pod->terminating);
  CHECK(pod->in_native_group);
  CHECK(pod->phase == PodPhase::kRunning);
  CHECK_FALSE(pod->ended());
}

// A running pod with these conditions, in YAML's short form.
Pod pod_with_conditions(const std::string& conditions) {
  const auto pod =
      from_yaml<Pod>("metadata: {name: p}\nstatus: {phase: Running, conditions: [" + conditions + "]}");
  REQUIRE(pod.has_value());
  return *pod;
}

TEST_CASE("a pod and its containers are ready when their conditions are True, and only then") {
  CHECK_FALSE(pod_with_conditions("").ready);
  CHECK_FALSE(pod_with_conditions("").containers_ready);
  for (const std::string status : {"'False'", "Unknown", "''"}) {
    CAPTURE(status);
    const Pod pod = pod_with_conditions("{type: Ready, status: " + status +
                                        "}, {type: ContainersReady, status: " + status + "}");
    CHECK_FALSE(pod.ready);
    CHECK_FALSE(pod.containers_ready);
  }
  // As a readiness gate that is not met yet shows.
  const Pod gated =
      pod_with_conditions("{type: ContainersReady, status: 'True'}, {type: Ready, status: 'False'}");
  CHECK(gated.containers_ready);
  CHECK_FALSE(gated.ready);
}

TEST_CASE("the readiness that a group has shown on a pod is none until there is a condition of it") {
  CHECK_FALSE(pod_with_conditions("{type: example.com/group-ready, status: 'True'}").group_ready);
  CHECK(pod_with_conditions("{type: muster.dev/group-ready, status: 'True'}").group_ready == true);
  CHECK(pod_with_conditions("{type: muster.dev/group-ready, status: 'False'}").group_ready == false);
  CHECK(pod_with_conditions("{type: muster.dev/group-ready, status: Unknown}").group_ready == false);
}

TEST_CASE("the refusal of a pod is told by PodScheduled with the reason Unschedulable and nothing else") {
  const auto message = [](const std::string& condition) {
    return pod_with_conditions("{" + condition + ", message: words}").unschedulable_message;
  };
  CHECK(message("type: PodScheduled, status: 'False', reason: Unschedulable") == "words");
  CHECK(message("type: PodScheduled, status: 'False', reason: SchedulingGated").empty());
  CHECK(message("type: PodScheduled, status: 'True', reason: Unschedulable").empty());
  CHECK(message("type: Ready, status: 'False', reason: Unschedulable").empty());
}

TEST_CASE("a deletion timestamp that is null is none") {
  CHECK_FALSE(from_yaml<Pod>("metadata: {name: p, deletionTimestamp: null}")->terminating);
}

TEST_CASE("an owner that does not control a pod is not its controller") {
  CHECK_FALSE(from_yaml<Pod>("metadata: {name: p, ownerReferences: [{kind: Job, name: j, uid: u, controller: "
                             "false}, {kind: Job, name: k, uid: v}]}")
                  ->controller);
}

TEST_CASE("the marks that a group leaves on its members are read as they stand") {
  const Pod pod =
      from_yaml<Pod>(
          "metadata: {name: p, annotations: {muster.dev/let-go: unwind, muster.dev/restarts: '3', "
          "musterXdev/let-go: no}}")
          .value();
  CHECK(pod.annotations == StringMap{{"muster.dev/let-go", "unwind"}, {"muster.dev/restarts", "3"}});
}

TEST_CASE("a priority may be any whole number of 32 bits, and is 0 when it is missing") {
  CHECK(pod_of("  priority: 2147483647").priority == 2147483647);
  CHECK(pod_of("  priority: -2147483648").priority == std::numeric_limits<int32_t>::min());
  CHECK(pod_of("  schedulerName: muster").priority == 0);
  CHECK(error_of(R"({"metadata":{"name":"p"},"spec":{"priority":-2147483649}})") ==
        "spec.priority: -2147483649 does not fit 32 bits");
}

TEST_CASE("what the API server would fill in is filled in") {
  const Pod pod = from_yaml<Pod>("metadata: {name: p}").value();
  CHECK(pod.ns == "default");
  CHECK(pod.scheduler_name == "default-scheduler");
  CHECK(pod.phase == PodPhase::kPending);
  CHECK(pod.requests.entries() == std::vector<ResourceList::Entry>{{"pods", 1}});
}

TEST_CASE("the completion index of an old Job stands in the annotation only") {
  const Pod pod =
      from_yaml<Pod>("metadata: {name: p, annotations: {batch.kubernetes.io/job-completion-index: '5'}}")
          .value();
  CHECK(pod.labels == StringMap{{"batch.kubernetes.io/job-completion-index", "5"}});
  CHECK(pod.annotations.empty());
}

TEST_CASE("phases end or do not") {
  CHECK(decode_pod(R"({"metadata":{"name":"p"},"status":{"phase":"Succeeded"}})")->ended());
  CHECK(decode_pod(R"({"metadata":{"name":"p"},"status":{"phase":"Failed"}})")->ended());
  CHECK(decode_pod(R"({"metadata":{"name":"p"},"status":{"phase":"Later"}})")->phase == PodPhase::kUnknown);
}

TEST_CASE("containers are added and the largest init container counts when it is larger") {
  const Pod pod = pod_of(R"(
  initContainers:
  - {name: i1, resources: {requests: {cpu: 3, memory: 1Gi}}}
  - {name: i2, resources: {requests: {cpu: 1, memory: 5Gi, example.com/nic: 2}}}
  containers:
  - {name: a, resources: {requests: {cpu: 500m, memory: 1Gi}}}
  - {name: b, resources: {requests: {cpu: 1, memory: 3Gi}}}
)");
  CHECK(pod.requests.get("cpu") == 3000);
  CHECK(pod.requests.get("memory") == int64_t{5} << 30);
  CHECK(pod.requests.get("example.com/nic") == 2);
}

TEST_CASE("a sidecar counts beside the containers and beside the init containers after it") {
  const Pod pod = pod_of(R"(
  initContainers:
  - {name: before, resources: {requests: {cpu: 4}}}
  - {name: sidecar, restartPolicy: Always, resources: {requests: {cpu: 2, memory: 1Gi}}}
  - {name: after, resources: {requests: {cpu: 3, memory: 1Gi}}}
  containers:
  - {name: a, resources: {requests: {cpu: 1, memory: 500Mi}}}
)");
  CHECK(pod.requests.get("cpu") == 5000);
  CHECK(pod.requests.get("memory") == int64_t{2} << 30);
}

TEST_CASE("overhead is added and pod-level cpu and memory replace the containers' sum") {
  const Pod pod = pod_of(R"(
  overhead: {cpu: 250m, memory: 120Mi}
  resources: {requests: {cpu: 2, hugepages-2Mi: 4Mi, nvidia.com/gpu: 1}}
  containers:
  - {name: a, resources: {requests: {cpu: 5, memory: 1Gi, nvidia.com/gpu: 4}}}
)");
  CHECK(pod.requests.get("cpu") == 2250);
  CHECK(pod.requests.get("memory") == (1024 + 120) * (int64_t{1} << 20));
  CHECK(pod.requests.get("hugepages-2Mi") == int64_t{4} << 20);
  CHECK(pod.requests.get("nvidia.com/gpu") == 4);
}

TEST_CASE("a limit without a request is the request, zero requests stay zero") {
  const Pod pod = pod_of(R"(
  containers:
  - {name: a, resources: {limits: {nvidia.com/gpu: 8, cpu: 2}, requests: {cpu: "0"}}}
)");
  CHECK(pod.requests.get("nvidia.com/gpu") == 8);
  CHECK(pod.requests.get("cpu") == 0);
}

TEST_CASE("fractions of several containers are added before rounding up") {
  const Pod pod = pod_of(R"(
  containers:
  - {name: a, resources: {requests: {memory: 500m}}}
  - {name: b, resources: {requests: {memory: 500m}}}
)");
  CHECK(pod.requests.get("memory") == 1);
}

TEST_CASE("a pod resized in place is charged the most of what is wanted, promised and used") {
  const std::string yaml = R"(
metadata: {name: p}
spec:
  nodeName: host-1
  containers:
  - {name: a, resources: {requests: {cpu: 4, memory: 1Gi}}}
  - {name: b, resources: {requests: {cpu: 1}}}
status:
  containerStatuses:
  - {name: a, allocatedResources: {cpu: 2, memory: 3Gi}, resources: {requests: {cpu: 2, memory: 2Gi}}}
)";
  Pod pod = from_yaml<Pod>(yaml).value();
  CHECK(pod.requests.get("cpu") == 5000);
  CHECK(pod.requests.get("memory") == int64_t{3} << 30);

  pod = from_yaml<Pod>(yaml +
                       "  conditions:\n  - {type: PodResizePending, status: 'True', reason: Infeasible}\n")
            .value();
  CHECK(pod.requests.get("cpu") == 2000);
  pod =
      from_yaml<Pod>(yaml + "  conditions:\n  - {type: PodResizePending, status: 'True', reason: Deferred}\n")
          .value();
  CHECK(pod.requests.get("cpu") == 5000);
}

TEST_CASE("a pod resized as a whole is charged the most of what is wanted, promised and used") {
  const Pod pod = from_yaml<Pod>(R"(
metadata: {name: p}
spec:
  resources: {requests: {cpu: 2}}
  containers: [{name: a}]
status:
  allocatedResources: {cpu: 3}
  resources: {requests: {cpu: 4}}
)")
                      .value();
  CHECK(pod.requests.get("cpu") == 4000);
}

TEST_CASE("pod-level resources that name neither cpu, memory nor huge pages change nothing") {
  const Pod pod = from_yaml<Pod>(R"(
metadata: {name: p}
spec:
  resources: {requests: {nvidia.com/gpu: 4}}
  containers: [{name: a, resources: {requests: {cpu: 1}}}]
status:
  resources: {requests: {cpu: 500m}}
)")
                      .value();
  CHECK(pod.requests.get("cpu") == 1000);
  CHECK(pod.requests.get("nvidia.com/gpu") == 0);
}

TEST_CASE("what kube-scheduler will check by itself is named") {
  const Pod pod = pod_of(R"(
  containers: [{name: a, ports: [{containerPort: 80, hostPort: 8080}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: c}}]
  resourceClaims: [{name: r}]
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
  affinity:
    podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone}]}
    podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone}]}
)");
  CHECK(pod.unmodelled == std::vector<std::string>{"volumes", "host ports", "pod affinity",
                                                   "pod anti-affinity", "topology spread",
                                                   "resource claims"});
}

TEST_CASE("preferences and volumes that every node has are not named as unmodelled") {
  const Pod pod = pod_of(R"(
  containers: [{name: a, ports: [{containerPort: 80, hostPort: 0}]}]
  volumes: [{name: t, emptyDir: {}}, {name: c, configMap: {name: x}}, {name: h, hostPath: {path: /dev}}]
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
  affinity:
    podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1}]}
    podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: []}
)");
  CHECK(pod.unmodelled.empty());
}

TEST_CASE("an affinity that is null is none, and one without terms is kept as such") {
  CHECK_FALSE(pod_of("  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: null}}")
                  .node_set.required_affinity.has_value());
  const Pod pod = pod_of(
      "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
      "[]}}}");
  REQUIRE(pod.node_set.required_affinity.has_value());
  CHECK(pod.node_set.required_affinity->empty());
}

TEST_CASE("wrong types are refused with the path and the value") {
  CHECK(error_of(R"({"metadata":{"name":5}})") == "metadata.name: expected a text, got a number \"5\"");
  CHECK(error_of(R"({"metadata":[]})") == "metadata: expected an object, got a list");
  CHECK(error_of(R"({"metadata":{"name":"p"},"spec":{"containers":{"a":1}}})") ==
        "spec.containers: expected a list, got an object");
  CHECK(error_of(R"({"metadata":{"name":"p"},"spec":{"priority":"high"}})") ==
        "spec.priority: expected a whole number, got a text \"\\\"high\\\"\"");
  CHECK(error_of(R"({"metadata":{"name":"p"},"spec":{"priority":1.5}})") ==
        "spec.priority: \"1.5\" is not a whole number of 64 bits");
  CHECK(error_of(R"({"metadata":{"name":"p"},"spec":{"priority":2147483648}})") ==
        "spec.priority: 2147483648 does not fit 32 bits");
  CHECK(error_of(R"({"metadata":{"name":"p","annotations":{"muster.dev/min-member":4}}})") ==
        "metadata.annotations[\"muster.dev/min-member\"]: expected a text, got a number \"4\"");
  CHECK(error_of(R"({"metadata":{"name":"p","creationTimestamp":"yesterday"}})") ==
        "metadata.creationTimestamp: \"yesterday\" is not a time such as 2026-01-31T12:00:00Z");
  CHECK(error_of(R"({"kind":"Service","metadata":{"name":"p"}})") == "kind: expected Pod, got \"Service\"");
  CHECK(error_of(R"({"metadata":{}})") == "metadata.name is missing");
  CHECK(error_of("[]") == "the document is not an object");
}

TEST_CASE("an unreadable quantity is refused with container, resource and text") {
  CHECK(
      error_of(
          R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a"},{"resources":{"requests":{"nvidia.com/gpu":"eight"}}}]}})") ==
      "spec.containers[1].resources.requests[\"nvidia.com/gpu\"]: \"eight\" is not a quantity: it has no "
      "digits");
  CHECK(error_of(R"({"metadata":{"name":"p"},"spec":{"overhead":{"cpu":"-1"}}})") ==
        "spec.overhead.cpu: \"-1\" is below zero");
  CHECK(error_of(R"({"metadata":{"name":"p"},"spec":{"overhead":{"cpu":true}}})") ==
        "spec.overhead.cpu: expected a text, got true or false \"true\"");
}

TEST_CASE("malformed JSON is an error, whatever is wrong with it") {
  for (const std::string json :
       {"", " ", "null", "5", "\"x\"", "{", "{\"metadata\":{\"name\":\"p\"}", "{\"metadata\":{\"name\":\"p}}",
        "{\"metadata\" {\"name\":\"p\"}}", "{\"metadata\":{\"name\":\"p\",}}",
        "{\"metadata\":{\"name\":\"p\"}} x", "{\"metadata\":{\"name\":\"p\"}}{}",
        "{\"metadata\":{\"name\":\"\xff\xfe\"}}", "{\"metadata\":{\"name\":nul}}",
        "{\"metadata\":{\"name\":\"a\\ud800b\"}}", "{'metadata':{}}"}) {
    CAPTURE(json);
    CHECK_FALSE(error_of(json).empty());
  }
}

TEST_CASE("a truncated pod is an error at every length") {
  for (std::size_t length = 0; length < kLivePod.size(); ++length) {
    const auto pod = decode_pod(kLivePod.substr(0, length));
    if (pod) FAIL("accepted " << length << " of " << kLivePod.size() << " bytes");
  }
}

TEST_CASE("deep nesting in fields nobody reads is harmless") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const auto pod = decode_pod(R"({"metadata":{"name":"p","managedFields":)" + deep + "}}");
  CHECK((pod.has_value() || pod.error().code == ErrorCode::kInvalid));
}

TEST_CASE("a node is decoded into what Muster looks at") {
  const auto node = decode_node(R"({
    "kind": "Node", "metadata": {"name": "host-1", "uid": "u", "resourceVersion": "7", "labels": {"rack": "r1", "empty": ""}},
    "spec": {"podCIDR": "10.0.0.0/24", "unschedulable": true, "taints": [{"key": "k", "value": "v", "effect": "NoSchedule", "timeAdded": "2026-01-31T12:00:00Z"}]},
    "status": {
      "capacity": {"cpu": "96", "memory": "1Ti", "pods": "110"},
      "allocatable": {"cpu": "95500m", "memory": "1048576Mi", "pods": "110", "nvidia.com/gpu": "8", "hugepages-1Gi": "0"},
      "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "Unknown"}],
      "images": [{"names": ["a"], "sizeBytes": 1}]}})");
  REQUIRE(node.has_value());
  CHECK(node->name == "host-1");
  CHECK(node->labels == Labels{{"rack", "r1"}, {"empty", ""}});
  CHECK(node->taints == std::vector<Taint>{{"k", "v", "NoSchedule"}});
  CHECK(node->unschedulable);
  CHECK_FALSE(node->ready);
  CHECK(node->allocatable.entries() ==
        std::vector<ResourceList::Entry>{
            {"cpu", 95500}, {"memory", int64_t{1} << 40}, {"nvidia.com/gpu", 8}, {"pods", 110}});
}

TEST_CASE("a node without conditions is ready and without allocatable has its capacity") {
  const auto node = decode_node(R"({"metadata":{"name":"n"},"status":{"capacity":{"cpu":4}}})");
  REQUIRE(node.has_value());
  CHECK(node->ready);
  CHECK(node->allocatable.get("cpu") == 4000);
}

TEST_CASE("a heartbeat is no change and a taint is one") {
  Node a = decode_node(R"({"metadata":{"name":"n","resourceVersion":"1"}})").value();
  Node b = decode_node(R"({"metadata":{"name":"n","resourceVersion":"2"},"status":{"nodeInfo":{}}})").value();
  CHECK(a.same_as(b));
  b.taints.push_back({"k", "", "NoSchedule"});
  CHECK_FALSE(a.same_as(b));
}

TEST_CASE("every field of a pod but the resource version makes a difference") {
  const Pod pod = decode_pod(kLivePod).value();
  Pod other = pod;
  other.resource_version = "x";
  CHECK(pod.same_as(other));
  other.node_name = "host-9";
  CHECK_FALSE(pod.same_as(other));
  other = pod;
  other.node_set.tolerations.pop_back();
  CHECK_FALSE(pod.same_as(other));
  other = pod;
  other.requests.set("cpu", 1);
  CHECK_FALSE(pod.same_as(other));
}

TEST_CASE("times are read with fractions and offsets") {
  CHECK(parse_time("1970-01-01T00:00:00Z").value() == 0);
  CHECK(parse_time("2024-02-29T23:59:59.999999Z").value() == 1709251199);
  CHECK(parse_time("2026-01-31T13:00:05+01:00").value() == 1769860805);
  for (const char* text :
       {"", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00",
        "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx", "2026-1-31T12:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text).has_value());
  }
}

}  // namespace
}  // namespace muster::kube
