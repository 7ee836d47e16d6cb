#include "http/stream_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace muster::http {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kCut = "the connection was cut or the reply did not come in time";

struct AddressFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address = {};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

const char* words_for(long verdict) {
  const bool other_name =
      verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
  return other_name ? "it is not for this name" : X509_verify_cert_error_string(verdict);
}

}  // namespace

void set_client_socket_options(int socket) {
  auto set = [&](int level, int name, int value) { ::setsockopt(socket, level, name, &value, sizeof value); };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 20);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
}

StreamSocket::StreamSocket(ClientOptions options, BaseUrl url)
    : options_(std::move(options)), url_(std::move(url)), cancel_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<StreamSocket>> StreamSocket::create(const ClientOptions& options, const BaseUrl& url) {
  std::unique_ptr<StreamSocket> socket(new StreamSocket(options, url));
  if (!socket->cancel_.valid()) return fail(ErrorCode::kUnavailable, "no file descriptor is left");
  if (!url.tls) return socket;
  if (auto opened = socket->open_context(); !opened) return tl::unexpected(opened.error());
  return socket;
}

Result<void> StreamSocket::open_context() {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!context_) return invalid("TLS client: {}", take_ssl_error());
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context_.get(), 1);
  if (options_.insecure_skip_verify) {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  }
  if (options_.ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(context_.get());
  } else {
    auto store = store_from_pem(options_.ca_pem, "CA certificate");
    if (!store) return tl::unexpected(store.error());
    SSL_CTX_set_cert_store(context_.get(), store->release());
  }
  if (options_.client_cert_pem.empty() != options_.client_key_pem.empty())
    return invalid("client certificate and client key must be given together");
  if (options_.client_cert_pem.empty()) return {};
  auto certificates = certificates_from_pem(options_.client_cert_pem, "client certificate");
  if (!certificates) return tl::unexpected(certificates.error());
  auto key = key_from_pem(options_.client_key_pem, "client key");
  if (!key) return tl::unexpected(key.error());
  if (SSL_CTX_use_certificate(context_.get(), certificates->front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context_.get(), key->get()) != 1)
    return invalid("client key does not belong to the client certificate: {}", take_ssl_error());
  for (std::size_t i = 1; i < certificates->size(); ++i)
    SSL_CTX_add1_chain_cert(context_.get(), (*certificates)[i].get());
  return {};
}

tl::unexpected<Error> StreamSocket::no(std::string_view why) const {
  return fail(ErrorCode::kUnavailable, "{}", why);
}

Result<void> StreamSocket::wait(short events, Deadline deadline, std::string_view what) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    std::array<pollfd, 2> fds = {pollfd{fd_.get(), events, 0}, pollfd{cancel_.get(), POLLIN, 0}};
    const int ready =
        ::poll(fds.data(), fds.size(), static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (fds[1].revents != 0) return fail(ErrorCode::kCancelled, "cancelled");
    if (ready <= 0) return no(what);
    return {};
  }
}

Result<void> StreamSocket::connect() {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(url_.host.c_str(), std::to_string(url_.port).c_str(), &hints, &list);
  if (code != 0) return fail(ErrorCode::kUnavailable, "look up {}: {}", url_.host, ::gai_strerror(code));
  const std::unique_ptr<addrinfo, AddressFree> owner(list);
  return connect(*list);
}

Result<void> StreamSocket::connect(const addrinfo& addresses) {
  close();
  const auto deadline = steady_clock::now() + options_.connect_timeout;
  int left = 0;
  for (const addrinfo* address = &addresses; address != nullptr; address = address->ai_next) ++left;
  Result<void> connected = no("no connection");
  for (const addrinfo* address = &addresses; address != nullptr; address = address->ai_next, --left) {
    const auto now = steady_clock::now();
    connected = connect_to(*address, now + (deadline - now) / left);
    if (connected || connected.error().code == ErrorCode::kCancelled) break;
  }
  if (connected && url_.tls) connected = handshake(deadline);
  if (!connected) close();
  return connected;
}

Result<void> StreamSocket::connect_to(const addrinfo& address, Deadline deadline) {
  fd_.reset(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  if (!fd_.valid()) return no("no connection");
  set_client_socket_options(fd_.get());
  if (::connect(fd_.get(), address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return no("no connection");
  if (auto waited = wait(POLLOUT, deadline, "no connection in time"); !waited) return waited;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? Result<void>() : no("no connection");
}

Result<void> StreamSocket::handshake(Deadline deadline) {
  const std::string& name = options_.server_name.empty() ? url_.host : options_.server_name;
  ssl_.reset(SSL_new(context_.get()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd_.get()) != 1) return no("TLS handshake failed");
  if (is_numeric(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
    SSL_set1_host(ssl_.get(), name.c_str());
  }
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return {};
    const int error = SSL_get_error(ssl_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      const long verdict = SSL_get_verify_result(ssl_.get());
      static_cast<void>(take_ssl_error());
      if (verdict == X509_V_OK) return no("TLS handshake failed");
      return no(fmt::format("the server's certificate is not accepted: {}", words_for(verdict)));
    }
    if (auto waited = wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, "TLS handshake failed");
        !waited)
      return waited;
  }
}

void StreamSocket::close() {
  ssl_.reset();
  fd_.reset();
}

Result<void> StreamSocket::write(std::string_view bytes) {
  const auto deadline = steady_clock::now() + options_.read_timeout;
  constexpr std::string_view kNotSent = "the connection was cut while the request was sent";
  while (!bytes.empty()) {
    short wanted = POLLOUT;
    ssize_t sent = 0;
    if (ssl_) {
      ERR_clear_error();
      sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      const int error = sent > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), static_cast<int>(sent));
      if (error == SSL_ERROR_WANT_READ) wanted = POLLIN;
      if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return no(kNotSent);
    } else {
      sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return no(kNotSent);
    }
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (auto waited = wait(wanted, deadline, kNotSent); !waited) {
      return waited;
    }
  }
  return {};
}

bool StreamSocket::idle() const {
  pollfd entry = {fd_.get(), POLLIN | POLLRDHUP, 0};
  return fd_.valid() && ::poll(&entry, 1, 0) == 0;
}

Result<std::size_t> StreamSocket::read(char* buffer, std::size_t size, Deadline deadline) {
  while (steady_clock::now() < deadline) {
    short wanted = POLLIN;
    if (ssl_) {
      ERR_clear_error();
      const int got = SSL_read(ssl_.get(), buffer, static_cast<int>(size));
      if (got > 0) return static_cast<std::size_t>(got);
      const int error = SSL_get_error(ssl_.get(), got);
      if (error == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
      if (error == SSL_ERROR_WANT_WRITE) wanted = POLLOUT;
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return no(kCut);
    } else {
      const ssize_t got = ::recv(fd_.get(), buffer, size, 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EAGAIN && errno != EINTR) return no(kCut);
    }
    if (auto waited = wait(wanted, deadline, kCut); !waited) return tl::unexpected(waited.error());
  }
  return no(kCut);
}

void StreamSocket::cancel() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(cancel_.get(), &one, sizeof one);
}

}  // namespace muster::http
