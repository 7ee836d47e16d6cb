#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "http/server.h"
#include "support/certificates.h"
#include "support/raw_socket.h"

namespace muster::http {
namespace {

using Catch::Matchers::Contains;
using test::Authority;
using test::Certificate;
using test::TempDir;
using namespace std::chrono_literals;

struct TlsServer {
  explicit TlsServer(const Authority& authority, bool mutual = false,
                     const char* san = "IP:127.0.0.1,DNS:muster.test", bool expired = false,
                     std::chrono::seconds io_timeout = 30s) {
    Certificate own = authority.issue("muster", san, expired);
    ServerOptions options;
    options.io_timeout = io_timeout;
    options.tls.cert_file = dir.file("tls.crt", own.cert_pem);
    options.tls.key_file = dir.file("tls.key", own.key_pem);
    if (mutual) options.tls.client_ca_file = dir.file("ca.crt", authority.pem());
    server = std::make_unique<Server>(options);
    server->route("POST", "/echo", [](const Request& request) {
      Response response;
      response.body = request.body;
      return response;
    });
    server->route("POST", "/who", [](const Request& request) {
      Response response;
      response.body = request.caller;
      return response;
    });
    port = server->start().value();
  }
  [[nodiscard]] ClientOptions options() const {
    ClientOptions out;
    out.base_url = "https://127.0.0.1:" + std::to_string(port);
    return out;
  }

  TempDir dir;
  std::unique_ptr<Server> server;
  uint16_t port = 0;
};

Result<Reply> echo(const ClientOptions& options, const std::string& body = "hi") {
  auto client = Client::create(options);
  if (!client) return tl::unexpected(client.error());
  return (*client)->call("POST", "/echo", {}, body, "text/plain");
}

// OpenSSL's system store is this file as long as this lives.
class SystemAuthorities {
 public:
  explicit SystemAuthorities(const std::string& file) {
    if (const char* before = std::getenv(kName)) before_ = before;
    ::setenv(kName, file.c_str(), 1);
  }
  ~SystemAuthorities() {
    if (before_) {
      ::setenv(kName, before_->c_str(), 1);
    } else {
      ::unsetenv(kName);
    }
  }
  SystemAuthorities(const SystemAuthorities&) = delete;
  SystemAuthorities& operator=(const SystemAuthorities&) = delete;

