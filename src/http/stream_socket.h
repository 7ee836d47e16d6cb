// The client's end of one connection, plain or TLS, whose every wait ends when another thread says so.
//
// Thread rule: one owner; cancel() from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/client.h"
#include "http/fd.h"
#include "http/tls.h"
#include "http/url.h"

struct addrinfo;

namespace muster::http {

class StreamSocket {
 public:
  // Null when no file descriptor is left. Nothing is read or connected before connect().
  [[nodiscard]] static std::unique_ptr<StreamSocket> create(const ClientOptions& options, const BaseUrl& url);

  // kUnavailable says what failed, kInvalid names the PEM text that cannot be used; kCancelled after
  // cancel().
  Result<void> connect();
  void close();
  [[nodiscard]] bool connected() const { return fd_.valid(); }
  Result<void> write(std::string_view bytes);
  // At least one byte, or 0 when the peer has ended the connection in order. kUnavailable when it was cut or
  // nothing came within the read timeout.
  Result<std::size_t> read(char* buffer, std::size_t size);

  // Everything under way and later returns kCancelled. Idempotent.
  void cancel();

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  StreamSocket(ClientOptions options, BaseUrl url);
  Result<void> open_context();
  Result<void> connect_to(const ::addrinfo& address, Deadline deadline);
  Result<void> handshake(Deadline deadline);
  Result<void> wait(short events, Deadline deadline, std::string_view what);
  [[nodiscard]] tl::unexpected<Error> no(std::string_view why) const;

  const ClientOptions options_;
  const BaseUrl url_;
  Fd cancel_;  // an eventfd, readable for ever after cancel()
  Fd fd_;
  SslPtr<SSL_CTX> context_;
  SslPtr<SSL> ssl_;
};

// Options of every connection of ours: TCP_NODELAY, and a peer that vanished without a word is noticed after
// a minute, not after the kernel's two hours.
void set_client_socket_options(int socket);

}  // namespace muster::http
