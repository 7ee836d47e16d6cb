// What a reflector does while the server refuses, is away or says nothing, and how soon it ends.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "watching.h"

namespace muster::kube::test {
namespace {

using Words = std::vector<std::string>;
using std::chrono::milliseconds;

// --- refusals
// -----------------------------------------------------------------------------------------------

TEST_CASE("an error event that says nothing leads to a new list only after several tries") {
  std::atomic<int> lists{0};
  std::atomic<int> watches{0};
  Watching w([&](Exchange& x) {
    if (!x.is_watch()) {
      ++lists;
      return x.reply(200, list(10, lists == 1 ? Words{} : Words{node("a", 1)}));
    }
    ++watches;
    x.begin();
    if (lists == 1) x.chunk(event("ERROR", R"({"kind":"Status"})"));
    if (lists == 1) return x.end();
    x.hold();
  });
  REQUIRE(w.record.wait_for_words(2));
  CHECK(lists == 2);
  CHECK(watches >= 5);
}

// Lists answer at version 10 with nothing the first time, then with one node; watches after the first list
// with `refuse`. Returns the queries, "list v=…" or "watch v=…", until the second list has been delivered.
Words until_listed_again(const std::function<void(Exchange&)>& refuse) {
  std::mutex mutex;
  Words queries;
  std::atomic<int> lists{0};
  Watching w([&](Exchange& x) {
    const std::string version = x.parameter("resourceVersion");
    {
      const std::lock_guard lock(mutex);
      queries.push_back((x.is_watch() ? "watch v=" : "list v=") + version);
    }
    if (!x.is_watch()) return x.reply(200, list(10, lists++ == 0 ? Words{} : Words{node("a", 1)}));
    if (lists == 1) return refuse(x);
    x.begin();
    x.hold();
  });
  REQUIRE(w.record.wait_for_words(2));
  const std::lock_guard lock(mutex);
  return queries;
}

TEST_CASE("a watch that is refused with 500 again and again leads to a new list") {
  const Words queries = until_listed_again([](Exchange& x) { x.reply(500, "broken"); });
  CHECK(std::count(queries.begin(), queries.end(), "watch v=10") >= 5);
  CHECK(std::count(queries.begin(), queries.end(), "list v=10") == 1);
}

TEST_CASE("a watch whose version the server has not seen leads at once to a list without a version") {
  const std::string too_large = status(504, "Timeout", "Timeout: Too large resource version: 10, current: 5",
                                       R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"x"}]})");
  const auto as_status = [&](Exchange& x) { x.reply(504, too_large); };
  const auto as_event = [&](Exchange& x) {
    x.begin();
    x.chunk(event("ERROR", too_large));
    x.end();
  };
  for (const std::function<void(Exchange&)>& refuse :
       {std::function<void(Exchange&)>(as_status), {as_event}}) {
    const Words queries = until_listed_again(refuse);
    CHECK(Words(queries.begin(), queries.begin() + 3) == Words{"list v=0", "watch v=10", "list v="});
  }
}

TEST_CASE("hostile: a refusal without end is left, and the next list comes") {
  ListWatchOptions options = quick();
  options.list_silence = Duration(300);
  std::atomic<int> lists{0};
  Watching w(
      [&](Exchange& x) {
        if (x.is_watch()) {
          x.begin();
          return x.hold();
        }
        if (lists++ > 0) return x.reply(200, list(10, {node("a", 1)}));
        x.begin(503);
        for (int i = 0; i < 400; ++i) {  // 20 s, unless the client goes
          x.chunk("x");
          x.hold(milliseconds(50));
        }
      },
      options);
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(w.record.wait_for_words(1));
  CHECK(std::chrono::steady_clock::now() - began < kPrompt);
  CHECK(w.reflector.stats().list_failures == 1);
}

