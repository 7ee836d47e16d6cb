// How a stream is cut into events, wherever the network cuts it.
#include <catch2/catch.hpp>

#include "watching.h"

namespace muster::kube::test {
namespace {

using Words = std::vector<std::string>;

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

}  // namespace
}  // namespace muster::kube::test
