#include <catch2/catch.hpp>
#include <thread>

#include "moving_clock.h"
#include "support/certificates.h"
#include "watching.h"

namespace muster::kube::test {
namespace {

using Words = std::vector<std::string>;

ListWatchOptions streaming() {
  ListWatchOptions options = quick();
  options.watch_list = true;
  return options;
}

TEST_CASE("the initial state may come as a stream, which goes on as the watch") {
  std::atomic<int> calls{0};
  std::mutex mutex;
  std::map<std::string, std::string> query;
  Watching w(
      [&](Exchange& x) {
        ++calls;
        {
          const std::lock_guard lock(mutex);
          query = x.query;
        }
        x.begin();
        x.chunk(event("ADDED", node("a", 3)) + event("ADDED", node("b", 7)));
        x.chunk(bookmark(8));
        x.chunk(end_of_initial_events(20));
        x.chunk(event("MODIFIED", node("a", 21, "r2")));
        x.hold();
      },
      streaming());
  REQUIRE(w.record.wait_for_words(2));
  CHECK(w.record.words() == Words{"replace a b", "upsert a r2"});
  CHECK(w.reflector.synced());
  CHECK(calls == 1);
  const std::lock_guard lock(mutex);
  CHECK(query == std::map<std::string, std::string>{{"watch", "true"},
                                                    {"allowWatchBookmarks", "true"},
                                                    {"sendInitialEvents", "true"},
                                                    {"resourceVersionMatch", "NotOlderThan"},
                                                    {"timeoutSeconds", "450"}});
}

TEST_CASE("nothing is delivered before the initial state is complete") {
  Watching w(
      [&](Exchange& x) {
        x.begin();
        x.chunk(event("ADDED", node("a", 3)));
        x.hold();
      },
      streaming());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(w.record.words().empty());
  CHECK_FALSE(w.reflector.synced());
}

TEST_CASE("after the stream the watch is resumed, and an expired version streams the state again") {
  std::mutex mutex;
  Words calls;
  Watching w(
      [&](Exchange& x) {
        std::size_t n = 0;
        {
          const std::lock_guard lock(mutex);
          calls.push_back(x.parameter("resourceVersion") +
                          (x.query.count("sendInitialEvents") ? " state" : ""));
          n = calls.size();
        }
        if (n == 3) return x.reply(410, status(410, "Expired", "too old"));
        x.begin();
        if (n == 1) x.chunk(event("ADDED", node("a", 3)) + end_of_initial_events(20));
        if (n == 2) x.chunk(event("ADDED", node("b", 21)));
        if (n < 3) return x.end();
        x.chunk(event("ADDED", node("b", 21)) + event("ADDED", node("c", 30)) + end_of_initial_events(31));
        x.hold();
      },
      streaming());
  REQUIRE(w.record.wait_for_words(4));
  CHECK(w.record.words() == Words{"replace a", "upsert b r1", "remove a", "upsert c r1"});
  const std::lock_guard lock(mutex);
  CHECK(calls == Words{" state", "20", "21", "21 state"});
}

TEST_CASE("new credentials do not end an initial state that is under way, but the watch behind it") {
  const muster::test::TempDir dir;
  Access access;
  access.ca.file = dir.file("ca.crt", muster::test::Authority("one").pem());
  MovingClock clock;
  std::atomic<int> lists{0};
  std::atomic<int> states{0};
  FakeApi api([&](Exchange& x) {
    if (!x.is_watch()) {
      ++lists;
      return x.reply(200, list(10, {}));
    }
    x.begin();
    if (x.query.count("sendInitialEvents") == 0) return x.hold();
    if (states++ > 0) return x.hold();
    x.chunk(event("ADDED", node("a", 1)));
    (void)dir.file("ca.crt", muster::test::Authority("two").pem());
    clock.move_on(Duration(61'000));
    x.chunk(event("ADDED", node("b", 2)));
    x.hold(std::chrono::milliseconds(50));
    x.chunk(end_of_initial_events(20));
    x.hold(std::chrono::milliseconds(50));
    x.chunk(bookmark(21));
    x.hold();
  });
  access.server = api.url();
  Record record;
  Reflector<Node> reflector(
      streaming(), std::make_shared<Credentials>(access, clock, read_file), clock, [] { return 0.5; },
      [&](DeltaBatch<Node> batch) { record.take(std::move(batch)); });
  reflector.start();
  CHECK(record.wait_for_words(1));
  CHECK(soon([&] { return reflector.stats().rotations == 1; }));
  reflector.stop();
  CHECK(record.words() == Words{"replace a b"});
  CHECK(lists == 0);
}

// What a server may do that does not know the initial stream; each ends with a list.
void list_instead_of(const std::function<void(Exchange&)>& refuse, int streams_wanted) {
  std::atomic<int> streams{0};
  std::atomic<int> watches{0};
  Watching w(
      [&](Exchange& x) {
        if (x.query.count("sendInitialEvents") > 0) {
          ++streams;
          return refuse(x);
        }
        if (!x.is_watch()) return x.reply(200, list(10, {node("a", 1)}));
        if (++watches == 1) return x.reply(410, status(410, "Expired", "too old"));
        x.begin();
        x.chunk(event("ADDED", node("end", 99)));
        x.hold();
      },
      streaming());
  REQUIRE(w.record.wait_for_words(2));
  CHECK(w.record.words() == Words{"replace a", "upsert end r1"});
  CHECK(streams == streams_wanted);
  CHECK(w.reflector.stats().watch_failures >= 1);
}

TEST_CASE("a server that refuses the initial stream is listed and not asked for it again") {
  list_instead_of(
      [](Exchange& x) {
        x.reply(422, status(422, "Invalid",
                            "sendInitialEvents is forbidden for watch unless the WatchList feature"));
      },
      1);
}

TEST_CASE(
    "a server that ends the initial stream early, since it goes, is listed now and asked for it later") {
  list_instead_of(
      [](Exchange& x) {
        x.begin();
        x.chunk(event("ADDED", node("early", 1)));
        x.end();
      },
      2);
}

TEST_CASE("a server that sends changes in the initial stream does not know it and is listed") {
  list_instead_of(
      [](Exchange& x) {
        x.begin();
        x.chunk(event("ADDED", node("early", 1)) + event("MODIFIED", node("early", 2)));
        x.hold();
      },
      1);
}

TEST_CASE("a server that is busy is listed now and asked for the initial stream later") {
  list_instead_of([](Exchange& x) { x.reply(503, "busy"); }, 2);
}

TEST_CASE("an initial stream that is cut is forgotten") {
  list_instead_of(
      [](Exchange& x) {
        x.begin();
        x.chunk(event("ADDED", node("early", 1)));
        x.cut();
      },
      2);
}

}  // namespace
}  // namespace muster::kube::test
