#include "fake_tls.h"

#include <openssl/pem.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace muster::kube::test {
namespace {

void check(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "fake TLS: %s\n", what);
  std::abort();
}

X509* read_certificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  check(certificate != nullptr, "certificate");
  return certificate;
}

}  // namespace

FakeTlsContext::FakeTlsContext(const FakeTlsSettings& settings) : context_(SSL_CTX_new(TLS_server_method())) {
  X509* certificate = read_certificate(settings.cert_pem);
  check(SSL_CTX_use_certificate(context_, certificate) == 1, "use certificate");
  X509_free(certificate);
  BIO* bio = BIO_new_mem_buf(settings.key_pem.data(), static_cast<int>(settings.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  check(SSL_CTX_use_PrivateKey(context_, key) == 1, "use key");
  EVP_PKEY_free(key);
  if (settings.client_ca_pem.empty()) return;
  X509* authority = read_certificate(settings.client_ca_pem);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), authority);
  X509_free(authority);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

FakeTlsContext::~FakeTlsContext() { SSL_CTX_free(context_); }

FakeTls::FakeTls(std::shared_ptr<FakeTlsContext> context)
    : context_(std::move(context)),
      ssl_(SSL_new(context_->get())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_accept_state(ssl_);
}

FakeTls::~FakeTls() { SSL_free(ssl_); }

std::string FakeTls::outgoing() {
  std::string bytes(BIO_ctrl_pending(out_), '\0');
  if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

bool FakeTls::send_to(int fd) {
  const std::string bytes = outgoing();
  return bytes.empty() ||
         ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

bool FakeTls::take_from(int fd) {
  char block[16384];
  const auto n = ::recv(fd, block, sizeof block, 0);
  if (n <= 0) return false;
  BIO_write(in_, block, static_cast<int>(n));
  return true;
}

bool FakeTls::handshake(int fd) {
  while (!ready_) {
    const int result = SSL_do_handshake(ssl_);
    const int error = SSL_get_error(ssl_, result);
    if (!send_to(fd)) return false;
    if (result == 1) {
      ready_ = true;
    } else if (error != SSL_ERROR_WANT_READ || !take_from(fd)) {
      return false;
    }
  }
  return true;
}

bool FakeTls::receive(int fd, std::string& out) {
  for (;;) {
    char block[16384];
    const int n = SSL_read(ssl_, block, sizeof block);
    if (n > 0) {
      out.append(block, static_cast<std::size_t>(n));
      return true;
    }
    if (SSL_get_error(ssl_, n) != SSL_ERROR_WANT_READ || !send_to(fd) || !take_from(fd)) return false;
  }
}

std::string FakeTls::sealed(const std::string& bytes) {
  SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
  return outgoing();
}

std::string FakeTls::peer_name() const {
  X509* peer = SSL_get1_peer_certificate(ssl_);
  if (peer == nullptr) return "";
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof name);
  X509_free(peer);
  return name;
}

}  // namespace muster::kube::test
