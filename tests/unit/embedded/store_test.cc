#include "embedded/store.h"

#include <atomic>
#include <set>
#include <thread>

#include "objects.h"

namespace muster::embedded {
namespace {

using test::object_named;
using test::store_options;

const auto kAllow = [](const Json&) -> Answer<void> { return {}; };

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

Store::Edit label(const std::string& value) {
  return [value](Json& object) -> Answer<void> {
    object["metadata"]["labels"]["a"] = value;
    return {};
  };
}

TEST_CASE("A created object gets identity, time and a version") {
  Store store(store_options());
  const auto created = store.create(Kind::kNode, object_named("n1"));
  REQUIRE(created);
  CHECK(text_at(**created, {"metadata", "uid"}) == "uid-1");
  CHECK(text_at(**created, {"metadata", "creationTimestamp"}) == test::kNow);
  CHECK_FALSE(text_at(**created, {"metadata", "resourceVersion"}).empty());
  CHECK(*store.get(Kind::kNode, "", "n1") == *created);
}

TEST_CASE("A name can be taken once per kind and namespace") {
  Store store(store_options());
  Json pod = object_named("a");
  pod["metadata"]["namespace"] = "one";
  REQUIRE(store.create(Kind::kPod, pod));
  const auto again = store.create(Kind::kPod, pod);
  REQUIRE_FALSE(again);
  CHECK(again.error().reason == "AlreadyExists");
  pod["metadata"]["namespace"] = "two";
  CHECK(store.create(Kind::kPod, pod));
  CHECK(store.create(Kind::kNode, object_named("a")));
  CHECK(store.list(Kind::kPod, "").items.size() == 2);
  CHECK(store.list(Kind::kPod, "two").items.size() == 1);
}

TEST_CASE("A watch from a version sees every later change once and in order") {
  Store store(store_options());
  REQUIRE(store.create(Kind::kNode, object_named("before")));
  const Version start = store.list(Kind::kNode, "").version;
  REQUIRE(store.create(Kind::kNode, object_named("n")));
  REQUIRE(store.create(Kind::kNamespace, object_named("of-another-kind")));
  REQUIRE(store.update(Kind::kNode, "", "n", label("1")));
  REQUIRE(store.remove(Kind::kNode, "", "n", kAllow));

  const auto changes = store.changes(Kind::kNode, "", start, now());
  REQUIRE(changes);
  REQUIRE(changes->items.size() == 3);
  CHECK(changes->items[0].type == ChangeType::kAdded);
  CHECK(changes->items[1].type == ChangeType::kModified);
  CHECK(changes->items[2].type == ChangeType::kDeleted);
  CHECK(text_at(*changes->items[2].object, {"metadata", "labels", "a"}) == "1");
  Version last = start;
  for (const Change& change : changes->items) {
    CHECK(change.version > last);
    CHECK(text_at(*change.object, {"metadata", "resourceVersion"}) == std::to_string(change.version));
    last = change.version;
  }
  CHECK(changes->seen == last);
  CHECK(store.changes(Kind::kNode, "", changes->seen, now())->items.empty());
}

TEST_CASE("A watch of a namespace sees no other") {
  Store store(store_options());
  for (const char* ns : {"one", "two"}) {
    Json pod = object_named("p");
    pod["metadata"]["namespace"] = ns;
    REQUIRE(store.create(Kind::kPod, pod));
  }
  const auto changes = store.changes(Kind::kPod, "two", 1, now());
  REQUIRE(changes->items.size() == 1);
  CHECK(changes->items[0].ns == "two");
}

TEST_CASE("A version older than the log is expired") {
  Store store(store_options(3));
  REQUIRE(store.create(Kind::kNode, object_named("n")));
  const Version start = store.list(Kind::kNode, "").version;
  for (int i = 0; i < 3; ++i) REQUIRE(store.update(Kind::kNode, "", "n", label(std::to_string(i))));
  CHECK(store.changes(Kind::kNode, "", start, now())->items.size() == 3);

  REQUIRE(store.update(Kind::kNode, "", "n", label("one too many")));
  const auto expired = store.changes(Kind::kNode, "", start, now());
  REQUIRE_FALSE(expired);
  CHECK(expired.error().code == 410);
  CHECK(expired.error().reason == "Expired");
}

TEST_CASE("A version from the future is refused") {
  Store store(store_options());
  const auto refused = store.changes(Kind::kNode, "", 1000, now());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == 504);
}

TEST_CASE("An edit that changes nothing makes no version and no event") {
  Store store(store_options());
  const auto created = store.create(Kind::kNode, object_named("n"));
  const Version before = store.list(Kind::kNode, "").version;
  const auto updated = store.update(Kind::kNode, "", "n", [](Json&) -> Answer<void> { return {}; });
  CHECK(*updated == *created);
  CHECK(store.list(Kind::kNode, "").version == before);
}

TEST_CASE("Identity cannot be edited and is a precondition") {
  Store store(store_options());
  REQUIRE(store.create(Kind::kNode, object_named("n")));
  const auto set = [&](const char* field, const char* value) {
    return store.update(Kind::kNode, "", "n", [=](Json& object) -> Answer<void> {
      object["metadata"][field] = value;
      object["changed"] = true;
      return {};
    });
  };
  CHECK(set("uid", "another").error().reason == "Conflict");
  CHECK(set("resourceVersion", "99999").error().reason == "Conflict");
  CHECK(set("name", "m").error().reason == "Invalid");
  CHECK_FALSE((*store.get(Kind::kNode, "", "n"))->contains("changed"));
  CHECK(set("uid", "uid-1"));
  CHECK((*store.get(Kind::kNode, "", "n"))->contains("changed"));
}

TEST_CASE("A refused edit or removal leaves the object as it was") {
  Store store(store_options());
  const auto created = store.create(Kind::kNode, object_named("n"));
  const auto refuse_edit = [](Json& object) -> Answer<void> {
    object["spec"] = 1;
    return bad_request("no");
  };
  CHECK_FALSE(store.update(Kind::kNode, "", "n", refuse_edit));
  CHECK_FALSE(
      store.remove(Kind::kNode, "", "n", [](const Json&) -> Answer<void> { return bad_request("no"); }));
  CHECK(*store.get(Kind::kNode, "", "n") == *created);
}

TEST_CASE("What is not there is not found") {
  Store store(store_options());
  CHECK(store.get(Kind::kNode, "", "n").error().code == 404);
  CHECK(store.update(Kind::kNode, "", "n", label("1")).error().code == 404);
  CHECK(store.remove(Kind::kNode, "", "n", kAllow).error().code == 404);
}

TEST_CASE("The oldest events go when there are too many") {
  Store store(store_options(1000, 2));
  for (const char* name : {"a", "b", "c"}) REQUIRE(store.create(Kind::kEvent, object_named(name)));
  CHECK(store.list(Kind::kEvent, "").items.size() == 2);
  CHECK_FALSE(store.get(Kind::kEvent, "", "a"));
  CHECK(store.changes(Kind::kEvent, "", 1, now())->items.back().type == ChangeType::kDeleted);
}

TEST_CASE("A waiting watch wakes on a change, and when the store closes") {
  Store store(store_options());
  const Version start = store.list(Kind::kNode, "").version;
  std::atomic<bool> woke = false;
  std::thread waiting([&] {
    const auto changes = store.changes(Kind::kNode, "", start, now() + std::chrono::seconds(60));
    woke = changes && changes->items.size() == 1;
    CHECK(store.changes(Kind::kNode, "", changes->seen, now() + std::chrono::seconds(60))->items.empty());
  });
  REQUIRE(store.create(Kind::kNode, object_named("n")));
  while (!woke) std::this_thread::yield();
  store.close();
  waiting.join();
  CHECK(store.closed());
}

TEST_CASE("Watches that read while others write miss nothing") {
  Store store(store_options(100000));
  constexpr int kWriters = 3, kEach = 200;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&store, w] {
      for (int i = 0; i < kEach; ++i) {
        static_cast<void>(
            store.create(Kind::kNode, object_named(std::to_string(w) + "-" + std::to_string(i))));
      }
    });
  }
  std::set<std::string> seen;
  std::size_t events = 0;
  Version after = 1;
  while (events < kWriters * kEach) {
    const auto changes = store.changes(Kind::kNode, "", after, now() + std::chrono::seconds(10));
    REQUIRE(changes);
    REQUIRE_FALSE(changes->items.empty());
    for (const Change& change : changes->items) seen.insert(text_at(*change.object, {"metadata", "name"}));
    events += changes->items.size();
    after = changes->seen;
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(seen.size() == kWriters * kEach);
}

}  // namespace
}  // namespace muster::embedded
