#include "kube/connections.h"

#include <utility>

namespace muster::kube {

http::Headers headers_with(const std::string& token) {
  http::Headers headers = {{"Accept", "application/json"}, {"User-Agent", "muster"}};
  if (!token.empty()) headers["Authorization"] = "Bearer " + token;
  return headers;
}

Connections::Connections(std::shared_ptr<Credentials> credentials, std::size_t idle_limit,
                         std::optional<std::chrono::milliseconds> timeout)
    : credentials_(std::move(credentials)), idle_limit_(idle_limit), timeout_(timeout) {}

Result<http::Reply> Connections::call(std::string_view method, const std::string& path, std::string_view body,
                                      std::string_view content_type) {
  auto credentials = credentials_->current();
  if (!credentials) return tl::unexpected(credentials.error());
  auto reply = call_with(*credentials, method, path, body, content_type);
  if (!reply || reply->status != 401) return reply;
  credentials_->rejected(credentials->token);
  const auto renewed = credentials_->current();
  const bool changed =
      renewed && (renewed->token != credentials->token || renewed->transport != credentials->transport);
  return changed ? call_with(*renewed, method, path, body, content_type) : reply;
}

Result<http::Reply> Connections::call_with(const Credentials::Current& credentials, std::string_view method,
                                           const std::string& path, std::string_view body,
                                           std::string_view content_type) {
  auto connection = borrow(credentials.transport);
  if (!connection) return tl::unexpected(connection.error());
  auto reply = connection->http->call(method, path, headers_with(credentials.token), body, content_type);
  give_back(*std::move(connection), reply.has_value());
  return reply;
}

Result<Connections::Connection> Connections::borrow(const Transport& transport) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return fail(ErrorCode::kCancelled, "stopped");
  if (transport != transport_) {
    idle_.clear();
    transport_ = transport;
  }
  if (!idle_.empty()) {
    Connection connection = std::move(idle_.back());
    idle_.pop_back();
    busy_.insert(connection.http.get());
    return connection;
  }
  http::ClientOptions options = *transport;
  if (timeout_) options.connect_timeout = options.read_timeout = *timeout_;
  auto http = http::Client::create(options);
  if (!http) return tl::unexpected(http.error());
  busy_.insert(http->get());
  return Connection{*std::move(http), transport};
}

void Connections::give_back(Connection connection, bool reusable) {
  const std::lock_guard lock(mutex_);
  busy_.erase(connection.http.get());
  const bool kept = reusable && !stopped_ && connection.made_with == transport_ && idle_.size() < idle_limit_;
  if (kept) idle_.push_back(std::move(connection));
}

void Connections::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  idle_.clear();
  for (http::Client* client : busy_) client->cancel();
}

}  // namespace muster::kube
