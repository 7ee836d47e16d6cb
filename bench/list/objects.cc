#include "list/objects.h"

#include <fmt/format.h>

namespace muster::bench {
namespace {

constexpr std::string_view kPlace = "#########";

constexpr std::string_view kNodeLabels[] = {
    R"("beta.kubernetes.io/arch":"amd64")",
    R"("beta.kubernetes.io/instance-type":"gpu-h100-8x")",
    R"("beta.kubernetes.io/os":"linux")",
    R"("failure-domain.beta.kubernetes.io/region":"eu-north-1")",
    R"("failure-domain.beta.kubernetes.io/zone":"eu-north-1b")",
    R"("feature.node.kubernetes.io/cpu-cpuid.AVX512F":"true")",
    R"("feature.node.kubernetes.io/cpu-model.family":"6")",
    R"("feature.node.kubernetes.io/cpu-model.vendor_id":"Intel")",
    R"("feature.node.kubernetes.io/kernel-version.full":"6.8.0-1021-generic")",
    R"("feature.node.kubernetes.io/pci-10de.present":"true")",
    R"("feature.node.kubernetes.io/system-os_release.ID":"ubuntu")",
    R"("kubernetes.io/arch":"amd64")",
    R"("kubernetes.io/hostname":"gpu-worker-#########.eu-north-1.internal")",
    R"("kubernetes.io/os":"linux")",
    R"("node.kubernetes.io/instance-type":"gpu-h100-8x")",
    R"("nvidia.com/cuda.driver-version.full":"550.90.07")",
    R"("nvidia.com/gpu.count":"8")",
    R"("nvidia.com/gpu.machine":"HGX-H100")",
    R"("nvidia.com/gpu.memory":"81559")",
    R"("nvidia.com/gpu.present":"true")",
    R"("nvidia.com/gpu.product":"NVIDIA-H100-80GB-HBM3")",
    R"("topology.kubernetes.io/region":"eu-north-1")",
    R"("topology.kubernetes.io/zone":"eu-north-1b")"};

constexpr std::string_view kResources =
    R"("cpu":"191","ephemeral-storage":"6924806386000","hugepages-1Gi":"0","hugepages-2Mi":"0","memory":"2112845428Ki","nvidia.com/gpu":"8","pods":"250","rdma/hca_shared_devices_a":"63")";

std::string condition(std::string_view type, std::string_view status, std::string_view reason) {
  return fmt::format(
      R"({{"type":"{}","status":"{}","lastHeartbeatTime":"2026-03-02T09:31:07Z","lastTransitionTime":"2026-02-11T17:02:55Z","reason":"{}","message":"kubelet has reported: {}"}})",
      type, status, reason, reason);
}

std::string image(int number) {
  return fmt::format(
      R"({{"names":["registry.example.com/ml-platform/training-runtime@sha256:{:064x}","registry.example.com/ml-platform/training-runtime:v{}.4.1"],"sizeBytes":{}}})",
      0x9e3779b97f4a7c15ULL * static_cast<unsigned>(number + 1), number, 1'000'003 * (number + 11));
}

std::string managed_fields() {
  std::string fields = R"("managedFields":[)";
  for (const std::string_view manager :
       {"kubelet", "kube-controller-manager", "nfd-master", "gpu-operator"}) {
    fields += fmt::format(
        R"({}{{"manager":"{}","operation":"Update","apiVersion":"v1","time":"2026-03-02T09:31:07Z","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:annotations":{{".":{{}},"f:volumes.kubernetes.io/controller-managed-attach-detach":{{}}}},"f:labels":{{".":{{}},"f:beta.kubernetes.io/arch":{{}},"f:kubernetes.io/hostname":{{}},"f:kubernetes.io/os":{{}},"f:nvidia.com/gpu.product":{{}}}}}},"f:status":{{"f:conditions":{{"k:{{\"type\":\"Ready\"}}":{{"f:lastHeartbeatTime":{{}},"f:message":{{}},"f:reason":{{}},"f:status":{{}}}}}},"f:images":{{}}}}}}}})",
        fields.back() == '[' ? "" : ",", manager);
  }
  return fields + "]";
}

}  // namespace

ObjectTemplate::ObjectTemplate(std::string text) : text_(std::move(text)) {
  for (auto at = text_.find(kPlace); at != std::string::npos; at = text_.find(kPlace, at + 1))
    places_.push_back(at);
}

void ObjectTemplate::append(std::string& out, uint32_t number) const {
  const std::size_t begin = out.size();
  out += text_;
  char digits[9];
  for (int i = 8; i >= 0; --i, number /= 10) digits[i] = static_cast<char>('0' + number % 10);
  for (const std::size_t place : places_)
    std::copy(digits, digits + 9, out.begin() + static_cast<std::ptrdiff_t>(begin + place));
}

