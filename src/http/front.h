// From accepted connections to whole request heads: idle connections cost no thread, a head that trickles in
// costs none either, and what is no HTTP is refused before anything else sees it. Each request runs on a
// worker of its own, which may block.
//
// Thread-safe. The destructor waits for every request under way.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "http/connection.h"
#include "http/listener.h"
#include "http/request_head.h"
#include "http/server.h"
#include "http/workers.h"

namespace muster::http {

// What becomes of a connection behind a reply.
enum class After {
  kKeep,   // another request may follow
  kClose,  // the peer wants no other, or is gone
  kAbort,  // the rest of this request was not read
};

class Front {
 public:
  // Answers one request on the connection.
  using Serve = std::function<After(Connection&, const RequestHead&)>;

  Front(const ServerOptions& options, Serve serve);
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  // kUnavailable: the address cannot be had; kInvalid: a TLS file or the address is no good.
  [[nodiscard]] Result<uint16_t> start();
  // No new requests; waits for those under way for at most `drain`, then cuts their connections.
  void stop(std::chrono::milliseconds drain);
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] int listen_fd() const { return listener_->fd(); }

 private:
  void serve_connection(const ConnectionPtr& connection);
  bool next_head(const ConnectionPtr& connection, std::string_view& head);
  void park(const ConnectionPtr& connection, Io want, SteadyTime until);
  bool finish_handshake(const ConnectionPtr& connection);
  After serve_request(Connection& connection, std::string_view head_text);
  void abort(Connection& connection);

  const ServerOptions options_;
  const Serve serve_;
  std::unique_ptr<ServerTlsSource> tls_;
  std::unique_ptr<Listener> listener_;
  std::atomic<bool> stopping_ = false;
  Workers workers_;  // last: its end waits for the requests, which use everything above
};

// Writes a JSON error as a whole response. Returns whether it was written.
bool send_error(Connection& connection, const ServerOptions& options, bool head_only, bool close, int status,
                std::string_view message, std::string_view allowed_methods = {});
[[nodiscard]] std::string error_body(std::string_view message);

}  // namespace muster::http
