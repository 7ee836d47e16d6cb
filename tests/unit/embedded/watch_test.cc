#include "embedded/watch.h"

#include <thread>

#include "objects.h"

namespace muster::embedded {
namespace {

using test::object_named;
using test::store_options;

// Runs a watch for as long as it takes to get `want` lines and returns them decoded.
std::vector<Json> lines_of(const Store& store, const WatchParams& params, std::size_t want,
                           std::chrono::milliseconds bookmark_interval = kBookmarkInterval) {
  std::string text;
  std::size_t lines = 0;
  run_watch(
      store, params,
      [&](std::string_view part) {
        text += part;
        lines += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
        return lines < want;
      },
      bookmark_interval);
  std::vector<Json> decoded;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    decoded.push_back(Json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return decoded;
}

WatchParams nodes_after(Version after) {
  WatchParams params;
  params.kind = Kind::kNode;
  params.after = after;
  params.timeout = std::chrono::seconds(10);
  return params;
}

std::string name_in(const Json& line) { return text_at(line, {"object", "metadata", "name"}); }

TEST_CASE("A watch from a version streams the changes after it") {
  Store store(store_options());
  REQUIRE(store.create(Kind::kNode, object_named("old")));
  const Version version = store.list(Kind::kNode, "").version;
  REQUIRE(store.create(Kind::kNode, object_named("new")));
  const auto lines = lines_of(store, nodes_after(version), 1);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["type"] == "ADDED");
  CHECK(name_in(lines[0]) == "new");
}

TEST_CASE("A watch from nothing begins with the present state") {
  Store store(store_options(1));  // the log is too short for it: the state comes from a list
  for (const char* name : {"a", "b", "c"}) REQUIRE(store.create(Kind::kNode, object_named(name)));
  const auto lines = lines_of(store, nodes_after(0), 3);
  REQUIRE(lines.size() == 3);
  for (const Json& line : lines) CHECK(line["type"] == "ADDED");
}

TEST_CASE("The end of an asked for initial list is marked") {
  Store store(store_options());
  REQUIRE(store.create(Kind::kNode, object_named("a")));
  WatchParams params = nodes_after(0);
  params.initial_list = true;
  const auto lines = lines_of(store, params, 2);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1]["type"] == "BOOKMARK");
  CHECK(lines[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true");
}

TEST_CASE("A watch from a forgotten version is an ERROR with Status 410 and ends") {
  Store store(store_options(1));
  for (const char* name : {"a", "b", "c"}) REQUIRE(store.create(Kind::kNode, object_named(name)));
  const auto lines = lines_of(store, nodes_after(1), 100);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["type"] == "ERROR");
  CHECK(lines[0]["object"]["kind"] == "Status");
  CHECK(lines[0]["object"]["code"] == 410);
}

TEST_CASE("Bookmarks move the version past changes of other kinds") {
  Store store(store_options());
  const Version start = store.list(Kind::kNode, "").version;
  REQUIRE(store.create(Kind::kNamespace, object_named("of-another-kind")));
  WatchParams params = nodes_after(start);
  params.bookmarks = true;
  const auto lines = lines_of(store, params, 1, std::chrono::milliseconds(10));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["type"] == "BOOKMARK");
  CHECK(lines[0]["object"]["kind"] == "Node");
  CHECK(lines[0]["object"]["metadata"]["resourceVersion"] == std::to_string(start + 1));
}

TEST_CASE("A watch ends with its timeout and when the store closes") {
  Store store(store_options());
  WatchParams params = nodes_after(1);
  params.timeout = std::chrono::seconds(1);
  CHECK(lines_of(store, params, 1).empty());

  params.timeout = std::chrono::seconds(600);
  std::thread watching([&] { CHECK(lines_of(store, params, 1).empty()); });
  store.close();
  watching.join();
}

TEST_CASE("Query parameters are read or refused") {
  const auto params = [](const Json& query) {
    return watch_params(Kind::kPod, "ns",
                        [query](std::string_view key) { return query.value(std::string(key), ""); });
  };
  const auto read =
      params({{"resourceVersion", "17"}, {"allowWatchBookmarks", "true"}, {"timeoutSeconds", "5"}});
  REQUIRE(read);
  CHECK(read->after == 17);
  CHECK(read->bookmarks);
  CHECK(read->timeout == std::chrono::seconds(5));
  CHECK(params(Json::object())->after == 0);
  CHECK_FALSE(params({{"timeoutSeconds", "soon"}}));
  CHECK_FALSE(params({{"timeoutSeconds", "-1"}}));
  CHECK_FALSE(params({{"resourceVersion", "12x"}}));
  CHECK_FALSE(params({{"resourceVersion", "99999999999999999999999"}}));
}

}  // namespace
}  // namespace muster::embedded
