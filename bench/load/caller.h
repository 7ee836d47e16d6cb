// One connection to the server under load, plain or TLS, that blocks; the cheapest caller there is, because
// it shares the processors with the server it measures.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/fd.h"
#include "http/tls.h"

namespace muster::bench {

struct Target {
  uint16_t port = 0;
  SSL_CTX* tls = nullptr;  // plain when null
};

class Caller {
 public:
  // Throws std::runtime_error, as do the others.
  explicit Caller(const Target& target);

  void send(std::string_view request);
  // The next reply's body; its status has to be 200.
  const std::string& receive();
  const std::string& call(std::string_view request) {
    send(request);
    return receive();
  }

 private:
  std::size_t read_some();

  http::Fd fd_;
  http::SslPtr<SSL> ssl_;
  std::string buffer_;  // what was received, and room
  std::size_t filled_ = 0;
  std::string body_;
};

[[nodiscard]] std::string post(std::string_view path, std::string_view body);
[[nodiscard]] std::string get(std::string_view path);
// Handshakes as kube-scheduler makes them: it shows client.crt of the folder, checks the server against
// ca.crt and by its address, prefers AES-128, and resumes no session (client-go sets no ClientSessionCache).
[[nodiscard]] http::SslPtr<SSL_CTX> caller_context(const std::string& dir);

}  // namespace muster::bench
