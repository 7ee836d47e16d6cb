// What broken and hostile callers must not do.
#include <thread>
#include <vector>

#include "http/memory.h"
#include "running_extender.h"
#include "support/abusers.h"
#include "support/certificates.h"
#include "support/raw_socket.h"

namespace muster::extender {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using std::chrono::steady_clock;
using test::RawSocket;

// Another caller is served as if nothing had happened.
void require_alive(const RunningExtender& extender) {
  auto reply = extender.client()->call("POST", "/filter", {}, filter_body("train", 3), "application/json");
  REQUIRE(reply);
  REQUIRE(reply->status == 200);
  REQUIRE_THAT(reply->body, Contains(R"("NodeNames":["node-1"])"));
}

TEST_CASE("extender: a chunked body of 100 MB is answered 413 and never held in memory") {
  http::ServerOptions options = with_timeout(30s);
  options.max_body_bytes = 8u << 20;
  RunningExtender extender(options);
  double before = resident_mib();
  RawSocket socket(extender.port);
  socket.send("POST /filter HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  int sent = 0;
  while (sent < 1600 && socket.send(chunk)) ++sent;
  std::string got = socket.receive_until("}");
  CHECK_THAT(got, StartsWith("HTTP/1.1 413"));
  CHECK_THAT(got, Contains(R"({"error":"body longer than 8388608 bytes"})"));
  if (!kSanitized) CHECK(resident_mib() - before < 40);
  require_alive(extender);
}

TEST_CASE("extender: an announced body of 100 MB is refused before a byte of it is read") {
  RunningExtender extender;
  RawSocket socket(extender.port);
  socket.send("POST /filter HTTP/1.1\r\nContent-Length: 104857600\r\n\r\n");
  CHECK_THAT(socket.receive_until("}"),
             Contains(R"({"error":"body of 104857600 bytes is longer than 16777216"})"));
  require_alive(extender);
}

TEST_CASE("extender: endless chunk sizes and extensions are cut off") {
  http::ServerOptions options = with_timeout(30s);
  options.max_body_bytes = 1u << 20;
  RunningExtender extender(options);
  double before = resident_mib();
  for (const char* filler : {"0", "x"}) {
    RawSocket socket(extender.port);
    socket.send("POST /filter HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;");
    std::string piece(65536, filler[0]);
    int sent = 0;
    while (sent < 3000 && socket.send(piece)) ++sent;
    CHECK_THAT(socket.receive_until("}"), StartsWith("HTTP/1.1 400"));
  }
  if (!kSanitized) CHECK(resident_mib() - before < 40);
  require_alive(extender);
}

TEST_CASE("extender: compressed bodies are refused with 415") {
  RunningExtender extender;
  RawSocket socket(extender.port);
  socket.send("POST /filter HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
  CHECK_THAT(socket.receive_until("}"), StartsWith("HTTP/1.1 415"));
  require_alive(extender);
}

TEST_CASE("extender: heads without end, with a thousand headers or one of a megabyte are refused with 431") {
  RunningExtender extender;
  std::string thousand = "POST /filter HTTP/1.1\r\n";
  for (int i = 0; i < 1000; ++i) thousand += "X-" + std::to_string(i) + ": v\r\n";
  for (const std::string& head :
       {thousand + "\r\n", "GET /healthz HTTP/1.1\r\nX: " + std::string(1 << 20, 'x') + "\r\n\r\n",
        "GET /" + std::string(1 << 20, 'x')}) {
    RawSocket socket(extender.port);
    socket.send(head);
    CHECK_THAT(socket.receive_until("}"), StartsWith("HTTP/1.1 431"));
  }
  require_alive(extender);
}

TEST_CASE("extender: a head or a body that trickles is given up in time, and holds up nobody") {
  RunningExtender extender(with_timeout(1s));
  std::vector<RawSocket> slow_heads;
  std::vector<RawSocket> slow_bodies;
  for (int i = 0; i < 100; ++i) {
    slow_heads.emplace_back(extender.port);
    slow_heads.back().send("POST /filter HTTP/1.1\r\nX: ");
    slow_bodies.emplace_back(extender.port);
    slow_bodies.back().send("POST /filter HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  }
  require_alive(extender);
  auto begin = steady_clock::now();
  bool open = true;
  while (open && steady_clock::now() - begin < 30s) {
    std::this_thread::sleep_for(100ms);
    open = slow_heads[0].send("x") && slow_heads[0].receive_until("never", 1ms).empty() &&
           !slow_heads[0].closed_by_peer();
  }
  CHECK(steady_clock::now() - begin < 25s);
  for (auto& socket : slow_heads) {
    socket.receive_all();
    REQUIRE(socket.closed_by_peer());
  }
  for (auto& socket : slow_bodies) {
    REQUIRE_THAT(socket.receive_all(), StartsWith("HTTP/1.1 400"));
    REQUIRE(socket.closed_by_peer());
  }
  require_alive(extender);
}

TEST_CASE("extender: half-open and vanished peers leave nothing behind") {
  RunningExtender extender;
  {
    RawSocket vanished(extender.port);
    vanished.send("POST /filter HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  }
  RawSocket half(extender.port);
  half.send("POST /filter HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  half.end_sending();
  CHECK_THAT(half.receive_all(), StartsWith("HTTP/1.1 400"));
  RawSocket answered(extender.port);
  answered.send("GET /healthz HTTP/1.1\r\n\r\n");
  answered.end_sending();
  CHECK_THAT(answered.receive_all(), Contains("ok\n"));
  require_alive(extender);
  auto begin = steady_clock::now();
  extender.server.stop(20s);
  CHECK(steady_clock::now() - begin < 15s);
}

TEST_CASE("extender: a caller that does not read its reply is given up") {
  RunningExtender extender(with_timeout(1s));
  std::string body = filter_body("", 200'000);
  {
    RawSocket socket(extender.port);
    for (int i = 0; i < 20; ++i) {
      if (!socket.send("POST /filter HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body))
        break;
    }
  }
  require_alive(extender);
  extender.server.stop(10s);
}

TEST_CASE("extender: garbage is answered 400 at once") {
  RunningExtender extender;
  unsigned seed = 1;
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    for (int i = 0; i < 200; ++i) {
      seed = seed * 1664525u + 1013904223u;
      bytes += static_cast<char>(seed >> 24);
    }
    RawSocket socket(extender.port);
    socket.send(bytes);
    socket.end_sending();
    socket.receive_all();
    REQUIRE(socket.closed_by_peer());
  }
  RawSocket socket(extender.port);
  socket.send("\x16\x03\x01\x02");
  CHECK_THAT(socket.receive_all(), StartsWith("HTTP/1.1 400"));
  require_alive(extender);
}

TEST_CASE("extender: smuggled requests are refused") {
  RunningExtender extender;
  for (const char* head :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: xchunked\r\n", "Content-Length: +3\r\n"}) {
    RawSocket socket(extender.port);
    socket.send("POST /filter HTTP/1.1\r\n" + std::string(head) + "\r\nabcGET /metrics HTTP/1.1\r\n\r\n");
    std::string got = socket.receive_all();
    CHECK_THAT(got, !Contains("muster_up"));
    CHECK_THAT(got, !StartsWith("HTTP/1.1 200"));
  }
  RawSocket get_with_body(extender.port);
  get_with_body.send("GET /healthz HTTP/1.1\r\nContent-Length: 28\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n    ");
  CHECK_THAT(get_with_body.receive_all(), StartsWith("HTTP/1.1 400") && !Contains("muster_up"));
}

TEST_CASE("extender: paths and ranges that break regular expressions are just text") {
  RunningExtender extender;
  RawSocket socket(extender.port);
  socket.send("GET /" + std::string(8000, 'a') + " HTTP/1.1\r\n\r\n");
  CHECK_THAT(socket.receive_until("}"), StartsWith("HTTP/1.1 404"));
  socket.forget();
  std::string range = "bytes=0-0";
  for (int i = 0; i < 2000; ++i) range += ",0-0";
  socket.send("GET /healthz HTTP/1.1\r\nRange: " + range + "\r\nRemote_Addr: 6.6.6.6\r\n\r\n");
  CHECK_THAT(socket.receive_until("ok\n"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("extender: unknown verbs and wrong methods get 404 and 405") {
  RunningExtender extender;
  auto client = extender.client();
  CHECK(client->call("POST", "/prioritize", {}, "{}", "application/json").value().status == 404);
  CHECK(client->call("POST", "/filter/", {}, "{}", "application/json").value().status == 404);
  auto reply = client->call("GET", "/filter", {}, "", "").value();
  CHECK(reply.status == 405);
  CHECK(reply.headers["allow"] == "POST");
  CHECK(client->call("POST", "/metrics", {}, "", "").value().status == 405);
}

TEST_CASE("extender: bodies that are no call get 400 with field and value") {
  RunningExtender extender;
  auto client = extender.client();
  struct Case {
    const char* path;
    std::string body;
    const char* message;
  };
  std::vector<Case> cases = {
      {"/filter", "", "filter: not JSON"},
      {"/filter", "{", "filter: not JSON"},
      {"/filter", "null", "filter: not JSON"},
      {"/filter", R"({"Pod":{"metadata":{"name":5}},"NodeNames":[]})",
       "Pod.metadata.name is 5, not a string"},
      {"/filter", std::string(100'000, '['), "filter: not JSON"},
      {"/bind", R"({"PodName":"p"})", "bind: PodNamespace is missing"},
      {"/preempt", R"({"Pod":{},"NodeNameToMetaVictims":{}})", "preempt: Pod.metadata.name is missing"},
  };
  for (const Case& one : cases) {
    auto reply = client->call("POST", one.path, {}, one.body, "application/json");
    REQUIRE(reply);
    CHECK(reply->status == 400);
    CHECK_THAT(reply->body, StartsWith("{\"Error\":") && Contains(one.message));
  }
  require_alive(extender);
}

TEST_CASE("extender: a call that says it is no JSON gets 415 with the type it names") {
  RunningExtender extender;
  auto client = extender.client();
  for (const char* type : {"application/x-www-form-urlencoded", "text/plain; charset=utf-8",
                           "application/jsonx", "application/vnd.kubernetes.protobuf"}) {
    auto reply = client->call("POST", "/filter", {}, filter_body("", 3), type);
    REQUIRE(reply);
    CHECK(reply->status == 415);
    CHECK_THAT(reply->body,
               StartsWith("{\"Error\":\"muster: Content-Type is") && Contains("not application/json"));
  }
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/x+json"}) {
    auto reply = client->call("POST", "/filter", {}, filter_body("", 3), type);
    REQUIRE(reply);
    CHECK(reply->status == 200);
  }
}

TEST_CASE("extender: pages say how it is") {
  RunningExtender extender;
  auto client = extender.client();
  CHECK(client->call("GET", "/healthz", {}, "", "").value().body == "ok\n");
  CHECK(client->call("GET", "/readyz", {}, "", "").value().status == 503);
  extender.decisions.is_ready = true;
  CHECK(client->call("GET", "/readyz", {}, "", "").value().status == 200);
  auto metrics = client->call("GET", "/metrics", {}, "", "").value();
  CHECK(metrics.body == "muster_up 1\n");
  CHECK_THAT(metrics.headers["content-type"], StartsWith("text/plain"));
}

TEST_CASE(
    "extender: twenty abusers at once leave a well-behaved caller its answers and the server its memory") {
  http::tune_allocator();  // as the program does
  RunningExtender extender(with_timeout(2s));
  double before = resident_mib();
  test::Abusers crowd(extender.port, 20);
  auto client = extender.client();
  auto end = steady_clock::now() + 4s;
  int calls = 0;
  while (steady_clock::now() < end || crowd.connections() < 500) {
    auto reply = client->call("POST", "/filter", {}, filter_body("train", 1000), "application/json");
    REQUIRE(reply);
    REQUIRE(reply->status == 200);
    ++calls;
    std::this_thread::sleep_for(5ms);
  }
  crowd.stop();
  CHECK(calls > 20);
  if (!kSanitized) CHECK(resident_mib() - before < 200);
  require_alive(extender);
  auto begin = steady_clock::now();
  extender.server.stop(20s);
  CHECK(steady_clock::now() - begin < 15s);
}

TEST_CASE("extender: with mutual TLS only callers with a certificate reach the verbs") {
  test::Authority authority("muster test authority");
  test::TempDir dir;
  test::Certificate own = authority.issue("muster", "IP:127.0.0.1");
  http::ServerOptions options = with_timeout(30s);
  options.tls = {dir.file("tls.crt", own.cert_pem), dir.file("tls.key", own.key_pem),
                 dir.file("ca.crt", authority.pem())};
  RunningExtender extender(options);
  http::ClientOptions caller;
  caller.base_url = "https://127.0.0.1:" + std::to_string(extender.port);
  caller.ca_pem = authority.pem();
  auto stranger = http::Client::create(caller).value()->call("GET", "/healthz", {}, "", "");
  REQUIRE(!stranger);
  CHECK(stranger.error().code == ErrorCode::kUnavailable);

  test::Certificate shown = authority.issue("kube-scheduler", "");
  caller.client_cert_pem = shown.cert_pem;
  caller.client_key_pem = shown.key_pem;
  auto client = http::Client::create(caller).value();
  auto reply = client->call("POST", "/filter", {}, filter_body("train", 5000), "application/json");
  REQUIRE(reply);
  CHECK_THAT(reply->body, Contains(R"("NodeNames":["node-1"])"));
  // The server's stop sends its end to TLS connections too.
  auto begin = steady_clock::now();
  extender.server.stop(20s);
  CHECK(steady_clock::now() - begin < 15s);
}

}  // namespace
}  // namespace muster::extender
