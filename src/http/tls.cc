#include "http/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <system_error>

#include "base/log.h"
#include "http/fd.h"

namespace muster::http {
namespace {

using Names = std::vector<std::string>;

std::string text_of(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

// CN, DNS names, URIs.
Names names_of(X509* certificate) {
  Names out;
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
    out.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  auto* others =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(others); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(others, i);
    if (name->type == GEN_DNS) out.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_URI) out.push_back(text_of(name->d.uniformResourceIdentifier));
  }
  GENERAL_NAMES_free(others);
  return out;
}

void free_names(void*, void* names, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Names*>(names); }

// Where a context keeps the names it lets in.
int names_slot() {
  static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_names);
  return slot;
}

// Behind OpenSSL's own checks, for the caller's certificate and each above it.
int check_names(int good_so_far, X509_STORE_CTX* store) {
  if (good_so_far != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return good_so_far;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* wanted = static_cast<Names*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), names_slot()));
  Names shown = names_of(X509_STORE_CTX_get_current_cert(store));
  if (std::find_first_of(shown.begin(), shown.end(), wanted->begin(), wanted->end()) != shown.end()) return 1;
  log_warning("http: a caller is refused: none of its certificate's names ({}) is in clientNames",
              fmt::join(shown, ", "));
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

// Of a file that cannot be read OpenSSL tells a number at most.
tl::unexpected<Error> unusable(std::string_view key, const std::string& file, std::string_view wanted) {
  const std::string words = take_ssl_error();
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  char first = 0;
  if (opened.get() < 0 || ::read(opened.get(), &first, 1) < 0) {
    return invalid("{} {}: {}", key, file, std::system_category().message(errno));
  }
  return invalid("{} {}: no usable PEM {}: {}", key, file, wanted, words);
}

}  // namespace

std::string take_ssl_error() {
  unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown TLS error";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("TLS error {:#x}", code);
}

void ignore_sigpipe() {
  struct sigaction now = {};
  if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

Result<SslPtr<SSL_CTX>> server_tls_context(const ServerTls& files) {
  ERR_clear_error();
  SslPtr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(ErrorCode::kInternal, "tls: {}", take_ssl_error());
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  // No resumption: kube-scheduler keeps its connections, and a session would outlive its certificate's CA.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(ctx, 0);
  // A waiting bind call must not keep 34 KB of record buffers.
  SSL_CTX_set_mode(
      ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // What certFile holds is the chain. OpenSSL would look in clientCAFile for more of it in every handshake,
  // check a signature for that, and send the CA's certificate to callers that have it.
  SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);

  if (SSL_CTX_use_certificate_chain_file(ctx, files.cert_file.c_str()) != 1) {
    return unusable("server.tls.certFile", files.cert_file, "certificate");
  }
  const bool key = SSL_CTX_use_PrivateKey_file(ctx, files.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  const unsigned long error = ERR_peek_error();
  const bool stranger =
      ERR_GET_LIB(error) == ERR_LIB_X509 && ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH;
  if (stranger || (key && SSL_CTX_check_private_key(ctx) != 1)) {
    return invalid("server.tls.keyFile {} does not belong to server.tls.certFile {}", files.key_file,
                   files.cert_file);
  }
  if (!key) return unusable("server.tls.keyFile", files.key_file, "private key");
  if (files.client_ca_file.empty()) return context;

  if (SSL_CTX_load_verify_file(ctx, files.client_ca_file.c_str()) != 1) {
    return unusable("server.tls.clientCAFile", files.client_ca_file, "certificate");
  }
  SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(files.client_ca_file.c_str()));
  bool any_name = files.client_names.empty();
  if (!any_name) SSL_CTX_set_ex_data(ctx, names_slot(), new Names(files.client_names));
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     any_name ? nullptr : &check_names);
  return context;
}

Result<std::unique_ptr<ServerTlsSource>> ServerTlsSource::open(ServerTls files) {
  std::unique_ptr<ServerTlsSource> source(new ServerTlsSource(std::move(files)));
  source->seen_ = source->version();
  auto context = server_tls_context(source->files_);
  if (!context) return tl::unexpected(context.error());
  source->context_ = *std::move(context);
  return source;
}

ServerTlsSource::Version ServerTlsSource::version() const {
  Version out;
  for (const std::string* name : {&files_.cert_file, &files_.key_file, &files_.client_ca_file}) {
    struct stat file = {};
    if (name->empty() || ::stat(name->c_str(), &file) != 0) continue;
    out.insert(out.end(),
               {static_cast<int64_t>(file.st_ino), file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec});
  }
  return out;
}

SSL_CTX* ServerTlsSource::current(std::chrono::steady_clock::time_point now) {
  if (now < next_look_) return context_.get();
  next_look_ = now + std::chrono::seconds(1);
  Version found = version();
  if (found == seen_) return context_.get();
  auto context = server_tls_context(files_);
  // Half of a pair that is being written is no reason to remember it: the next look tries again.
  if (!context) {
    if (found != warned_) log_warning("http: the certificate stays as it was: {}", context.error().message);
    warned_ = std::move(found);
    return context_.get();
  }
  seen_ = std::move(found);
  context_ = *std::move(context);
  log_info("http: certificate {} read anew", files_.cert_file);
  return context_.get();
}

std::string subject_of(const X509& certificate) {
  SslPtr<BIO> out(BIO_new(BIO_s_mem()));
  constexpr unsigned long kUtf8 = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, kUtf8);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Result<std::vector<SslPtr<X509>>> certificates_from_pem(const std::string& pem, const char* what) {
  ERR_clear_error();
  SslPtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<SslPtr<X509>> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  // The text's end shows as «no start line»; anything else is a broken certificate behind good ones.
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() || !at_end)
    return invalid("{}: no usable PEM certificate: {}", what, take_ssl_error());
  ERR_clear_error();
  return certificates;
}

Result<SslPtr<X509_STORE>> store_from_pem(const std::string& pem, const char* what) {
  auto certificates = certificates_from_pem(pem, what);
  if (!certificates) return tl::unexpected(certificates.error());
  SslPtr<X509_STORE> store(X509_STORE_new());
  for (const auto& certificate : *certificates) {
    if (X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return invalid("{}: {}", what, take_ssl_error());
    }
  }
  return store;
}

Result<SslPtr<EVP_PKEY>> key_from_pem(const std::string& pem, const char* what) {
  ERR_clear_error();
  SslPtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // An empty passphrase instead of OpenSSL's prompt on the terminal.
  auto no_passphrase = [](char*, int, int, void*) { return 0; };
  SslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return invalid("{}: no usable PEM private key: {}", what, take_ssl_error());
  return key;
}

}  // namespace muster::http
