#include "kube/reflector.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <future>
#include <set>
#include <thread>

#include "watching.h"

namespace muster::kube::test {
namespace {

using Words = std::vector<std::string>;
using std::chrono::milliseconds;

// Lists answer with `items` at version 10; the n-th watch (from 0) is up to `watch`.
FakeApi::Handler with_list(std::vector<std::string> items, std::function<void(Exchange&, int)> watch) {
  auto watches = std::make_shared<std::atomic<int>>(0);
  return [items = std::move(items), watch = std::move(watch), watches](Exchange& x) {
    if (x.is_watch()) return watch(x, (*watches)++);
    x.reply(200, list(10, items));
  };
}

TEST_CASE("a list is delivered as Replace and events after it one by one") {
  Watching w(with_list({node("a", 1), node("b", 2)}, [](Exchange& x, int) {
    x.begin();
    x.chunk(event("ADDED", node("c", 11)));
    x.chunk(event("MODIFIED", node("a", 12, "r2")) + event("DELETED", node("b", 13)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(4));
  CHECK(w.record.words() == Words{"replace a b", "upsert c r1", "upsert a r2", "remove b"});
  CHECK(w.reflector.synced());
  CHECK(w.reflector.size() == 2);
}

TEST_CASE("the first list is asked for from the server's cache and the watch from the list's version") {
  std::mutex mutex;
  std::vector<std::map<std::string, std::string>> queries;
  Watching w([&](Exchange& x) {
    {
      const std::lock_guard lock(mutex);
      queries.push_back(x.query);
    }
    if (!x.is_watch()) return x.reply(200, list(4711, {}));
    x.begin();
    x.chunk(event("ADDED", node("a", 4712)));
    x.hold();
  });
  REQUIRE(w.record.wait_for_words(2));
  const std::lock_guard lock(mutex);
  REQUIRE(queries.size() == 2);
  CHECK(queries[0] == std::map<std::string, std::string>{{"resourceVersion", "0"}});
  CHECK(queries[1] == std::map<std::string, std::string>{{"watch", "true"},
                                                         {"allowWatchBookmarks", "true"},
                                                         {"resourceVersion", "4711"},
                                                         {"timeoutSeconds", "450"}});
}

TEST_CASE("synced means that the first Replace has been delivered") {
  FakeApi api(with_list({node("a", 1)}, [](Exchange& x, int) {
    x.begin();
    x.hold();
  }));
  SteadyClock clock;
  std::promise<void> entered;
  std::promise<void> go_on;
  std::shared_future<void> gate = go_on.get_future().share();
  Reflector<Node> reflector(
      quick(), credentials_for(api.url(), clock), clock, [] { return 0.5; },
      [&](const DeltaBatch<Node>&) {
        entered.set_value();
        gate.wait();
      });
  reflector.start();
  entered.get_future().wait();
  CHECK_FALSE(reflector.synced());
  go_on.set_value();
  CHECK(eventually([&] { return reflector.synced(); }));
}

TEST_CASE("a watch that ends is resumed from the last version without a new list") {
  std::atomic<int> lists{0};
  std::mutex mutex;
  Words versions;
  Watching w([&](Exchange& x) {
    if (!x.is_watch()) {
      ++lists;
      return x.reply(200, list(10, {}));
    }
    std::size_t n = 0;
    {
      const std::lock_guard lock(mutex);
      versions.push_back(x.parameter("resourceVersion"));
      n = versions.size();
    }
    x.begin();
    if (n == 1) x.chunk(event("ADDED", node("a", 11)));
    if (n == 2) x.chunk(bookmark(77));
    if (n == 3) {
      x.chunk(event("ADDED", node("b", 78)));
      x.hold();
    }
    x.end();
  });
  REQUIRE(w.record.wait_for_words(3));
  CHECK(w.record.words() == Words{"replace", "upsert a r1", "upsert b r1"});
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"10", "11", "77"});
  CHECK(lists == 1);
}

// --- 410 in its three shapes
// --------------------------------------------------------------------------------

// The first watch fails by `fail`, then the list is {b} and watches stay open.
struct AfterExpiry {
  explicit AfterExpiry(std::function<void(Exchange&)> fail)
      : w([this, fail = std::move(fail)](Exchange& x) {
          if (x.is_watch()) {
            if (watches++ == 0) return fail(x);
            x.begin();
            return x.hold();
          }
          {
            const std::lock_guard lock(mutex);
            list_versions.push_back(x.parameter("resourceVersion"));
          }
          x.reply(200, lists++ == 0 ? list(10, {node("a", 1)}) : list(20, {node("b", 15)}));
        }) {}
  std::atomic<int> lists{0};
  std::atomic<int> watches{0};
  std::mutex mutex;
  Words list_versions;
  Watching w;
};

TEST_CASE("a 410 as the watch's status leads to a new list, and what it lacks is removed") {
  AfterExpiry t(
      [](Exchange& x) { x.reply(410, status(410, "Expired", "too old resource version: 10 (15)")); });
  REQUIRE(t.w.record.wait_for_words(3));
  CHECK(t.w.record.words() == Words{"replace a", "remove a", "upsert b r1"});
  CHECK(t.list_versions == Words{"0", "10"});
}

TEST_CASE("a 410 as an event within a stream leads to a new list") {
  AfterExpiry t([](Exchange& x) {
    x.begin();
    x.chunk(event("ERROR", status(410, "Expired", "too old resource version")));
    x.end();
  });
  REQUIRE(t.w.record.wait_for_words(3));
  CHECK(t.w.record.words() == Words{"replace a", "remove a", "upsert b r1"});
}

TEST_CASE("an error event without a code but with the reason Expired leads to a new list") {
  AfterExpiry t([](Exchange& x) {
    x.begin();
    x.chunk(event("ERROR", R"({"kind":"Status","reason":"Expired"})"));
    x.end();
  });
  REQUIRE(t.w.record.wait_for_words(3));
}

TEST_CASE("a 410 on a later page leads to the whole list in one piece") {
  std::mutex mutex;
  Words queries;
  std::atomic<int> watches{0};
  Watching w([&](Exchange& x) {
    if (x.is_watch()) {
      if (watches++ == 0) return x.reply(410, status(410, "Expired", "too old"));
      x.begin();
      return x.hold();
    }
    std::string query = "v=" + x.parameter("resourceVersion") + " limit=" + x.parameter("limit") +
                        " continue=" + x.parameter("continue");
    {
      const std::lock_guard lock(mutex);
      queries.push_back(query);
    }
    if (x.parameter("resourceVersion") == "0") return x.reply(200, list(10, {node("a", 1)}));
    // A later list: not at the old version, and its second page has expired.
    if (!x.parameter("resourceVersion").empty())
      return x.reply(410, status(410, "Expired", "the resourceVersion is too old"));
    if (!x.parameter("continue").empty())
      return x.reply(410, status(410, "Expired", "The provided continue parameter is too old"));
    if (!x.parameter("limit").empty())
      return x.reply(200, list(20, {node("a", 1), node("b", 2)}, "next/page=="));
    x.reply(200, list(21, {node("a", 1), node("b", 2), node("c", 3)}));
  });
  REQUIRE(w.record.wait_for_words(3));
  const Words words = w.record.words();
  CHECK(words[0] == "replace a");
  CHECK(std::set<std::string>(words.begin() + 1, words.end()) ==
        std::set<std::string>{"upsert b r1", "upsert c r1"});
  const std::lock_guard lock(mutex);
  CHECK(queries == Words{"v=0 limit= continue=", "v=10 limit= continue=", "v= limit=2 continue=",
                         "v= limit=2 continue=next/page==", "v= limit= continue="});
}

TEST_CASE("a version from the future is asked for again without a version") {
  std::mutex mutex;
  Words versions;
  std::atomic<int> watches{0};
  Watching w([&](Exchange& x) {
    if (x.is_watch()) {
      if (watches++ == 0) return x.reply(410, status(410, "Expired", "too old"));
      x.begin();
      return x.hold();
    }
    const std::string version = x.parameter("resourceVersion");
    {
      const std::lock_guard lock(mutex);
      versions.push_back(version);
    }
    if (version == "0") return x.reply(200, list(99, {}));
    if (version == "99")
      return x.reply(504, status(504, "Timeout", "Timeout: Too large resource version: 99, current: 5",
                                 R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"x"}]})"));
    x.reply(200, list(5, {node("a", 5)}));
  });
  REQUIRE(w.record.wait_for_words(2));
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"0", "99", ""});
}

