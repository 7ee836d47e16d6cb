#include "kube/reflector.h"

#include <catch2/catch.hpp>
#include <future>
#include <set>

#include "moving_clock.h"
#include "watching.h"

namespace muster::kube::test {
namespace {

using Words = std::vector<std::string>;

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
  CHECK(soon([&] { return reflector.synced(); }));
}

TEST_CASE("the time for which a consumer blocks is counted as lag") {
  FakeApi api(with_list({node("a", 1)}, [](Exchange& x, int) {
    x.begin();
    x.hold();
  }));
  MovingClock clock;
  Reflector<Node> reflector(
      quick(), credentials_for(api.url(), clock), clock, [] { return 0.5; },
      [&](const DeltaBatch<Node>&) { clock.move_on(Duration(60'000)); });
  CHECK(reflector.counts("nodes").waited == Duration(0));
  reflector.start();
  REQUIRE(soon([&] { return reflector.synced(); }));
  const Duration waited = reflector.counts("nodes").waited;
  CHECK(waited >= Duration(60'000));
  CHECK(waited < Duration(120'000));
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

TEST_CASE("of an object that cannot be read any more the last state stays until it is deleted") {
  const auto unreadable = [](int version) {
    std::string text = node("a", version);
    return text.replace(text.find("\"8\""), 3, "\"lots\"");
  };
  std::mutex mutex;
  Words versions;
  std::atomic<int> lists{0};
  Watching w([&](Exchange& x) {
    if (!x.is_watch()) return x.reply(200, list(10, {lists++ == 0 ? node("a", 1) : unreadable(2)}));
    x.begin();
    std::size_t watches = 0;
    {
      const std::lock_guard lock(mutex);
      versions.push_back(x.parameter("resourceVersion"));
      watches = versions.size();
    }
    switch (watches) {
      case 1:
        x.chunk(event("ERROR", status(410, "Expired", "too old")));
        return x.end();
      case 2:
        x.chunk(event("MODIFIED", unreadable(11)));
        return x.end();
      case 3:
        x.chunk(event("ADDED", node("b", 12)) + event("DELETED", unreadable(13)));
        return x.end();
      default:
        return x.hold();
    }
  });
  REQUIRE(w.record.wait_for_words(3));
  REQUIRE(soon([&] {
    const std::lock_guard lock(mutex);
    return versions.size() == 4;
  }));
  CHECK(w.record.words() == Words{"replace a", "upsert b r1", "remove a"});
  CHECK(lists == 2);
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"10", "10", "11", "13"});
}

TEST_CASE("what names no version leaves the version as it was") {
  std::string without = node("a", 0);
  without.replace(without.find(R"("resourceVersion":"0")"), 21, R"("resourceVersion":"")");
  std::mutex mutex;
  Words versions;
  Watching w(with_list({}, [&](Exchange& x, int n) {
    {
      const std::lock_guard lock(mutex);
      versions.push_back(x.parameter("resourceVersion"));
    }
    x.begin();
    if (n > 0) return x.hold();
    x.chunk(event("ADDED", without) + event("BOOKMARK", R"({"kind":"Node","metadata":{}})"));
    x.end();
  }));
  REQUIRE(soon([&] {
    const std::lock_guard lock(mutex);
    return versions.size() == 2;
  }));
  const std::lock_guard lock(mutex);
  CHECK(versions == Words{"10", "10"});
}

TEST_CASE("a watch is asked for with a life between the shortest and twice that") {
  ListWatchOptions options = quick();
  options.watch_duration = Duration(100'000);
  std::mutex mutex;
  std::string asked;
  Watching w(with_list({},
                       [&](Exchange& x, int) {
                         {
                           const std::lock_guard lock(mutex);
                           asked = x.parameter("timeoutSeconds");
                         }
                         x.begin();
                         x.hold();
                       }),
             options);
  REQUIRE(soon([&] {
    const std::lock_guard lock(mutex);
    return !asked.empty();
  }));
  const std::lock_guard lock(mutex);
  CHECK(asked == "150");  // with a half for chance
}

}  // namespace
}  // namespace muster::kube::test