 private:
  static constexpr const char* kName = "SSL_CERT_FILE";
  std::optional<std::string> before_;
};

TEST_CASE("tls: calls and large bodies go both ways over one connection") {
  Authority authority("test authority");
  TlsServer server(authority);
  ClientOptions options = server.options();
  options.ca_pem = authority.pem();
  auto client = Client::create(options).value();
  for (std::size_t size : {1u, 100'000u, 5'000'000u}) {
    auto reply = client->call("POST", "/echo", {}, std::string(size, 'x'), "text/plain");
    REQUIRE(reply);
    CHECK(reply->body.size() == size);
  }
}

TEST_CASE("tls: a server of another authority, for another name or expired is refused, and told why") {
  Authority authority("test authority");
  Authority other("other authority");
  TlsServer server(authority);
  ClientOptions options = server.options();
  options.ca_pem = other.pem();
  CHECK_THAT(echo(options).error().message, Contains("not accepted"));
  CHECK(echo(options).error().code == ErrorCode::kUnavailable);
  options.ca_pem.clear();
  CHECK_THAT(echo(options).error().message, Contains("not accepted"));

  TlsServer elsewhere(authority, false, "IP:127.0.0.2,DNS:muster.test");
  options = elsewhere.options();
  options.ca_pem = authority.pem();
  CHECK_THAT(echo(options).error().message, Contains("not for this name"));
  options.server_name = "muster.test";
  CHECK(echo(options).value().body == "hi");
  options.server_name = "wrong.test";
  CHECK_THAT(echo(options).error().message, Contains("not for this name"));
  options.insecure_skip_verify = true;
  CHECK(echo(options).value().body == "hi");

  TlsServer late(authority, false, "IP:127.0.0.1", true);
  options = late.options();
  options.ca_pem = authority.pem();
  CHECK_THAT(echo(options).error().message, Contains("expired"));
}

TEST_CASE("tls: with a CA given the system's authorities are not trusted, without one they are") {
  Authority system("system authority");
  Authority given("given authority");
  TlsServer server(system);
  TempDir dir;
  const SystemAuthorities found(dir.file("system.crt", system.pem()));
  ClientOptions options = server.options();
  CHECK(echo(options).value().body == "hi");
  options.ca_pem = given.pem();
  const auto reply = echo(options);
  REQUIRE_FALSE(reply);
  CHECK_THAT(reply.error().message, Contains("not accepted"));
}

TEST_CASE("tls: with a client CA, callers without a certificate of it are refused") {
  Authority authority("test authority");
  Authority other("other authority");
  TlsServer server(authority, true);
  ClientOptions options = server.options();
  options.ca_pem = authority.pem();
  CHECK(echo(options).error().code == ErrorCode::kUnavailable);

  Certificate wrong = other.issue("kube-scheduler", "");
  options.client_cert_pem = wrong.cert_pem;
  options.client_key_pem = wrong.key_pem;
  CHECK(echo(options).error().code == ErrorCode::kUnavailable);

  Certificate right = authority.issue("kube-scheduler", "");
  options.client_cert_pem = right.cert_pem;
  options.client_key_pem = right.key_pem;
  CHECK(echo(options).value().body == "hi");
}

TEST_CASE("tls: the server shows the certificates of certFile and none of clientCAFile") {
  Authority authority("test authority");
  TlsServer server(authority, true);
  Certificate own = authority.issue("kube-scheduler", "");
  SslPtr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  auto certificate = certificates_from_pem(own.cert_pem, "own").value();
  REQUIRE(SSL_CTX_use_certificate(context.get(), certificate.front().get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key_from_pem(own.key_pem, "own").value().get()) == 1);
  test::RawSocket socket(server.port);
  SslPtr<SSL> ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), socket.fd());
  REQUIRE(SSL_connect(ssl.get()) == 1);
  CHECK(sk_X509_num(SSL_get_peer_cert_chain(ssl.get())) == 1);
}

TEST_CASE("tls: the caller is the subject of the certificate it has shown, in one line") {
  Authority authority("test authority");
  TlsServer server(authority, true);
  ClientOptions options = server.options();
  options.ca_pem = authority.pem();
  Certificate shown = authority.issue("system:kube-scheduler\nwho, \xc3\xbc", "");
  options.client_cert_pem = shown.cert_pem;
  options.client_key_pem = shown.key_pem;
  auto client = Client::create(options).value();
  for (int call = 0; call < 2; ++call) {
    CHECK(client->call("POST", "/who", {}, "", "").value().body ==
          "CN=system:kube-scheduler\\0Awho\\, \xc3\xbc");
  }
}

TEST_CASE("tls: with names, of the client CA's certificates only those that bear one are let in") {
  Authority authority("test authority");
  test::TempDir dir;
  Certificate own = authority.issue("muster", "IP:127.0.0.1");
  ServerOptions server_options;
  server_options.io_timeout = 30s;
  server_options.tls = {dir.file("tls.crt", own.cert_pem),
                        dir.file("tls.key", own.key_pem),
                        dir.file("ca.crt", authority.pem()),
                        {"system:kube-scheduler", "spiffe://cluster/scheduler"}};
  Server server(server_options);
  server.route("POST", "/echo", [](const Request&) { return Response(); });
  ClientOptions options;
  options.base_url = "https://127.0.0.1:" + std::to_string(server.start().value());
  options.ca_pem = authority.pem();
  auto let_in = [&](const Certificate& shown) {
    options.client_cert_pem = shown.cert_pem;
    options.client_key_pem = shown.key_pem;
    return echo(options).has_value();
  };
  CHECK(let_in(authority.issue("system:kube-scheduler", "")));
  CHECK(let_in(authority.issue("anything", "DNS:other,URI:spiffe://cluster/scheduler")));
  CHECK(let_in(authority.issue("anything", "DNS:system.example,DNS:x,URI:spiffe://cluster/scheduler")));
  CHECK(!let_in(authority.issue("system:kube-scheduler-2", "")));
  CHECK(!let_in(authority.issue("system:kube", "DNS:other,URI:spiffe://cluster/scheduler/x")));
  CHECK(!let_in(authority.issue("x", "email:system@kube-scheduler,IP:127.0.0.1")));
  CHECK(!let_in(Authority("other authority").issue("system:kube-scheduler", "")));
}

TEST_CASE("tls: TLS 1.1 is refused, 1.2 and 1.3 are spoken") {
  Authority authority("test authority");
  TlsServer server(authority);
  auto speaks = [&](int version) {
    SslPtr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context.get(), 0);  // this side would offer it
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    test::RawSocket socket(server.port);
    SslPtr<SSL> ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket.fd());
    bool ok = SSL_connect(ssl.get()) == 1;
    (void)take_ssl_error();
    return ok;
  };
  CHECK(!speaks(TLS1_1_VERSION));
  CHECK(speaks(TLS1_2_VERSION));
  CHECK(speaks(TLS1_3_VERSION));
}