std::string node_text(std::size_t bytes) {
  std::string text = fmt::format(
      R"({{"metadata":{{"name":"gpu-worker-#########.eu-north-1.internal","uid":"6f6a4c5e-92b1-4c1d-8f5e-123#########","resourceVersion":"2#########","creationTimestamp":"2026-01-07T11:45:12Z","labels":{{{},"topology.muster.dev/block":"block-0","topology.muster.dev/rack":"rack-0"}},)",
      fmt::join(kNodeLabels, ","));
  text +=
      R"("annotations":{"cluster.x-k8s.io/machine":"gpu-worker-#########","node.alpha.kubernetes.io/ttl":"0","projectcalico.org/IPv4Address":"10.20.30.40/20","volumes.kubernetes.io/controller-managed-attach-detach":"true"},)";
  text += managed_fields();
  text +=
      R"(},"spec":{"podCIDR":"10.244.7.0/24","podCIDRs":["10.244.7.0/24"],"providerID":"cloud:///eu-north-1b/i-#########","taints":[{"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"}]},"status":{"capacity":{)";
  text += kResources;
  text += R"(},"allocatable":{)";
  text += kResources;
  text += R"(},"conditions":[)";
  text += condition("MemoryPressure", "False", "KubeletHasSufficientMemory") + ",";
  text += condition("DiskPressure", "False", "KubeletHasNoDiskPressure") + ",";
  text += condition("PIDPressure", "False", "KubeletHasSufficientPID") + ",";
  text += condition("NetworkUnavailable", "False", "CalicoIsUp") + ",";
  text += condition("Ready", "True", "KubeletReady");
  text +=
      R"(],"addresses":[{"type":"InternalIP","address":"10.20.30.40"},{"type":"Hostname","address":"gpu-worker-#########"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}},"nodeInfo":{"machineID":"5f0c9a1e7d3b4c2f9a8e6d5c#########","systemUUID":"5f0c9a1e-7d3b","bootID":"77aa","kernelVersion":"6.8.0-1021-generic","osImage":"Ubuntu 24.04.1 LTS","containerRuntimeVersion":"containerd://2.0.2","kubeletVersion":"v1.36.1","kubeProxyVersion":"","operatingSystem":"linux","architecture":"amd64"},"images":[)";
  for (int i = 0; text.size() + 250 < bytes; ++i) text += (i == 0 ? "" : ",") + image(i);
  return text + "]}}";
}

std::string pod_text(const PodKind& kind) {
  std::string text =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"worker-#########","generateName":"worker-","namespace":"team-a","uid":"0d7c4c5e-92b1-4c1d-8f5e-123#########","resourceVersion":"3#########","creationTimestamp":"2026-03-02T09:31:07Z","labels":{"app":"worker","batch.kubernetes.io/job-completion-index":"3"},"annotations":{)";
  if (kind.member) text += R"("muster.dev/group-name":"g-#########","muster.dev/min-member":"16",)";
  text +=
      R"("example.com/config-hash":"9a8e6d5c"},"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"worker","uid":"1d7c","controller":true,"blockOwnerDeletion":true}],)";
  text += managed_fields();
  text +=
      R"(},"spec":{"volumes":[{"name":"kube-api-access","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}}],"defaultMode":420}}],"containers":[{"name":"main","image":"registry.example.com/ml-platform/training-runtime:v1.4.1","args":["--epochs=40"],"env":[{"name":"NCCL_DEBUG","value":"INFO"}],"resources":{"limits":{"nvidia.com/gpu":"1"},"requests":{"cpu":"2","memory":"8Gi","nvidia.com/gpu":"1"}},"volumeMounts":[{"name":"kube-api-access","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Never","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default",)";
  if (kind.bound) text += R"("nodeName":"gpu-worker-#########.eu-north-1.internal",)";
  text += fmt::format(
      R"("schedulerName":"{}","tolerations":[{{"key":"nvidia.com/gpu","operator":"Exists","effect":"NoSchedule"}}],"priority":0,"enableServiceLinks":true}},"status":{{"phase":"{}","conditions":[{{"type":"PodScheduled","status":"{}","lastTransitionTime":"2026-03-02T09:31:07Z"}}],"qosClass":"Burstable"}}}})",
      kind.member ? "muster" : "default-scheduler",
      kind.ended   ? "Succeeded"
      : kind.bound ? "Running"
                   : "Pending",
      kind.bound ? "True" : "False");
  return text;
}

}  // namespace muster::bench
