#include "load/caller.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <stdexcept>

namespace muster::bench {
namespace {

[[noreturn]] void fail(std::string_view what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

Caller::Caller(const Target& target)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), buffer_(4096, '\0') {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  timeval limit = {60, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (target.tls == nullptr) return;
  ssl_.reset(SSL_new(target.tls));
  SSL_set_fd(ssl_.get(), fd_.get());
  if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("TLS: " + http::take_ssl_error());
}

void Caller::send(std::string_view request) {
  while (!request.empty()) {
    ssize_t sent = ssl_ ? SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()))
                        : ::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent <= 0) fail("send");
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t Caller::read_some() {
  if (filled_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  std::size_t room = buffer_.size() - filled_;
  ssize_t got = ssl_ ? SSL_read(ssl_.get(), buffer_.data() + filled_, static_cast<int>(room))
                     : ::recv(fd_.get(), buffer_.data() + filled_, room, 0);
  if (got <= 0) fail("receive");
  filled_ += static_cast<std::size_t>(got);
  return filled_;
}

const std::string& Caller::receive() {
  filled_ = 0;
  std::size_t head = std::string_view::npos;
  while (head == std::string_view::npos) {
    read_some();
    head = std::string_view(buffer_.data(), filled_).find("\r\n\r\n");
  }
  std::string_view text(buffer_.data(), head);
  constexpr std::string_view kLength = "Content-Length: ";
  std::size_t length_at = text.find(kLength);
  if (!text.starts_with("HTTP/1.1 200") || length_at == std::string_view::npos) {
    throw std::runtime_error("unexpected reply: " + std::string(text));
  }
  std::size_t length = std::stoul(std::string(text.substr(length_at + kLength.size(), 12)));
  while (filled_ < head + 4 + length) read_some();
  body_.assign(buffer_, head + 4, length);
  return body_;
}

std::string post(std::string_view path, std::string_view body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", path,
      body.size(), body);
}

std::string get(std::string_view path) { return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path); }

http::SslPtr<SSL_CTX> caller_context(const std::string& dir) {
  http::SslPtr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* ctx = context.get();
  bool ok = SSL_CTX_use_certificate_chain_file(ctx, (dir + "/client.crt").c_str()) == 1 &&
            SSL_CTX_use_PrivateKey_file(ctx, (dir + "/client.key").c_str(), SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_load_verify_file(ctx, (dir + "/ca.crt").c_str()) == 1 &&
            X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(ctx), "127.0.0.1") == 1 &&
            SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") == 1;
  if (!ok) throw std::runtime_error("TLS: " + http::take_ssl_error());
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
  return context;
}

}  // namespace muster::bench
