#include "cmd/muster_demo/cluster.h"

#include <utility>

namespace muster::demo {
namespace {

constexpr const char* kPods = "/api/v1/namespaces/default/pods";

using embedded::at_path;
using embedded::text_at;

Result<std::unique_ptr<http::Client>> client_for(const std::string& url) {
  http::ClientOptions options;
  options.base_url = url;
  options.read_timeout = std::chrono::seconds(60);
  return http::Client::create(options);
}

Result<Json> decoded(std::string_view what, Result<http::Reply> reply) {
  if (!reply) return tl::unexpected(reply.error());
  std::string why;
  auto body = embedded::parse_json(reply->body, why);
  if (!body) return fail(ErrorCode::kInternal, "{}: the answer is no JSON: {}", what, why);
  if (reply->status >= 300) {
    return fail(ErrorCode::kInternal, "{}: {} {}", what, reply->status, text_at(*body, {"message"}));
  }
  return std::move(*body);
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::connect(const std::string& url) {
  auto calls = client_for(url);
  if (!calls) return tl::unexpected(calls.error());
  auto watch = client_for(url);
  if (!watch) return tl::unexpected(watch.error());
  auto nodes = decoded("list nodes", (*calls)->call("GET", "/api/v1/nodes", {}, "", ""));
  if (!nodes) return tl::unexpected(nodes.error());

  ClusterView view;
  view.set_hosts(*nodes);
  return std::unique_ptr<Cluster>(new Cluster(std::move(*calls), std::move(*watch), std::move(view)));
}

Cluster::Cluster(std::unique_ptr<http::Client> calls, std::unique_ptr<http::Client> watch, ClusterView view)
    : calls_(std::move(calls)),
      watch_(std::move(watch)),
      view_(std::move(view)),
      watching_([this] { follow(); }) {}

Cluster::~Cluster() {
  watch_->cancel();
  watching_.join();
}

ClusterView Cluster::view() const {
  const std::lock_guard lock(view_mutex_);
  return view_;
}

bool Cluster::wait_until(const std::function<bool(const ClusterView&)>& look,
                         std::chrono::milliseconds timeout) const {
  std::unique_lock lock(view_mutex_);
  return changed_.wait_until(lock, std::chrono::steady_clock::now() + timeout, [&] { return look(view_); });
}

uint64_t Cluster::changes_after(uint64_t seen, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(view_mutex_);
  changed_.wait_until(lock, std::chrono::steady_clock::now() + timeout, [&] { return changes_ != seen; });
  return changes_;
}

Result<void> Cluster::create_pod(const Json& pod) {
  auto reply = call("POST", kPods, embedded::dump(pod));
  if (!reply) return tl::unexpected(reply.error());
  return {};
}

Result<void> Cluster::delete_pod(const std::string& name) {
  auto reply = call("DELETE", std::string(kPods) + "/" + name, "");
  if (!reply) return tl::unexpected(reply.error());
  return {};
}

Result<std::string> Cluster::event_message(const std::string& pod_prefix, const std::string& reason) {
  auto events = call("GET", "/api/v1/namespaces/default/events", "");
  if (!events) return tl::unexpected(events.error());
  std::string message, newest;
  for (const Json& event : at_path(*events, {"items"})) {
    if (text_at(event, {"reason"}) != reason) continue;
    if (!text_at(event, {"involvedObject", "name"}).starts_with(pod_prefix)) continue;
    const std::string time = text_at(event, {"metadata", "creationTimestamp"});
    if (time < newest) continue;
    newest = time;
    message = text_at(event, {"message"});
  }
  return message;
}

Result<Json> Cluster::call(const std::string& method, const std::string& path, const std::string& body) {
  const std::lock_guard lock(calls_mutex_);
  return decoded(method + " " + path, calls_->call(method, path, {}, body, "application/json"));
}

void Cluster::follow() {
  std::string rest;
  const auto on_data = [&](std::string_view part) {
    rest += part;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
      take_line(std::string_view(rest).substr(begin, end - begin));
    }
    rest.erase(0, begin);
    return true;
  };
  // Bookmarks keep the connection from looking dead. When the watch ends the steps that wait find out by
  // time.
  static_cast<void>(watch_->stream(
      "/api/v1/pods?watch=1&allowWatchBookmarks=true", {}, [](int status) { return status == 200; },
      on_data));
}

void Cluster::take_line(std::string_view line) {
  std::string why;
  const auto event = embedded::parse_json(line, why);
  if (!event) return;
  const std::lock_guard lock(view_mutex_);
  view_.apply(*event);
  ++changes_;
  changed_.notify_all();
}

}  // namespace muster::demo
