#include "kube/client.h"

#include "kube/decode.h"
#include "kube/status.h"

namespace muster::kube {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";
constexpr std::string_view kStrategicMergePatch = "application/strategic-merge-patch+json";

std::string call_on(std::string_view verb, const PodRef& pod) {
  return fmt::format("{} pod {}/{}", verb, pod.ns, pod.name);
}

}  // namespace

Client::Client(ClientOptions options, std::shared_ptr<Credentials> credentials, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      bucket_(options_.qps, options_.burst),
      connections_(std::move(credentials), options_.idle_connections) {}

Client::~Client() { stop(); }

Result<void> Client::nominate(const PodRef& pod, const std::string& node, const std::string& plan) {
  return write(call_on("nominate", pod), "PATCH", pod_path(pod.ns, pod.name, "status"),
               nominate_patch(pod, node, plan), kMergePatch);
}

Result<void> Client::release(const PodRef& pod) {
  return write(call_on("release", pod), "PATCH", pod_path(pod.ns, pod.name), release_patch(pod),
               kStrategicMergePatch);
}

Result<void> Client::bind(const PodRef& pod, const std::string& node, const StringMap& annotations) {
  return write(fmt::format("{} to {}", call_on("bind", pod), node), "POST",
               pod_path(pod.ns, pod.name, "binding"), binding(pod, node, annotations), kJson);
}

Result<void> Client::evict(const PodRef& pod, Removal how) {
  if (!how.obey_budgets)
    return write(call_on("delete", pod), "DELETE", pod_path(pod.ns, pod.name), deletion(pod, how.at_once),
                 kJson);
  return write(call_on("evict", pod), "POST", pod_path(pod.ns, pod.name, "eviction"),
               eviction(pod, how.at_once), kJson);
}

Result<void> Client::mark(const PodRef& pod, const std::string& why) {
  return write(call_on("mark", pod), "PATCH", pod_path(pod.ns, pod.name), mark_patch(pod, why), kMergePatch);
}

Result<void> Client::set_ready(const PodRef& pod, bool ready) {
  return write(call_on("set readiness of", pod), "PATCH", pod_path(pod.ns, pod.name, "status"),
               ready_patch(pod, ready, options_.wall_clock()), kStrategicMergePatch);
}

Result<void> Client::record(const EventRecord& record) {
  const auto now = options_.wall_clock();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  // Unique: the time of this process and the number of the event in it. Names are at most 253 bytes.
  const std::string name = fmt::format("{}.{:x}.{:x}", record.pod.name.substr(0, 200), micros, ++events_);
  return write(call_on("record event for", record.pod), "POST", event_path(record.pod.ns),
               event(record, name, options_.source, now), kJson);
}

Result<Pod> Client::get_pod(const std::string& ns, const std::string& name) {
  const std::string what = fmt::format("get pod {}/{}", ns, name);
  const auto body = call(what, "GET", pod_path(ns, name), "", "");
  if (!body) return tl::unexpected(body.error());
  auto pod = decode_pod(*body);
  if (!pod) return fail(ErrorCode::kInternal, "{}: {}", what, pod.error().message);
  return pod;
}

Result<void> Client::write(const std::string& what, std::string_view method, const std::string& path,
                           const std::string& body, std::string_view content_type) {
  const auto reply = call(what, method, path, body, content_type);
  if (!reply) return tl::unexpected(reply.error());
  return {};
}

Result<std::string> Client::call(std::string_view what, std::string_view method, const std::string& path,
                                 std::string_view body, std::string_view content_type) {
  if (!wait_for_turn()) return fail(ErrorCode::kCancelled, "{}: stopped", what);
  auto reply = connections_.call(method, path, body, content_type);
  if (!reply) {
    Error error = reply.error();
    error.message = fmt::format("{}: {}", what, error.message);
    return tl::unexpected(std::move(error));
  }
  if (auto error = error_of(what, *reply)) return tl::unexpected(*std::move(error));
  return std::move(reply->body);
}

bool Client::wait_for_turn() {
  const Duration pause = bucket_.take(clock_.now());
  std::unique_lock lock(mutex_);
  if (pause > Duration(0)) stop_.wait_for(lock, pause, [this] { return stopped_; });
  return !stopped_;
}

void Client::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_all();
  connections_.stop();
}

}  // namespace muster::kube
