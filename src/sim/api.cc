#include "sim/api.h"

#include <utility>

#include "base/pod_keys.h"

namespace muster::sim {

void Api::list(Watch& watch) {
  kube::Replace<kube::Node> nodes;
  for (const auto& [name, node] : nodes_) nodes.items.push_back(node);
  kube::Replace<kube::Pod> pods;
  for (const auto& [name, pod] : pods_) pods.items.push_back(pod);
  watch.nodes = {std::move(nodes)};
  watch.pods = {std::move(pods)};
}

void Api::put_node(kube::Node node) {
  const std::string name = node.name;
  nodes_[name] = node;
  for (Watch* watch : watches_) watch->nodes.push_back(kube::Upsert<kube::Node>{node});
}

void Api::remove_node(const std::string& name) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return;
  for (Watch* watch : watches_) watch->nodes.push_back(kube::Remove<kube::Node>{found->second});
  nodes_.erase(found);
}

void Api::put_pod(kube::Pod pod) {
  const auto found = pods_.find(pod.name);
  if (found != pods_.end() && found->second.same_as(pod)) return;
  const std::string name = pod.name;
  pod.resource_version = std::to_string(++version_);
  pods_[name] = pod;
  for (Watch* watch : watches_) watch->pods.push_back(kube::Upsert<kube::Pod>{pod});
}

void Api::remove_pod(const std::string& name) {
  const auto found = pods_.find(name);
  if (found == pods_.end()) return;
  for (Watch* watch : watches_) watch->pods.push_back(kube::Remove<kube::Pod>{found->second});
  pods_.erase(found);
}

Result<kube::Pod> Api::read(const kube::PodRef& ref) const {
  const auto found = pods_.find(ref.name);
  if (found == pods_.end()) return fail(ErrorCode::kNotFound, "pods \"{}\" not found", ref.name);
  if (found->second.uid != ref.uid)
    return fail(ErrorCode::kConflict, "uid of pod {} is {}", ref.name, found->second.uid);
  if (!ref.version.empty() && found->second.resource_version != ref.version)
    return fail(ErrorCode::kConflict, "version of pod {} is {}", ref.name, found->second.resource_version);
  return found->second;
}

Result<void> Api::nominate(const kube::PodRef& ref, const std::string& node, const std::string& plan) {
  Result<kube::Pod> pod = read(ref);
  if (!pod) return tl::unexpected(pod.error());
  time_.log("api: {} nominated node \"{}\" plan \"{}\"", ref.name, node, plan);
  pod->nominated_node = node;
  pod->annotations[keys::kPlan] = plan;
  if (plan.empty()) pod->annotations.erase(keys::kPlan);
  put_pod(std::move(*pod));
  return {};
}

Result<void> Api::release(const kube::PodRef& ref) {
  Result<kube::Pod> pod = read(ref);
  if (!pod) return tl::unexpected(pod.error());
  time_.log("api: {} released", ref.name);
  std::erase(pod->scheduling_gates, keys::kHold);
  put_pod(std::move(*pod));
  return {};
}

Result<void> Api::bind(const kube::PodRef& ref, const std::string& node, const kube::StringMap& notes) {
  Result<kube::Pod> pod = read(ref);
  if (!pod) return tl::unexpected(pod.error());
  if (!pod->node_name.empty())
    return fail(ErrorCode::kConflict, "pod {} is assigned to {} already", ref.name, pod->node_name);
  if (pod->terminating || !pod->scheduling_gates.empty())
    return fail(ErrorCode::kConflict, "pod {} is being deleted or has gates", ref.name);
  time_.log("api: {} bound to {}", ref.name, node);
  pod->node_name = node;
  pod->nominated_node.clear();
  pod->phase = kube::PodPhase::kRunning;
  for (const auto& [key, value] : notes) pod->annotations[key] = value;
  put_pod(std::move(*pod));
  return {};
}

// The kubelet has some seconds to end what runs; where no kubelet is left the pod stays, going.
Result<void> Api::evict(const kube::PodRef& ref, kube::Removal how) {
  Result<kube::Pod> pod = read(ref);
  if (!pod) return tl::unexpected(pod.error());
  time_.log("api: {} evicted{}", ref.name, how.at_once ? " at once" : "");
  if (how.at_once || pod->node_name.empty()) {
    remove_pod(ref.name);
    return {};
  }
  if (std::exchange(pod->terminating, true)) return {};
  put_pod(*pod);
  return {};
}

Result<void> Api::mark(const kube::PodRef& ref, const std::string& why) {
  Result<kube::Pod> pod = read(ref);
  if (!pod) return tl::unexpected(pod.error());
  time_.log("api: {} marked {}", ref.name, why);
  pod->annotations[keys::kLetGo] = why;
  put_pod(std::move(*pod));
  return {};
}

Result<void> Api::set_ready(const kube::PodRef& ref, bool ready) {
  Result<kube::Pod> pod = read(ref);
  if (!pod) return tl::unexpected(pod.error());
  time_.log("api: {} group-ready {}", ref.name, ready);
  pod->group_ready = ready;
  put_pod(std::move(*pod));
  return {};
}

Result<kube::Pod> Api::get_pod(const std::string&, const std::string& name) {
  const auto found = pods_.find(name);
  if (found == pods_.end()) return fail(ErrorCode::kNotFound, "pods \"{}\" not found", name);
  return found->second;
}

}  // namespace muster::sim
