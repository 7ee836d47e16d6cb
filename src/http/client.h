// An HTTP/1.1 client for one server: keep-alive, TCP_NODELAY, short connection timeouts, TLS with a CA and a
// client certificate held in memory, and responses, whole or streamed, that another thread can cut.
//
// Thread rule: a Client serves one call at a time; only cancel() may be called from another thread. Use one
// client per thread and one per watch.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace muster::http {

struct ClientOptions {
  std::string base_url;         // "https://host:port", "http://127.0.0.1:8080"; IPv6 hosts in brackets
  std::string ca_pem;           // empty: the system's store
  std::string client_cert_pem;  // empty: no client certificate
  std::string client_key_pem;
  std::string server_name;  // TLS server name when it differs from the host
  bool insecure_skip_verify = false;
  std::chrono::milliseconds connect_timeout{5000};  // TLS handshake included
  // From the request to the end of the reply; of a stream to the end of the reply's head, then between two
  // reads. A server that sends a byte now and then does not stretch it.
  std::chrono::milliseconds read_timeout{30000};
};

struct Reply {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case
};

using Headers = std::map<std::string, std::string>;

class Client {
 public:
  // kInvalid when the URL or a PEM text cannot be used; the message names which.
  [[nodiscard]] static Result<std::unique_ptr<Client>> create(ClientOptions options);
  virtual ~Client() = default;

  // Any status is a Reply; an Error is kUnavailable (no connection, cut, timeout, a reply that is no HTTP or
  // longer than 64 MiB) or kCancelled; kInvalid when the request cannot be sent as it is. A connection that
  // the server has closed meanwhile is opened again; once something is sent, nothing is sent twice.
  [[nodiscard]] virtual Result<Reply> call(std::string_view method, std::string_view path_and_query,
                                           const Headers& headers, std::string_view body,
                                           std::string_view content_type) = 0;

  // GET whose body is handed over piece by piece as it arrives. on_status sees the status before the first
  // piece; either callback returns false to end the call (kCancelled). Returns when the server ends the body.
  [[nodiscard]] virtual Result<Reply> stream(std::string_view path_and_query, const Headers& headers,
                                             const std::function<bool(int)>& on_status,
                                             const std::function<bool(std::string_view)>& on_data) = 0;

  // Ends the call under way, which returns kCancelled soon, and with it the client: later calls return
  // kCancelled at once (so that a call which begins just now is not missed). Safe from any thread; not from a
  // callback, which returns false instead.
  virtual void cancel() = 0;
};

}  // namespace muster::http
