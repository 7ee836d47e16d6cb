// A server or a network that means harm, or is merely slow: peers that vanish, time and size.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "kube/client.h"
#include "moving_clock.h"
#include "watching.h"

namespace muster::kube::test {
namespace {

using std::chrono::milliseconds;
using Words = std::vector<std::string>;

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
  options.list_silence = Duration(1'000);
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

// A byte at a time, for two seconds.
void trickle(Exchange& x, const std::string& text) {
  const auto pause = std::chrono::microseconds(2'000'000) / text.size();
  for (const char c : text) {
    x.chunk(std::string(1, c));
    std::this_thread::sleep_for(pause);
  }
}

TEST_CASE("hostile: a list that trickles in is given up after a while and begun anew") {
  ListWatchOptions options = quick();
  options.list_duration = Duration(1'000);
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
        trickle(x, text.substr(0, text.size() - 10));
        x.cut();
      },
      options);
  REQUIRE(w.record.wait_for_words(1));
  CHECK(w.record.words() == Words{"replace a"});
  CHECK(w.reflector.stats().list_failures == 1);
}

TEST_CASE("hostile: a list whose pages never end is given up after a while") {
  ListWatchOptions options = quick();
  options.list_duration = Duration(500);
  std::atomic<bool> expired{false};
  Watching w(
      [&](Exchange& x) {
        if (x.is_watch() && !expired.exchange(true)) return x.reply(410, status(410, "Expired", "too old"));
        if (x.is_watch()) {
          x.begin();
          return x.hold();
        }
        const std::string version = x.parameter("resourceVersion");
        if (version == "0") return x.reply(200, list(10, {}));
        if (!version.empty()) return x.reply(410, status(410, "Expired", "too old"));
        x.reply(200, list(11, {node("a", 1)}, "next"));
      },
      options);
  CHECK(soon([&] { return w.reflector.stats().list_failures > 0; }));
}

TEST_CASE("hostile: an initial state that trickles in is warned of, given up and listed") {
  ListWatchOptions options = quick();
  options.watch_list = true;
  options.initial_warning = Duration(50);
  options.list_duration = Duration(1'000);
  Watching w(
      [&](Exchange& x) {
        if (!x.is_watch()) return x.reply(200, list(10, {node("a", 1)}));
        x.begin();
        if (x.query.count("sendInitialEvents") == 0) return x.hold();
        trickle(x, std::string(400, '\n'));
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
  REQUIRE(soon([&] { return asked.load(); }));
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
  REQUIRE(soon([&] {
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
  REQUIRE(soon([&] { return reflector.synced(); }));
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
  REQUIRE(soon([&] { return seen.load() > 0; }));
  std::this_thread::sleep_for(milliseconds(200));
  CHECK(seen < 10);
  CHECK(sent < 500);  // the rest does not fit into the sockets' buffers
  {
    const std::lock_guard lock(mutex);
    open = true;
  }
  changed.notify_all();
  CHECK(soon([&] { return seen == 1'000; }));
  reflector.stop();
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
  REQUIRE(soon([&] { return reflector.stats().watches > 0; }));
  clock.move_on(Duration(500'000));
  CHECK(reflector.stats().age.value() >= Duration(500'000));
  send = true;
  CHECK(soon([&] { return reflector.stats().age.value() < Duration(400'000); }));
  reflector.stop();
}

}  // namespace
}  // namespace muster::kube::test