TEST_CASE("a list that is lost as soon as it is there is asked for less and less often") {
  ListWatchOptions options = quick();
  options.backoff = {Duration(5), Duration(10'000)};
  std::atomic<int> lists{0};
  Watching w(
      [&](Exchange& x) {
        if (!x.is_watch()) {
          ++lists;
          return x.reply(200, list(10, {}));
        }
        x.begin();
        x.chunk(bookmark(11) + event("ERROR", status(410, "Expired", "too old")));
        x.end();
      },
      options);
  std::this_thread::sleep_for(milliseconds(1'000));
  CHECK(lists <= 12);  // 5, 10, 20 … ms between them; without growth two hundred
  CHECK(lists >= 3);
}

TEST_CASE("a 401 to a watch is asked again with the same credentials and leads to no new list") {
  std::atomic<int> lists{0};
  std::atomic<int> watches{0};
  Watching w([&](Exchange& x) {
    if (!x.is_watch()) {
      ++lists;
      return x.reply(200, list(10, {}));
    }
    if (watches++ < 3) return x.reply(401, status(401, "Unauthorized", "Unauthorized"));
    x.begin();
    x.chunk(event("ADDED", node("a", 11)));
    x.hold();
  });
  REQUIRE(w.record.wait_for_words(2));
  CHECK(lists == 1);
}

TEST_CASE("a 401 is answered with the token as it is now in its file") {
  const std::string path = "/tmp/muster-token-" + std::to_string(::getpid());
  std::ofstream(path) << "old\n";
  std::atomic<bool> rotated{false};
  std::atomic<int> refused{0};
  FakeApi api([&](Exchange& x) {
    const bool right = x.headers["authorization"] == (rotated ? "Bearer new" : "Bearer old");
    if (!right) {
      ++refused;
      return x.reply(401, status(401, "Unauthorized", "Unauthorized"));
    }
    if (!x.is_watch()) return x.reply(200, list(10, {}));
    x.begin();
    if (!rotated) {
      std::ofstream(path) << "new\n";
      rotated = true;
      return x.end();
    }
    x.chunk(event("ADDED", node("a", 11)));
    x.hold();
  });
  SteadyClock clock;
  Access access;
  access.server = api.url();
  access.token.file = path;
  Record record;
  Reflector<Node> reflector(
      quick(), std::make_shared<Credentials>(access, clock, read_file), clock, [] { return 0.5; },
      [&](DeltaBatch<Node> batch) { record.take(std::move(batch)); });
  reflector.start();
  CHECK(record.wait_for_words(2));
  reflector.stop();
  CHECK(refused == 1);
  ::unlink(path.c_str());
}

TEST_CASE("a 429 is obeyed for as long as Retry-After says, and leads to no new list") {
  std::atomic<int> lists{0};
  std::mutex mutex;
  std::vector<std::chrono::steady_clock::time_point> watches;
  Watching w([&](Exchange& x) {
    if (!x.is_watch()) {
      ++lists;
      return x.reply(200, list(10, {}));
    }
    std::size_t n = 0;
    {
      const std::lock_guard lock(mutex);
      watches.push_back(std::chrono::steady_clock::now());
      n = watches.size();
    }
    if (n == 1) return x.reply(429, status(429, "TooManyRequests", "slow down"), "Retry-After: 1\r\n");
    if (n == 2) return x.reply(429, "");
    x.begin();
    x.chunk(event("ADDED", node("a", 11)));
    x.hold();
  });
  REQUIRE(w.record.wait_for_words(2));
  const std::lock_guard lock(mutex);
  CHECK(watches[1] - watches[0] >= milliseconds(1000));
  CHECK(lists == 1);
}

TEST_CASE("watches that end at once without an event do not spin") {
  Watching w(with_list({}, [&](Exchange& x, int) {
    x.begin();
    x.end();
  }));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(soon([&] { return w.reflector.stats().short_watches > 10; }));
  // Pauses of 3, 7, 15 and then 30 ms.
  CHECK(std::chrono::steady_clock::now() - begin > milliseconds(200));
}

TEST_CASE("a watch that is cut after it has brought something is resumed soon, however often") {
  ListWatchOptions options = quick();
  options.backoff = {Duration(5), Duration(60'000)};  // a dozen pauses that grow take 15 s
  Watching w(with_list({},
                       [](Exchange& x, int n) {
                         x.begin();
                         x.chunk(event("ADDED", node("n" + std::to_string(n), 11 + n)));
                         n < 12 ? x.cut() : x.hold();
                       }),
             options);
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(w.record.wait_for_words(14));
  CHECK(std::chrono::steady_clock::now() - begin < kPrompt);
  CHECK(w.reflector.stats().lists == 1);
}

TEST_CASE("a server that is down is tried again until it is back") {
  SteadyClock clock;
  Record record;
  std::string url;
  {
    url = FakeApi([](Exchange&) {}).url();
  }
  const auto port = std::stoi(url.substr(url.rfind(':') + 1));
  Reflector<Node> reflector(
      quick(), credentials_for(url, clock), clock, [] { return 0.5; },
      [&](DeltaBatch<Node> batch) { record.take(std::move(batch)); });
  reflector.start();
  CHECK(soon([&] { return reflector.stats().list_failures > 2; }));
  CHECK_FALSE(reflector.synced());
  FakeApi api(with_list({node("a", 1)},
                        [](Exchange& x, int) {
                          x.begin();
                          x.hold();
                        }),
              port);
  CHECK(record.wait_for_words(1));
  reflector.stop();
}

TEST_CASE("a stream that stays silent too long is opened again at the same version") {
  std::mutex mutex;
  Words versions;
  ListWatchOptions options = quick();
  options.watch_silence = Duration(150);
  Watching w(with_list({},
                       [&](Exchange& x, int n) {
                         {
                           const std::lock_guard lock(mutex);
                           versions.push_back(x.parameter("resourceVersion"));
                         }
                         x.begin();
                         if (n > 0) x.chunk(event("ADDED", node("a", 11)));
                         x.hold();
                       }),
             options);
  REQUIRE(w.record.wait_for_words(2));
  const std::lock_guard lock(mutex);
  CHECK(Words(versions.begin(), versions.begin() + 2) == Words{"10", "10"});
}

// --- stop
// ---------------------------------------------------------------------------------------------------

std::chrono::milliseconds time_to_stop(Reflector<Node>& reflector) {
  const auto begin = std::chrono::steady_clock::now();
  reflector.stop();
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
}

TEST_CASE("stop is prompt while a watch is idle") {
  Watching w(with_list({}, [](Exchange& x, int) {
    x.begin();
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(1));
  std::this_thread::sleep_for(milliseconds(50));
  CHECK(time_to_stop(w.reflector) < kPrompt);
}

TEST_CASE("stop is prompt when the server accepts and never answers") {
  std::atomic<bool> asked{false};
  Watching w([&](Exchange& x) {
    asked = true;
    x.hold();
  });
  REQUIRE(soon([&] { return asked.load(); }));
  std::this_thread::sleep_for(milliseconds(20));
  CHECK(time_to_stop(w.reflector) < kPrompt);
}

TEST_CASE("stop is prompt during a pause") {
  ListWatchOptions options = quick();
  options.backoff = {Duration(60'000), Duration(60'000)};
  Watching w([](Exchange& x) { x.reply(500, "down"); }, options);
  REQUIRE(soon([&] { return w.reflector.stats().list_failures > 0; }));
  CHECK(time_to_stop(w.reflector) < kPrompt);
}

TEST_CASE("stop is prompt while events pour in, and starts that are stopped at once end too") {
  Watching w(with_list({}, [](Exchange& x, int) {
    x.begin();
    std::string many;
    for (int i = 0; i < 1000; ++i) many += event("MODIFIED", node("a", i, "r" + std::to_string(i % 2)));
    for (int i = 0; i < 2000; ++i) x.chunk(many);
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(1000));
  CHECK(time_to_stop(w.reflector) < kPrompt);
  for (int i = 0; i < 20; ++i) {
    Watching other(with_list({}, [](Exchange& x, int) { x.hold(); }));
    if (i % 2 == 1) std::this_thread::sleep_for(milliseconds(i));
  }
}

}  // namespace
}  // namespace muster::kube::test