TEST_CASE("pages are put together before anything is delivered") {
  std::atomic<int> watches{0};
  Watching w([&](Exchange& x) {
    if (x.is_watch()) {
      x.begin();
      return x.hold();
    }
    if (x.parameter("resourceVersion") == "0") return x.reply(410, status(410, "Expired", "no cache"));
    if (x.parameter("continue").empty()) return x.reply(200, list(20, {node("a", 1), node("b", 2)}, "p2"));
    x.reply(200, list(20, {node("c", 3)}));
  });
  REQUIRE(w.record.wait_for_words(1));
  CHECK(w.record.words() == Words{"replace a b c"});
}

TEST_CASE("a list cut in the middle is begun anew and its first half forgotten") {
  std::atomic<int> lists{0};
  Watching w([&](Exchange& x) {
    if (x.is_watch()) {
      x.begin();
      return x.hold();
    }
    if (lists++ == 0) {
      x.begin();
      x.chunk(R"({"kind":"NodeList","items":[)" + node("gone", 1) + "," + node("half", 2).substr(0, 40));
      return x.cut();
    }
    x.reply(200, list(10, {node("a", 1)}));
  });
  REQUIRE(w.record.wait_for_words(1));
  CHECK(w.record.words() == Words{"replace a"});
}

TEST_CASE("a list that ends cleanly in the middle of its JSON is no list") {
  std::atomic<int> lists{0};
  Watching w([&](Exchange& x) {
    if (x.is_watch()) {
      x.begin();
      return x.hold();
    }
    const std::string whole = list(10, {node("a", 1)});
    x.reply(200, lists++ == 0 ? whole.substr(0, whole.size() - 1) : whole);
  });
  REQUIRE(w.record.wait_for_words(1));
  CHECK(lists == 2);
}

