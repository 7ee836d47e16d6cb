#include "cmd/muster_demo/cluster_view.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/pod_keys.h"

namespace muster::demo {
namespace {

using embedded::at_path;
using embedded::text_at;

int number_in(const Json& value) {
  if (value.is_number_integer()) return value.get<int>();
  if (!value.is_string()) return 0;
  const std::string text = value.get<std::string>();
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int gpus_of(const Json& pod) {
  int gpus = 0;
  for (const Json& container : at_path(pod, {"spec", "containers"})) {
    gpus += number_in(at_path(container, {"resources", "requests", kGpu}));
  }
  return gpus;
}

PodView pod_view(const Json& object) {
  PodView pod;
  pod.ns = text_at(object, {"metadata", "namespace"});
  pod.name = text_at(object, {"metadata", "name"});
  pod.uid = text_at(object, {"metadata", "uid"});
  pod.group = text_at(object, {"metadata", "annotations", keys::kGroupName});
  pod.scheduler = text_at(object, {"spec", "schedulerName"});
  pod.node = text_at(object, {"spec", "nodeName"});
  pod.nominated = text_at(object, {"status", "nominatedNodeName"});
  pod.gated = !at_path(object, {"spec", "schedulingGates"}).empty();
  pod.gpus = gpus_of(object);
  pod.object = object;
  return pod;
}

const std::string& place_of(const PodView& pod) { return pod.node.empty() ? pod.nominated : pod.node; }

}  // namespace

void ClusterView::set_hosts(const Json& node_list) {
  hosts_.clear();
  for (const Json& node : at_path(node_list, {"items"})) {
    hosts_.push_back({text_at(node, {"metadata", "name"}),
                      text_at(node, {"metadata", "labels", "topology.muster.dev/block"}),
                      text_at(node, {"metadata", "labels", "topology.muster.dev/rack"}),
                      number_in(at_path(node, {"status", "allocatable", kGpu}))});
  }
  std::sort(hosts_.begin(), hosts_.end(), [](const Host& a, const Host& b) {
    return std::tie(a.block, a.rack, a.name) < std::tie(b.block, b.rack, b.name);
  });
}

void ClusterView::apply(const Json& event) {
  const std::string type = text_at(event, {"type"});
  if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") return;
  PodView pod = pod_view(at_path(event, {"object"}));

  const auto known = pods_.find(pod.uid);
  if (known != pods_.end()) used_[place_of(known->second.pod)] -= known->second.pod.gpus;
  if (type == "DELETED") {
    pods_.erase(pod.uid);
    return;
  }
  used_[place_of(pod)] += pod.gpus;
  const std::size_t order = known == pods_.end() ? seen_++ : known->second.order;
  const std::string uid = pod.uid;
  pods_[uid] = Seen{order, std::move(pod)};
}

std::vector<const PodView*> ClusterView::pods() const {
  std::vector<const Seen*> seen;
  for (const auto& [uid, one] : pods_) seen.push_back(&one);
  std::sort(seen.begin(), seen.end(), [](const Seen* a, const Seen* b) { return a->order < b->order; });
  std::vector<const PodView*> pods;
  for (const Seen* one : seen) pods.push_back(&one->pod);
  return pods;
}

std::vector<const PodView*> ClusterView::members(const std::string& group) const {
  std::vector<const PodView*> members = pods();
  std::erase_if(members, [&](const PodView* pod) { return pod->group != group; });
  return members;
}

std::vector<const PodView*> ClusterView::pods_on(const std::string& host) const {
  std::vector<const PodView*> found = pods();
  std::erase_if(found, [&](const PodView* pod) { return place_of(*pod) != host; });
  return found;
}

const Host* ClusterView::host(const std::string& name) const {
  const auto found =
      std::find_if(hosts_.begin(), hosts_.end(), [&](const Host& h) { return h.name == name; });
  return found == hosts_.end() ? nullptr : &*found;
}

int ClusterView::free_gpus(const Host& host) const {
  const auto used = used_.find(host.name);
  return host.gpus - (used == used_.end() ? 0 : used->second);
}

int ClusterView::free_hosts(const std::string& block, const std::string& rack) const {
  return static_cast<int>(std::count_if(hosts_.begin(), hosts_.end(), [&](const Host& host) {
    return host.block == block && host.rack == rack && free_gpus(host) == host.gpus;
  }));
}

}  // namespace muster::demo
