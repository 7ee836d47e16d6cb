#include "kube/watch_event.h"

#include <catch2/catch.hpp>

namespace muster::kube {
namespace {

TEST_CASE("a watch event has a type and an object, in any order") {
  for (const std::string line :
       {R"({"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"a"}}})",
        R"({ "object" : {"kind":"Pod","metadata":{"name":"a"}} , "type" : "MODIFIED" })"}) {
    const auto event = read_watch_event(line);
    REQUIRE(event.has_value());
    CHECK(event->type == WatchEventType::kModified);
    CHECK(event->object.find(R"({"kind":"Pod","metadata":{"name":"a"}})") == 0);
    CHECK(event->object.data() >= line.data());
    CHECK(event->object.data() + event->object.size() <= line.data() + line.size());
  }
}

TEST_CASE(
    "an event in the form API servers write is taken apart without being parsed, with the same result") {
  for (const std::string type : {"ADDED", "MODIFIED", "DELETED"}) {
    for (const std::string object :
         {R"({"kind":"Pod","metadata":{"name":"a"}})", R"({"kind":"Pod","spec":{"x":"}\""}})",
          R"({"kind":"x"})", R"({"metadata":{"name":"a"},"kind":"Pod"})"}) {
      const std::string quick = R"({"type":")" + type + R"(","object":)" + object + "}";
      const std::string slow = R"({ "type":")" + type + R"(","object":)" + object + "}";
      for (const std::string& line : {quick, quick + "\r", slow}) {
        const auto event = read_watch_event(line);
        REQUIRE(event.has_value());
        CHECK(event->object == object);
        CHECK(event->type == read_watch_event(slow)->type);
      }
    }
  }
}

TEST_CASE("every type of event is known") {
  CHECK(read_watch_event(R"({"type":"ADDED","object":{}})")->type == WatchEventType::kAdded);
  CHECK(read_watch_event(R"({"type":"DELETED","object":{}})")->type == WatchEventType::kDeleted);
  CHECK(read_watch_event(R"({"type":"BOOKMARK","object":{}})")->type == WatchEventType::kBookmark);
  CHECK(read_watch_event(R"({"type":"ERROR","object":{}})")->type == WatchEventType::kError);
}

TEST_CASE("a line that is no event is an error that says why") {
  CHECK(read_watch_event(R"({"type":"NEW","object":{}})").error().message ==
        "type: \"NEW\" is not a kind of event");
  CHECK(read_watch_event(R"({"type":"ADDED"})").error().message == "object is missing");
  CHECK(read_watch_event(R"({"type":"ADDED","object":[]})").error().message == "object is missing");
  CHECK(read_watch_event(R"({"type":"ADDED","object":null})").error().message == "object is missing");
  CHECK_FALSE(read_watch_event(R"({"type":"ADDED","object":{)").has_value());
  CHECK_FALSE(read_watch_event(R"({"type":"ADDED","object":{}} x)").has_value());
  CHECK_FALSE(read_watch_event("hello").has_value());
}

TEST_CASE("a list's metadata has its version and the token of the next page") {
  const auto meta =
      read_meta(R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"abc"},"items":[]})");
  REQUIRE(meta.has_value());
  CHECK(meta->resource_version == "7");
  CHECK(meta->continue_token == "abc");
  CHECK_FALSE(meta->initial_events_end);
}

TEST_CASE("a bookmark says when the initial state is complete") {
  CHECK(
      read_meta(R"({"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}})")
          ->initial_events_end);
}

}  // namespace
}  // namespace muster::kube
