// The server's side of TLS for the fake API server, record by record, so that a test can send half of one.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace muster::kube::test {

struct FakeTlsSettings {
  std::string cert_pem;
  std::string key_pem;
  std::string client_ca_pem;  // empty: clients need no certificate
};

class FakeTlsContext {
 public:
  explicit FakeTlsContext(const FakeTlsSettings& settings);
  ~FakeTlsContext();
  FakeTlsContext(const FakeTlsContext&) = delete;
  FakeTlsContext& operator=(const FakeTlsContext&) = delete;
  [[nodiscard]] SSL_CTX* get() const { return context_; }

 private:
  SSL_CTX* context_;
};

// One connection. All bytes pass through memory.
class FakeTls {
 public:
  explicit FakeTls(std::shared_ptr<FakeTlsContext> context);
  ~FakeTls();
  FakeTls(const FakeTls&) = delete;
  FakeTls& operator=(const FakeTls&) = delete;

  // False when the client is refused or goes. Does nothing the second time.
  bool handshake(int fd);
  // Appends what the client says; false when it has gone.
  bool receive(int fd, std::string& out);
  // The records that carry the bytes.
  [[nodiscard]] std::string sealed(const std::string& bytes);
  [[nodiscard]] std::string peer_name() const;

 private:
  bool take_from(int fd);
  bool send_to(int fd);
  std::string outgoing();

  std::shared_ptr<FakeTlsContext> context_;
  SSL* ssl_;
  BIO* in_;   // owned by ssl_
  BIO* out_;  // owned by ssl_
  bool ready_ = false;
};

}  // namespace muster::kube::test
