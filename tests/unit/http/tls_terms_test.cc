// What the server agrees to in a handshake and behind it, and which files it goes by.
#include <catch2/catch.hpp>
#include <string>

#include "http/server.h"
#include "http/tls.h"
#include "support/certificates.h"
#include "support/raw_socket.h"

namespace muster::http {
namespace {

using namespace std::chrono_literals;
using test::Authority;
using test::Certificate;
using test::TempDir;

ServerTls own_files(const TempDir& dir, const Certificate& own) {
  return {dir.file("tls.crt", own.cert_pem), dir.file("tls.key", own.key_pem), {}, {}};
}

struct Greeter {
  Greeter() : server(options()) {
    server.route("GET", "/hello", [](const Request&) {
      Response response;
      response.body = "hello";
      return response;
    });
    port = server.start().value();
  }
  ServerOptions options() {
    ServerOptions out;
    out.io_timeout = 30s;
    out.tls = own_files(dir, Authority("test authority").issue("muster", "IP:127.0.0.1"));
    return out;
  }
  TempDir dir;
  Server server;
  uint16_t port = 0;
};

// A connection of a client that speaks one version only; its handshake is over.
struct Caller {
  Caller(uint16_t port, int version) : context(SSL_CTX_new(TLS_client_method())), socket(port) {
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    ssl.reset(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket.fd());
    REQUIRE(SSL_connect(ssl.get()) == 1);
  }
  std::string call() {
    const std::string request = "GET /hello HTTP/1.1\r\n\r\n";
    SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
    std::string got;
    char piece[4096];
    while (got.find("hello") == std::string::npos) {
      int count = SSL_read(ssl.get(), piece, sizeof piece);
      if (count <= 0) break;
      got.append(piece, static_cast<std::size_t>(count));
    }
    (void)take_ssl_error();
    return got;
  }

  SslPtr<SSL_CTX> context;
  test::RawSocket socket;
  SslPtr<SSL> ssl;
};

TEST_CASE("tls: nothing older than TLS 1.2 is spoken, even where the system's policy would allow it") {
  TempDir dir;
  auto context =
      server_tls_context(own_files(dir, Authority("test authority").issue("muster", "IP:127.0.0.1"))).value();
  CHECK(SSL_CTX_get_min_proto_version(context.get()) == TLS1_2_VERSION);
}

TEST_CASE("tls: no session can be resumed") {
  Greeter greeter;
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Caller caller(greeter.port, version);
    CHECK(caller.call().find("200 OK") != std::string::npos);
    CHECK(SSL_SESSION_is_resumable(SSL_get0_session(caller.ssl.get())) == 0);
  }
}

TEST_CASE("tls: a caller that wants to negotiate anew is refused") {
  Greeter greeter;
  Caller caller(greeter.port, TLS1_2_VERSION);
  REQUIRE(SSL_renegotiate(caller.ssl.get()) == 1);
  CHECK(SSL_do_handshake(caller.ssl.get()) != 1);
  (void)take_ssl_error();
}

TEST_CASE("tls: the files are looked at once a second at most") {
  Authority authority("test authority");
  TempDir dir;
  auto source = ServerTlsSource::open(own_files(dir, authority.issue("muster", ""))).value();
  const auto begin = std::chrono::steady_clock::now();
  SSL_CTX* before = source->current(begin);
  (void)own_files(dir, authority.issue("another muster", ""));
  CHECK(source->current(begin + 999ms) == before);
  SSL_CTX* after = source->current(begin + 1s);
  CHECK(after != before);
  CHECK(source->current(begin + 3s) == after);
}

TEST_CASE("tls: all certificates of certFile are shown, in their order") {
  Authority authority("test authority");
  TempDir dir;
  Certificate own = authority.issue("muster", "IP:127.0.0.1");
  own.cert_pem += authority.pem();
  ServerOptions options;
  options.tls = own_files(dir, own);
  Server server(options);
  Caller caller(server.start().value(), TLS1_3_VERSION);
  const STACK_OF(X509)* shown = SSL_get_peer_cert_chain(caller.ssl.get());
  REQUIRE(sk_X509_num(shown) == 2);
  CHECK(subject_of(*sk_X509_value(shown, 0)) == "CN=muster");
  CHECK(subject_of(*sk_X509_value(shown, 1)) == "CN=test authority");
}

}  // namespace
}  // namespace muster::http
