// Whom the client of the API server trusts and what it tells whom: TLS and secrets.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/log.h"
#include "kube/client.h"
#include "kube/exec_plugin.h"
#include "moving_clock.h"
#include "support/certificates.h"
#include "watching.h"

namespace muster::kube::test {
namespace {

using muster::test::Authority;
using muster::test::Certificate;
using muster::test::TempDir;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

struct Pki {
  Authority authority{"api-ca"};
  Authority clients{"clients"};
  [[nodiscard]] FakeTlsSettings server(bool with_clients = false) const {
    const Certificate certificate = authority.issue("api", "IP:127.0.0.1");
    return {certificate.cert_pem, certificate.key_pem, with_clients ? clients.pem() : ""};
  }
};

std::shared_ptr<Credentials> trusting(const std::string& ca, const std::string& url, const Clock& clock) {
  Access access;
  access.server = url;
  access.ca.value = ca;
  return std::make_shared<Credentials>(access, clock, read_file);
}

TEST_CASE("hostile: a stream cut in the middle of a TLS record is resumed from the last whole event") {
  const Pki pki;
  std::mutex mutex;
  Words versions;
  std::atomic<int> watches{0};
  FakeApi api(
      [&](Exchange& x) {
        if (!x.is_watch()) return x.reply(200, list(10, {}));
        {
          const std::lock_guard lock(mutex);
          versions.push_back(x.parameter("resourceVersion"));
        }
        x.begin();
        if (watches++ == 0) {
          x.chunk(event("ADDED", node("a", 11)));
          const std::string next = event("ADDED", node("b", 12));
          x.half_record(fmt::format("{:x}\r\n{}\r\n", next.size(), next));
          return x.cut();
        }
        x.chunk(event("ADDED", node("b", 12)));
        x.hold();
      },
      pki.server());
  const SteadyClock clock;
  Record record;
  Reflector<Node> reflector(
      quick(), trusting(pki.authority.pem(), api.url(), clock), clock, [] { return 0.5; },
      [&](DeltaBatch<Node> batch) { record.take(std::move(batch)); });
  reflector.start();
  REQUIRE(record.wait_for_words(3));
  reflector.stop();
  CHECK(record.words() == Words{"replace", "upsert a r1", "upsert b r1"});
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"10", "11"});
}

TEST_CASE("hostile: a server with another authority's certificate gets no request, and so no token") {
  const Pki pki;
  const Authority impostor("api-ca");
  const Certificate certificate = impostor.issue("api", "IP:127.0.0.1");
  std::atomic<int> requests{0};
  FakeApi api([&](Exchange&) { ++requests; }, FakeTlsSettings{certificate.cert_pem, certificate.key_pem, ""});
  const SteadyClock clock;
  Access access;
  access.server = api.url();
  access.ca.value = pki.authority.pem();
  access.token.value = "secret";
  Client client({}, std::make_shared<Credentials>(access, clock, read_file), clock);
  const auto refused = client.release({"ns", "p", "u"});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(refused.error().message.find("certificate is not accepted") != std::string::npos);
  CHECK(requests == 0);
}

