// A server or a network that means harm, or is merely slow: TLS, credentials, and time.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/log.h"
#include "kube/client.h"
#include "kube/exec_plugin.h"
#include "support/certificates.h"
#include "watching.h"

namespace muster::kube::test {
namespace {

using muster::test::Authority;
using muster::test::Certificate;
using muster::test::TempDir;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

// Time that a test moves on.
class MovingClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return steady_.now() + Duration(ahead_.load()); }
  void move_on(Duration by) { ahead_ += by.count(); }

 private:
  SteadyClock steady_;
  std::atomic<int64_t> ahead_{0};
};

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

// --- TLS
// ----------------------------------------------------------------------------------------------------

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
  REQUIRE(eventually([&] { return reflector.stats().bookmarks > 0; }));

  // First the certificate alone: it does not fit the key, and the old pair stays.
  (void)dir.file("tls.crt", second.cert_pem);
  clock.move_on(Duration(61'000));
  REQUIRE(client.release({"ns", "p", "u"}).has_value());
  (void)dir.file("tls.key", second.key_pem);
  clock.move_on(Duration(61'000));
  REQUIRE(client.release({"ns", "p", "u"}).has_value());
  CHECK(eventually([&] {
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

// --- peers that vanish
// --------------------------------------------------------------------------------------

TEST_CASE("hostile: connections have TCP keep-alive and a user timeout, so that a dead peer is noticed") {
  FakeApi api([](Exchange& x) { x.reply(200, "{}"); });
  const SteadyClock clock;
  Client client({}, credentials_for(api.url(), clock), clock);
  REQUIRE(client.release({"ns", "p", "u"}).has_value());
  // Our end is the socket whose peer is the server.
  int found = 0;
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0 || peer.sin_family != AF_INET ||
        ntohs(peer.sin_port) != api.port())
      continue;
    ++found;
    const auto option = [&](int level, int name) {
      int value = 0;
      socklen_t size = sizeof value;
      ::getsockopt(fd, level, name, &value, &size);
      return value;
    };
    CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) +
              option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT) <=
          90);
    CHECK(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 60'000);
    CHECK(option(IPPROTO_TCP, TCP_NODELAY) == 1);
  }
  CHECK(found == 1);
}

TEST_CASE("hostile: a server that accepts and never answers a list is left for a new connection") {
  ListWatchOptions options = quick();
  options.list_silence = Duration(100);
  std::atomic<int> lists{0};
  Watching w(
      [&](Exchange& x) {
        if (!x.is_watch() && lists++ < 2) return x.hold();
        if (!x.is_watch()) return x.reply(200, list(10, {node("a", 1)}));
        x.begin();
        x.hold();
      },
      options);
  REQUIRE(w.record.wait_for_words(1));
  CHECK(w.reflector.stats().list_failures == 2);
  CHECK(w.api.connections() >= 3);
}

// --- slow loris
// ---------------------------------------------------------------------------------------------

TEST_CASE("hostile: a list that trickles in is given up after a while and begun anew") {
  ListWatchOptions options = quick();
  options.list_duration = Duration(200);
  std::atomic<int> lists{0};
  Watching w(
      [&](Exchange& x) {
        if (x.is_watch()) {
          x.begin();
          return x.hold();
        }
        if (lists++ > 0) return x.reply(200, list(10, {node("a", 1)}));
        x.begin();
        const std::string text = list(10, {node("slow", 1)});
        for (std::size_t i = 0; i + 10 < text.size(); ++i) {
          x.chunk(text.substr(i, 1));
          std::this_thread::sleep_for(milliseconds(5));
        }
        x.cut();
      },
      options);
  REQUIRE(w.record.wait_for_words(1));
  CHECK(w.record.words() == Words{"replace a"});
  CHECK(w.reflector.stats().list_failures == 1);
}

TEST_CASE("hostile: an initial state that trickles in is warned of, given up and listed") {
  ListWatchOptions options = quick();
  options.watch_list = true;
  options.initial_warning = Duration(50);
  options.list_duration = Duration(300);
  Watching w(
      [&](Exchange& x) {
        if (!x.is_watch()) return x.reply(200, list(10, {node("a", 1)}));
        x.begin();
        if (x.query.count("sendInitialEvents") == 0) return x.hold();
        for (int i = 0; i < 200; ++i) {
          x.chunk("\n");
          std::this_thread::sleep_for(milliseconds(5));
        }
      },
      options);
  REQUIRE(w.record.wait_for_words(1));
  CHECK(w.record.words() == Words{"replace a"});
  CHECK(w.reflector.stats().late_warnings >= 2);
}

TEST_CASE("hostile: stop is prompt while headers trickle in") {
  std::atomic<bool> asked{false};
  Watching w([&](Exchange& x) {
    asked = true;
    const std::string head = "HTTP/1.1 200 OK\r\nX-Long: " + std::string(300, 'x');
    for (const char c : head) {
      x.raw(std::string(1, c));
      std::this_thread::sleep_for(milliseconds(5));
    }
    x.cut();
  });
  REQUIRE(eventually([&] { return asked.load(); }));
  const auto began = std::chrono::steady_clock::now();
  w.reflector.stop();
  CHECK(std::chrono::steady_clock::now() - began < kPrompt);
}

// --- bookmarks, size, back-pressure
// -------------------------------------------------------------------------

TEST_CASE("hostile: without a single bookmark watches go on from the last event") {
  std::mutex mutex;
  Words versions;
  Watching w([&](Exchange& x) {
    if (!x.is_watch()) return x.reply(200, list(10, {}));
    int n = 0;
    {
      const std::lock_guard lock(mutex);
      versions.push_back(x.parameter("resourceVersion"));
      n = static_cast<int>(versions.size());
    }
    x.begin();
    if (n <= 3) x.chunk(event("ADDED", node("n" + std::to_string(n), 10 + n)));
    if (n > 3) x.hold();
    x.end();
  });
  REQUIRE(eventually([&] {
    const std::lock_guard lock(mutex);
    return versions.size() >= 4;
  }));
  w.reflector.stop();
  const std::lock_guard lock(mutex);
  CHECK(Words(versions.begin(), versions.begin() + 4) == Words{"10", "11", "12", "13"});
  CHECK(w.reflector.stats().lists == 1);
}

TEST_CASE("hostile: a list of a hundred thousand nodes is one Replace") {
#if defined(__SANITIZE_THREAD__)
  constexpr int kNodes = 10'000;
#else
  constexpr int kNodes = 100'000;
#endif
  const SteadyClock clock;
  FakeApi api([&](Exchange& x) {
    if (x.is_watch()) {
      x.begin();
      return x.hold();
    }
    x.begin();
    x.chunk(R"({"kind":"NodeList","metadata":{"resourceVersion":"10"},"items":[)");
    std::string block;
    for (int i = 0; i < kNodes; ++i) {
      block += (i == 0 ? "" : ",") + node("n" + std::to_string(i), i);
      if (block.size() > 100'000 || i + 1 == kNodes) x.chunk(std::exchange(block, {}));
    }
    x.chunk("]}");
    x.end();
  });
  std::atomic<std::size_t> replaced{0};
  std::atomic<int> batches{0};
  Reflector<Node> reflector(
      quick(), credentials_for(api.url(), clock), clock, [] { return 0.5; },
      [&](const DeltaBatch<Node>& batch) {
        ++batches;
        if (const auto* all = std::get_if<Replace<Node>>(&batch.front())) replaced = all->items.size();
      });
  reflector.start();
  REQUIRE(eventually([&] { return reflector.synced(); }));
  reflector.stop();
  CHECK(replaced == kNodes);
  CHECK(batches == 1);
  CHECK(reflector.size() == kNodes);
}

TEST_CASE("hostile: while the consumer is busy nothing is read, and the server has to wait") {
  std::atomic<int> sent{0};
  const SteadyClock clock;
  FakeApi api([&](Exchange& x) {
    if (!x.is_watch()) return x.reply(200, list(10, {}));
    x.begin();
    const std::string filler(100'000, 'x');
    for (int i = 0; i < 1'000; ++i) {
      x.chunk(event("MODIFIED", node("a", 11 + i, "r" + std::to_string(i), filler)));
      ++sent;
    }
    x.hold();
  });
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  std::atomic<int> seen{0};
  Reflector<Node> reflector(
      quick(), credentials_for(api.url(), clock), clock, [] { return 0.5; },
      [&](const DeltaBatch<Node>& batch) {
        std::unique_lock lock(mutex);
        for (const auto& delta : batch) seen += std::holds_alternative<Upsert<Node>>(delta);
        if (seen > 0) changed.wait(lock, [&] { return open; });
      });
  reflector.start();
  REQUIRE(eventually([&] { return seen.load() > 0; }));
  std::this_thread::sleep_for(milliseconds(200));
  CHECK(seen < 10);
  CHECK(sent < 500);  // the rest does not fit into the sockets' buffers
  {
    const std::lock_guard lock(mutex);
    open = true;
  }
  changed.notify_all();
  CHECK(eventually([&] { return seen == 1'000; }));
  reflector.stop();
}

// --- secrets
// ------------------------------------------------------------------------------------------------

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
      CHECK(eventually([&] { return reflector.stats().list_failures > 1; }));
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

// --- metrics
// ------------------------------------------------------------------------------------------------

TEST_CASE("hostile: the age of the picture grows while nothing comes, and an event makes it young") {
  std::atomic<bool> send{false};
  FakeApi api([&](Exchange& x) {
    if (!x.is_watch()) return x.reply(200, list(10, {}));
    x.begin();
    while (!send) std::this_thread::sleep_for(milliseconds(1));
    x.chunk(bookmark(11));
    x.hold();
  });
  MovingClock clock;
  Record record;
  Reflector<Node> reflector(
      quick(), credentials_for(api.url(), clock), clock, [] { return 0.5; },
      [&](DeltaBatch<Node> batch) { record.take(std::move(batch)); });
  CHECK_FALSE(reflector.stats().age.has_value());
  reflector.start();
  REQUIRE(record.wait_for_words(1));
  REQUIRE(eventually([&] { return reflector.stats().watches > 0; }));
  clock.move_on(Duration(500'000));
  CHECK(reflector.stats().age.value() >= Duration(500'000));
  send = true;
  CHECK(eventually([&] { return reflector.stats().age.value() < Duration(400'000); }));
  reflector.stop();
}

}  // namespace
}  // namespace muster::kube::test