TEST_CASE("tls: a record that is cut, and one that trickles, end the connection and hold up nobody") {
  Authority authority("test authority");
  TlsServer server(authority, false, "IP:127.0.0.1", false, 2s);
  ClientOptions options = server.options();
  options.ca_pem = authority.pem();
  // A connection after its handshake, to be broken in its raw bytes.
  auto connected = [&](test::RawSocket& socket) {
    SslPtr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
    SslPtr<SSL> ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket.fd());
    REQUIRE(SSL_connect(ssl.get()) == 1);
    return ssl;
  };
  test::RawSocket cut(server.port);
  auto cut_ssl = connected(cut);
  const std::string half = "POST /echo HTTP/1.1\r\nContent-Length: 100\r\n\r\n{";
  REQUIRE(SSL_write(cut_ssl.get(), half.data(), static_cast<int>(half.size())) > 0);
  cut.send(std::string("\x17\x03\x03\x00\x50", 5) + "only a part of it");
  cut.end_sending();

  test::RawSocket slow(server.port);
  auto slow_ssl = connected(slow);
  slow.send(std::string("\x17\x03\x03\x40\x00", 5));
  test::RawSocket slow_handshake(server.port);
  slow_handshake.send(std::string("\x16\x03\x01\x02\x00", 5));

  CHECK(echo(options).value().body == "hi");
  CHECK(!cut.receive_all().empty());
  CHECK(cut.closed_by_peer());
  auto begin = std::chrono::steady_clock::now();
  bool open = true;
  while (open && std::chrono::steady_clock::now() - begin < 10s) {
    std::this_thread::sleep_for(100ms);
    bool one = slow.send("x");
    open = slow_handshake.send("x") || one;
  }
  CHECK(!open);
  slow.receive_all();
  CHECK(slow.closed_by_peer());
  slow_handshake.receive_all();
  CHECK(slow_handshake.closed_by_peer());
  CHECK(echo(options).value().body == "hi");
}

TEST_CASE("tls: certificates are exchanged while calls go on, and none of them fails") {
  Authority authority("test authority");
  TlsServer server(authority);
  ClientOptions options = server.options();
  options.ca_pem = authority.pem();
  std::atomic<bool> stop = false;
  std::atomic<int> calls = 0;
  std::atomic<int> failures = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        if (!echo(options)) ++failures;
        ++calls;
      }
    });
  }
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(700ms);
    Certificate fresh = authority.issue("muster", "IP:127.0.0.1");
    // For a moment they do not belong together.
    (void)server.dir.file("tls.crt", fresh.cert_pem);
    std::this_thread::sleep_for(600ms);
    (void)server.dir.file("tls.key", fresh.key_pem);
  }
  stop = true;
  for (auto& caller : callers) caller.join();
  CHECK(calls > 0);
  CHECK(failures == 0);
}

TEST_CASE("tls: plain HTTP on a TLS port and silence during the handshake end the connection") {
  Authority authority("test authority");
  TlsServer server(authority, false, "IP:127.0.0.1", false, 2s);
  test::RawSocket plain(server.port);
  plain.send("GET / HTTP/1.1\r\n\r\n");
  plain.receive_all();
  CHECK(plain.closed_by_peer());
  test::RawSocket silent(server.port);
  silent.send("\x16\x03\x01");
  silent.receive_all();
  CHECK(silent.closed_by_peer());
  test::RawSocket mute(server.port);
  mute.receive_all();
  CHECK(mute.closed_by_peer());
}

TEST_CASE("tls: a rotated certificate is used without a restart, a broken one leaves the old in place") {
  Authority old_authority("old authority");
  Authority new_authority("new authority");
  TlsServer server(old_authority);
  ClientOptions options = server.options();
  options.ca_pem = old_authority.pem();
  auto kept = Client::create(options).value();
  REQUIRE(kept->call("POST", "/echo", {}, "hi", "text/plain"));

  (void)server.dir.file("tls.crt", "half written");
  std::this_thread::sleep_for(1100ms);
  CHECK(echo(options).value().body == "hi");

  Certificate fresh = new_authority.issue("muster", "IP:127.0.0.1");
  (void)server.dir.file("tls.crt", fresh.cert_pem);
  (void)server.dir.file("tls.key", fresh.key_pem);
  std::this_thread::sleep_for(1100ms);
  CHECK(!echo(options));
  options.ca_pem = new_authority.pem();
  CHECK(echo(options).value().body == "hi");
  CHECK(kept->call("POST", "/echo", {}, "hi", "text/plain").value().body == "hi");
}

}  // namespace
}  // namespace muster::http