TEST_CASE("hostile: a client certificate that is swapped in its files is used by the watch and by writes") {
  const Pki pki;
  const TempDir dir;
  const Certificate first = pki.clients.issue("first", "");
  const Certificate second = pki.clients.issue("second", "");
  Access access;
  access.ca.value = pki.authority.pem();
  access.client_cert.file = dir.file("tls.crt", first.cert_pem);
  access.client_key.file = dir.file("tls.key", first.key_pem);

  std::mutex mutex;
  Words watchers;
  Words writers;
  std::atomic<bool> stop{false};
  FakeApi api(
      [&](Exchange& x) {
        if (!x.is_watch() && x.method != "GET") {
          {
            const std::lock_guard lock(mutex);
            writers.push_back(x.client_name());
          }
          return x.reply(200, "{}");
        }
        if (!x.is_watch()) return x.reply(200, list(10, {}));
        {
          const std::lock_guard lock(mutex);
          watchers.push_back(x.client_name());
        }
        x.begin();
        for (int i = 0; i < 60'000 && !stop; ++i) {
          x.chunk(bookmark(20));
          std::this_thread::sleep_for(milliseconds(5));
          const std::lock_guard lock(mutex);
          if (watchers.size() > 1) stop = true;
        }
        x.hold();
      },
      pki.server(true));
  access.server = api.url();
  MovingClock clock;
  auto credentials = std::make_shared<Credentials>(access, clock, read_file);
  Record record;
  Reflector<Node> reflector(
      quick(), credentials, clock, [] { return 0.5; },
      [&](DeltaBatch<Node> batch) { record.take(std::move(batch)); });
  reflector.start();
  Client client({}, credentials, clock);
  REQUIRE(record.wait_for_words(1));
  REQUIRE(client.release({"ns", "p", "u"}).has_value());
  REQUIRE(soon([&] { return reflector.stats().bookmarks > 0; }));

  // First the certificate alone: it does not fit the key, and the old pair stays.
  (void)dir.file("tls.crt", second.cert_pem);
  clock.move_on(Duration(61'000));
  REQUIRE(client.release({"ns", "p", "u"}).has_value());
  (void)dir.file("tls.key", second.key_pem);
  clock.move_on(Duration(61'000));
  REQUIRE(client.release({"ns", "p", "u"}).has_value());
  CHECK(soon([&] {
    const std::lock_guard lock(mutex);
    return watchers.size() >= 2;
  }));
  stop = true;
  reflector.stop();
  CHECK(reflector.stats().rotations == 1);
  CHECK(reflector.stats().lists == 1);
  CHECK(reflector.stats().watch_failures == 0);
  const std::lock_guard lock(mutex);
  CHECK(watchers == Words{"first", "second"});
  CHECK(writers == Words{"first", "first", "second"});
}

// What a piece of work writes to stderr, where the log goes.
template <typename Work>
std::string stderr_of(Work work) {
  const TempDir dir;
  const std::string path = dir.file("stderr", "");
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  ::dup2(file, STDERR_FILENO);
  work();
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(file);
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("hostile: no secret is logged and none stands in an error, whatever goes wrong") {
  const Pki pki;
  const Certificate certificate = pki.clients.issue("client", "");
  const std::string secret = "token-that-is-secret";
  std::string errors;
  const std::string log = stderr_of([&] {
    set_log_level(LogLevel::kDebug);
    const SteadyClock clock;
    for (const int code : {401, 403, 410, 429, 500}) {
      // A server that says it all back.
      FakeApi api([&](Exchange& x) {
        if (x.is_watch()) return x.cut();
        x.reply(code, status(code, "Failure", "no"), "X-Echo: " + x.headers["authorization"] + "\r\n");
      });
      const auto credentials = credentials_for(api.url(), clock, secret);
      Client client({}, credentials, clock);
      errors += client.release({"ns", "p", "u"}).error().message;
      Record record;
      Reflector<Node> reflector(
          quick(), credentials, clock, [] { return 0.5; },
          [&](DeltaBatch<Node> batch) { record.take(std::move(batch)); });
      reflector.start();
      CHECK(soon([&] { return reflector.stats().list_failures > 1; }));
      reflector.stop();
    }
    // A key that does not fit, a plugin that prints nonsense.
    Access access;
    access.server = "https://127.0.0.1:1";
    access.token.value = secret;
    access.client_cert.value = certificate.cert_pem;
    access.client_key.value = pki.clients.issue("other", "").key_pem;
    Credentials unfit(access, clock, read_file);
    errors += unfit.current().error().message;
    errors += parse_exec_credential(R"({"apiVersion":"x","status":{"token":")" + secret + R"(",}})", "x", 0)
                  .error()
                  .message;
    set_log_level(LogLevel::kInfo);
  });
  CHECK(log.find("warn") != std::string::npos);
  for (const std::string& text : {log, errors}) {
    CHECK(text.find(secret) == std::string::npos);
    CHECK(text.find("PRIVATE KEY") == std::string::npos);
    CHECK(text.find("Bearer") == std::string::npos);
  }
}

}  // namespace
}  // namespace muster::kube::test
