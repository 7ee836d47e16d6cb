// Certificates made in the test: an authority, and server or client certificates of it.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "http/tls.h"

namespace muster::test {

struct Certificate {
  std::string cert_pem;
  std::string key_pem;
};

enum class KeyKind { kP256, kRsa2048 };

class Authority {
 public:
  // All keys, its own and those of its certificates, are of the kind.
  explicit Authority(const std::string& name, KeyKind kind = KeyKind::kP256) : kind_(kind), key_(new_key()) {
    cert_.reset(make(name, key_.get(), "critical,CA:TRUE", ""));
  }

  [[nodiscard]] std::string pem() const {
    return text([&](BIO* out) { PEM_write_bio_X509(out, cert_.get()); });
  }

  // san such as "DNS:muster,IP:127.0.0.1". Expired: its time was over yesterday.
  [[nodiscard]] Certificate issue(const std::string& name, const std::string& san,
                                  bool expired = false) const {
    http::SslPtr<EVP_PKEY> key = new_key();
    http::SslPtr<X509> cert(make(name, key.get(), "critical,CA:FALSE", san, expired));
    Certificate out;
    out.cert_pem = text([&](BIO* bio) { PEM_write_bio_X509(bio, cert.get()); });
    out.key_pem = text(
        [&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    return out;
  }

 private:
  [[nodiscard]] http::SslPtr<EVP_PKEY> new_key() const {
    return http::SslPtr<EVP_PKEY>(kind_ == KeyKind::kP256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048));
  }

  template <typename Write>
  static std::string text(Write write) {
    http::SslPtr<BIO> bio(BIO_new(BIO_s_mem()));
    write(bio.get());
    char* data = nullptr;
    long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  static void extend(X509* cert, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (extension == nullptr) std::abort();
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }

  X509* make(const std::string& name, EVP_PKEY* key, const std::string& basic, const std::string& san,
             bool expired = false) const {
    static long serial = 1;
    X509* cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -2 * 86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), expired ? -86400 : 86400);
    X509_NAME* subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* issuer = cert_ ? cert_.get() : cert;
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    X509_set_pubkey(cert, key);
    extend(cert, issuer, NID_basic_constraints, basic);
    if (!san.empty()) extend(cert, issuer, NID_subject_alt_name, san);
    X509_sign(cert, key_.get(), EVP_sha256());
    return cert;
  }

  KeyKind kind_;
  http::SslPtr<EVP_PKEY> key_;
  http::SslPtr<X509> cert_;
};

// A directory that goes with the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = std::filesystem::temp_directory_path() / "muster-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  // Writes the file and returns its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name) << content;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace muster::test
