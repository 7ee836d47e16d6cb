// OpenSSL set up from files (server) and from PEM texts (client). Owning pointers for its objects.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/server.h"

namespace muster::http {

struct SslFree {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
template <typename T>
using SslPtr = std::unique_ptr<T, SslFree>;

// TLS 1.2 and newer; with client_ca_file set, callers must show a certificate of that CA. kInvalid names the
// file that cannot be used, by its key in the configuration, and says why.
[[nodiscard]] Result<SslPtr<SSL_CTX>> server_tls_context(const ServerTls& files);

// The server's context, read anew when one of its files has changed, so that a rotated certificate is used
// without a restart. Files that cannot be used leave the last good context in place, with a warning. Looks at
// the files at most once a second. One thread.
class ServerTlsSource {
 public:
  // kInvalid as server_tls_context().
  [[nodiscard]] static Result<std::unique_ptr<ServerTlsSource>> open(ServerTls files);
  // Valid until the next call; connections made from it keep it alive.
  [[nodiscard]] SSL_CTX* current(std::chrono::steady_clock::time_point now);

 private:
  // What tells one version of a file from the next; a mounted secret is exchanged by a link.
  using Version = std::vector<int64_t>;

  explicit ServerTlsSource(ServerTls files) : files_(std::move(files)) {}
  [[nodiscard]] Version version() const;

  ServerTls files_;
  Version seen_;
  Version warned_;
  std::chrono::steady_clock::time_point next_look_{};
  SslPtr<SSL_CTX> context_;
};

// Its subject's name in one line, as RFC 2253 has it: "CN=system:kube-scheduler,O=…".
[[nodiscard]] std::string subject_of(const X509& certificate);

// One or more certificates. `what` names the text in the error.
[[nodiscard]] Result<std::vector<SslPtr<X509>>> certificates_from_pem(const std::string& pem,
                                                                      const char* what);
[[nodiscard]] Result<SslPtr<X509_STORE>> store_from_pem(const std::string& pem, const char* what);
[[nodiscard]] Result<SslPtr<EVP_PKEY>> key_from_pem(const std::string& pem, const char* what);

// OpenSSL's first queued error in words, and an empty queue after it.
[[nodiscard]] std::string take_ssl_error();

// Writes to a peer that has gone must be errors, not the end of the process: OpenSSL writes without
// MSG_NOSIGNAL. Leaves a handler of the program's own alone.
void ignore_sigpipe();

}  // namespace muster::http