// --- framing
// ------------------------------------------------------------------------------------------------

TEST_CASE("a stream cut in the middle of a line is resumed from the last whole event") {
  std::mutex mutex;
  Words versions;
  Watching w(with_list({}, [&](Exchange& x, int n) {
    {
      const std::lock_guard lock(mutex);
      versions.push_back(x.parameter("resourceVersion"));
    }
    x.begin();
    if (n == 0) {
      x.chunk(event("ADDED", node("a", 11)));
      const std::string next = event("ADDED", node("b", 12));
      x.chunk(next.substr(0, next.size() / 2));
      return x.cut();
    }
    x.chunk(event("ADDED", node("b", 12)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(3));
  CHECK(w.record.words() == Words{"replace", "upsert a r1", "upsert b r1"});
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"10", "11"});
  CHECK(w.reflector.undecodable_objects() == 0);
}

TEST_CASE("a stream cut in the middle of a chunk is resumed") {
  Watching w(with_list({}, [&](Exchange& x, int n) {
    x.begin();
    if (n == 0) {
      x.raw("ffff\r\n{\"type\":\"ADDED\",");
      return x.cut();
    }
    x.chunk(event("ADDED", node("b", 12)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(2));
  CHECK(w.record.words() == Words{"replace", "upsert b r1"});
}

TEST_CASE("chunks of one byte make whole lists and whole events") {
  Watching w([](Exchange& x) {
    x.begin();
    const std::string text = x.is_watch() ? "\n" + event("ADDED", node("c", 11)) + "\r\n" + bookmark(12)
                                          : list(10, {node("a", 1), node("b", 2)});
    for (const char c : text) x.chunk(std::string(1, c));
    if (x.is_watch()) return x.hold();
    x.end();
  });
  REQUIRE(w.record.wait_for_words(2));
  CHECK(w.record.words() == Words{"replace a b", "upsert c r1"});
}

TEST_CASE("a line of five megabytes is one event") {
  std::string big = node("big", 11);
  big.insert(big.size() - 1, R"(,"unread":")" + std::string(5u << 20, 'x') + "\"");
  Watching w(with_list({}, [&](Exchange& x, int) {
    x.begin();
    x.chunk(event("ADDED", big));
    x.chunk(event("ADDED", node("small", 12)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(3));
  CHECK(w.record.words() == Words{"replace", "upsert big r1", "upsert small r1"});
}

TEST_CASE("many events in one piece are delivered in batches of at most a thousand") {
  std::string all;
  for (int i = 0; i < 5000; ++i) all += event("ADDED", node("n" + std::to_string(i), 100 + i));
  Watching w(with_list({}, [&](Exchange& x, int) {
    x.begin();
    x.chunk(all);
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(5001));
  CHECK(w.record.words()[5000] == "upsert n4999 r1");
  CHECK(w.record.largest_batch() <= 1000);
}

// --- events
// -------------------------------------------------------------------------------------------------

TEST_CASE("a storm of bookmarks changes nothing but the version") {
  std::mutex mutex;
  Words versions;
  Watching w(with_list({node("a", 1)}, [&](Exchange& x, int n) {
    {
      const std::lock_guard lock(mutex);
      versions.push_back(x.parameter("resourceVersion"));
    }
    x.begin();
    if (n == 0) {
      std::string storm;
      for (int i = 0; i < 20'000; ++i) storm += bookmark(100 + i);
      x.chunk(storm);
      return x.end();
    }
    x.chunk(event("ADDED", node("b", 30'000)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(2));
  CHECK(w.record.words() == Words{"replace a", "upsert b r1"});
  CHECK(w.reflector.stats().bookmarks == 20'000);
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"10", "20099"});
}

TEST_CASE("a duplicate ADDED and a heartbeat are dropped, a delete of something unknown too") {
  Watching w(with_list({node("a", 1)}, [](Exchange& x, int) {
    x.begin();
    x.chunk(event("ADDED", node("a", 1)));
    x.chunk(event("MODIFIED", node("a", 12)));
    x.chunk(event("DELETED", node("unknown", 13)));
    x.chunk(event("DELETED", node("a", 14, "r1", "uid-of-an-older-a")));
    x.chunk(event("ADDED", node("end", 15)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(2));
  CHECK(w.record.words() == Words{"replace a", "upsert end r1"});
  CHECK(w.reflector.unchanged() == 2);
}

TEST_CASE("a version that goes backwards is taken as it comes") {
  std::mutex mutex;
  Words versions;
  Watching w(with_list({}, [&](Exchange& x, int n) {
    {
      const std::lock_guard lock(mutex);
      versions.push_back(x.parameter("resourceVersion"));
    }
    x.begin();
    if (n == 0) {
      x.chunk(event("ADDED", node("a", 50)) + event("ADDED", node("b", 40)));
      return x.end();
    }
    x.chunk(event("ADDED", node("c", 41)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(4));
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"10", "40"});
}

TEST_CASE("an object made again under its name is removed first") {
  Watching w(with_list({node("a", 1, "r1", "first")}, [](Exchange& x, int n) {
    if (n > 0) return x.hold();
    x.begin();
    x.chunk(event("ADDED", node("a", 12, "r1", "second")));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(3));
  CHECK(w.record.words() == Words{"replace a", "remove a", "upsert a r1"});
}

TEST_CASE("objects and lines that cannot be read are skipped and the rest is taken") {
  const std::string broken = R"({"metadata":{"name":"broken"},"status":{"allocatable":{"cpu":"lots"}}})";
  Watching w(with_list({node("a", 1), broken}, [&](Exchange& x, int) {
    x.begin();
    x.chunk("<html>502</html>\n{\"type\":\"SOON\",\"object\":{}}\n{\"type\":\"ADDED\"}\n{\"type\":\n");
    x.chunk(event("ADDED", broken));
    x.chunk(event("ADDED", node("b", 12)));
    x.hold();
  }));
  REQUIRE(w.record.wait_for_words(2));
  CHECK(w.record.words() == Words{"replace a", "upsert b r1"});
  CHECK(w.reflector.undecodable_objects() == 2);
  CHECK(w.reflector.stats().undecodable == 4);
}

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
  CHECK(eventually([&] { return w.reflector.stats().short_watches > 10; }));
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
  CHECK(eventually([&] { return reflector.stats().list_failures > 2; }));
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
  REQUIRE(eventually([&] { return asked.load(); }));
  std::this_thread::sleep_for(milliseconds(20));
  CHECK(time_to_stop(w.reflector) < kPrompt);
}

TEST_CASE("stop is prompt during a pause") {
  ListWatchOptions options = quick();
  options.backoff = {Duration(60'000), Duration(60'000)};
  Watching w([](Exchange& x) { x.reply(500, "down"); }, options);
  REQUIRE(eventually([&] { return w.reflector.stats().list_failures > 0; }));
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
