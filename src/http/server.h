// An HTTP/1.1 server that does not stall: worker threads grow with the calls that wait, idle connections cost
// none, bodies are counted while they are read, and one broken client does not disturb the others. The only
// header of the project behind which cpp-httplib's server stands (server.cc).
//
// Thread rule: add routes before listen(). Handlers run on worker threads, several at a time, and may block.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace muster::http {

// Read at start and again when a file has changed; connections that exist keep what they began with.
struct ServerTls {
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;  // empty: callers need no certificate
  // Of the certificates of that CA those that bear one of these names: the subject's CN, or a DNS name or URI
  // of the subject alternative names. Empty: all of them.
  std::vector<std::string> client_names{};
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: the kernel picks one
  std::size_t max_body_bytes = 16u << 20;
  std::size_t max_workers = 4096;
  std::size_t reserved_workers = 16;     // slots kept for quick calls when all others block
  std::chrono::seconds keep_alive{120};  // beyond the 90 s for which Go's client keeps a connection
  std::chrono::seconds io_timeout{10};
  ServerTls tls;  // plain HTTP when cert_file is empty
};

struct Request {
  std::string method;
  std::string path;         // percent-decoded, without the query
  std::string_view body;    // ends when the response has been sent
  std::string_view caller;  // the subject of the certificate it has shown, else its address
  std::function<std::string(std::string_view)> query;   // first value of a query parameter, "" if absent
  std::function<std::string(std::string_view)> header;  // value of a header, "" if absent
};

// Takes a part of a streamed body; false when the peer has gone. An empty part is not sent, only asks.
using Sink = std::function<bool(std::string_view)>;

struct Response {
  int status = 200;
  // Sent before body without being copied: parts of the request's body, or text that outlives the response.
  std::vector<std::string_view> pieces;
  std::string body;
  std::string content_type = "application/json; charset=utf-8";
  // When set, the body is what this writes, in chunks, until it returns. It must return soon after the sink
  // answers false, and must itself look at stopping() when it waits.
  std::function<void(const Sink&)> stream;
};

using Handler = std::function<Response(const Request&)>;

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Calls handler for this method ("GET", "POST", …) and path. A path that ends in "/*" takes everything
  // below it. Unknown paths answer 404, a known path with another method 405, both with a JSON body {"error":
  // …}.
  void route(std::string method, std::string path, Handler handler);
  // Like route(), but the call may wait long (bind): it does not take one of the reserved workers, and is
  // answered 503 when max_workers - reserved_workers such calls are open.
  void route_blocking(std::string method, std::string path, Handler handler);

  // Binds and starts to serve on threads of its own; once. Errors: kUnavailable (address in use, …), kInvalid
  // (TLS files; the message names the file). Returns the port.
  [[nodiscard]] Result<uint16_t> start();

  // Stops accepting, lets calls under way end for at most `drain`, then cuts their connections and returns.
  // Idle keep-alive connections do not hold it up. Idempotent. The destructor waits for handlers that still
  // run: what they use must outlive the Server.
  void stop(std::chrono::milliseconds drain);
  [[nodiscard]] bool stopping() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace muster::http
