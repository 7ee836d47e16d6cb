// The client's end of one connection, plain or TLS, whose every wait ends when another thread says so. Only a
// look-up of a host's name cannot be ended: the system's resolver has its own patience.
//
// Thread rule: one owner; cancel() from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
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
  using Deadline = std::chrono::steady_clock::time_point;

  // kInvalid names the PEM text that cannot be used; kUnavailable when no file descriptor is left. Nothing is
  // connected before connect().
  [[nodiscard]] static Result<std::unique_ptr<StreamSocket>> create(const ClientOptions& options,
                                                                    const BaseUrl& url);

  // Within the connect timeout, in which the addresses of the host have equal shares: one that swallows all
  // that is sent to it leaves time for the next. kUnavailable says what failed, kCancelled after cancel().
  Result<void> connect();
  // The same to addresses that have been looked up.
  Result<void> connect(const ::addrinfo& addresses);
  void close();
  [[nodiscard]] bool connected() const { return fd_.valid(); }
  // Connected, and the peer has said nothing that nobody asked for: it has not ended the connection.
  [[nodiscard]] bool idle() const;
  Result<void> write(std::string_view bytes);
  // At least one byte, or 0 when the peer has ended the connection in order. kUnavailable when it was cut or
  // nothing came until the deadline.
  Result<std::size_t> read(char* buffer, std::size_t size, Deadline deadline);

  // Everything under way and later returns kCancelled. Idempotent.
  void cancel();

 private:
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
