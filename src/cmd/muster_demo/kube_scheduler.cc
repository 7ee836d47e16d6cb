#include "cmd/muster_demo/kube_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace muster::demo {
namespace {

using embedded::at_path;
using embedded::text_at;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::seconds kBindBackoff{1};

Result<std::unique_ptr<http::Client>> client_for(const std::string& url) {
  http::ClientOptions options;
  options.base_url = url;
  options.read_timeout = std::chrono::seconds(60);
  return http::Client::create(options);
}

bool is_waiting(const PodView& pod) { return pod.scheduler == "muster" && pod.node.empty() && !pod.gated; }

Result<Json> post(http::Client& client, const std::string& path, const Json& body) {
  const auto reply = client.call("POST", path, {}, embedded::dump(body), "application/json");
  if (!reply) return tl::unexpected(reply.error());
  std::string why;
  auto answer = embedded::parse_json(reply->body, why);
  if (reply->status != 200 || !answer) {
    return fail(ErrorCode::kInternal, "{} answered {}: {}", path, reply->status, reply->body);
  }
  if (const std::string error = text_at(*answer, {"Error"}); !error.empty()) {
    return fail(ErrorCode::kInternal, "{} answered the error: {}", path, error);
  }
  return std::move(*answer);
}

}  // namespace

Result<std::unique_ptr<KubeScheduler>> KubeScheduler::start(Cluster& cluster,
                                                            const std::string& extender_url) {
  auto client = client_for(extender_url);
  if (!client) return tl::unexpected(client.error());
  return std::unique_ptr<KubeScheduler>(new KubeScheduler(cluster, extender_url, std::move(*client)));
}

KubeScheduler::KubeScheduler(Cluster& cluster, std::string url, std::unique_ptr<http::Client> client)
    : cluster_(cluster), url_(std::move(url)), client_(std::move(client)), loop_([this] { run(); }) {}

KubeScheduler::~KubeScheduler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  client_->cancel();
  loop_.join();
  for (Binding& binding : bindings_) binding.client->cancel();
  for (Binding& binding : bindings_) binding.thread.join();
}

int KubeScheduler::filter_calls(const std::string& pod_prefix) const {
  const std::lock_guard lock(mutex_);
  int calls = 0;
  for (const auto& [name, count] : filter_calls_) {
    if (name.starts_with(pod_prefix)) calls += count;
  }
  return calls;
}

std::string KubeScheduler::last_trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void KubeScheduler::run() {
  for (uint64_t seen = 0; !stopping();) {
    seen = cluster_.changes_after(seen, kTick);
    try_pods(seen);
  }
}

bool KubeScheduler::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void KubeScheduler::try_pods(uint64_t changes) {
  const ClusterView view = cluster_.view();
  for (const PodView* pod : view.pods()) {
    if (stopping()) return;
    if (is_due(*pod, changes)) try_pod(view, *pod);
  }
}

bool KubeScheduler::is_due(const PodView& pod, uint64_t changes) {
  const std::lock_guard lock(mutex_);
  if (!pod.node.empty()) assumed_.erase(pod.uid);
  if (!is_waiting(pod) || assumed_.contains(pod.uid)) return false;
  const auto failed = failed_.find(pod.uid);
  if (failed != failed_.end()) {
    if (steady_clock::now() < failed->second) return false;
    failed_.erase(failed);
    tried_.erase(pod.uid);
  }
  const auto [tried, first] = tried_.try_emplace(pod.uid, changes);
  const bool due = first || tried->second != changes;
  tried->second = changes;
  return due;
}

void KubeScheduler::try_pod(const ClusterView& view, const PodView& pod) {
  std::vector<std::string> nodes = nodes_with_room(view, pod);
  std::optional<std::string> chosen;
  const bool nominated = std::find(nodes.begin(), nodes.end(), pod.nominated) != nodes.end();
  if (nominated) chosen = filter(pod, {pod.nominated});
  if (!chosen && !nodes.empty()) chosen = filter(pod, nodes);
  if (chosen) assume(pod, *chosen);
}

std::vector<std::string> KubeScheduler::nodes_with_room(const ClusterView& view, const PodView& pod) const {
  std::map<std::string, int> assumed;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [uid, place] : assumed_) assumed[place.first] += place.second;
  }
  std::vector<std::string> names;
  for (const Host& host : view.hosts()) {
    int used = assumed[host.name];
    for (const PodView* other : view.pods_on(host.name)) {
      const std::lock_guard lock(mutex_);
      if (other->uid != pod.uid && !assumed_.contains(other->uid)) used += other->gpus;
    }
    if (used + pod.gpus <= host.gpus) names.push_back(host.name);
  }
  return names;
}

std::optional<std::string> KubeScheduler::filter(const PodView& pod, const std::vector<std::string>& nodes) {
  {
    const std::lock_guard lock(mutex_);
    ++filter_calls_[pod.name];
  }
  const auto answer =
      post(*client_, "/filter", Json{{"Pod", pod.object}, {"Nodes", nullptr}, {"NodeNames", nodes}});
  if (!answer) {
    note_trouble(answer.error().message);
    return std::nullopt;
  }
  const Json& names = at_path(*answer, {"NodeNames"});
  if (!names.is_array() || names.empty() || !names[0].is_string()) return std::nullopt;
  return names[0].get<std::string>();
}

void KubeScheduler::assume(const PodView& pod, const std::string& node) {
  auto client = client_for(url_);
  if (!client) return note_trouble(client.error().message);
  const std::lock_guard lock(mutex_);
  assumed_[pod.uid] = {node, pod.gpus};
  Binding binding{std::move(*client), {}};
  binding.thread = std::thread([this, used = binding.client.get(), pod, node] { bind(*used, pod, node); });
  bindings_.push_back(std::move(binding));
}

void KubeScheduler::bind(http::Client& client, const PodView& pod, const std::string& node) {
  const auto answer =
      post(client, "/bind",
           Json{{"PodName", pod.name}, {"PodNamespace", pod.ns}, {"PodUID", pod.uid}, {"Node", node}});
  if (answer) return;  // stays assumed until the watch shows it bound
  note_trouble(answer.error().message);
  const std::lock_guard lock(mutex_);
  assumed_.erase(pod.uid);
  failed_[pod.uid] = steady_clock::now() + kBindBackoff;
}

void KubeScheduler::note_trouble(std::string trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

}  // namespace muster::demo
