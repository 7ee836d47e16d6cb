#include "kube/encode.h"

#include <catch2/catch.hpp>

#include "kube/token_bucket.h"

namespace muster::kube {
namespace {

TEST_CASE("paths are encoded, so that a name cannot leave its place") {
  CHECK(pod_path("ns", "a") == "/api/v1/namespaces/ns/pods/a");
  CHECK(pod_path("ns", "a", "status") == "/api/v1/namespaces/ns/pods/a/status");
  CHECK(pod_path("n/s", "../x?y#z %") == "/api/v1/namespaces/n%2Fs/pods/..%2Fx%3Fy%23z%20%25");
  CHECK(event_path("ns") == "/api/v1/namespaces/ns/events");
}

TEST_CASE("a cut text does not end inside a character") {
  CHECK(cut("abc", 3) == "abc");
  CHECK(cut("abcd", 3) == "abc");
  CHECK(cut("ab\xc3\xa9", 3) == "ab");
  CHECK(cut("ab\xc3\xa9", 4) == "ab\xc3\xa9");
  CHECK(cut("\xf0\x9f\x98\x80", 3).empty());
}

TEST_CASE("times are written as the API server writes them") {
  using std::chrono::seconds;
  using std::chrono::system_clock;
  CHECK(format_time(system_clock::time_point(seconds(0))) == "1970-01-01T00:00:00Z");
  CHECK(format_time(system_clock::time_point(seconds(1709251199))) == "2024-02-29T23:59:59Z");
}

TEST_CASE("an eviction has a grace period unless it is to be at once, and so has a deletion") {
  const PodRef pod{"n", "p", "u"};
  CHECK(eviction(pod, false).find("gracePeriodSeconds") == std::string::npos);
  CHECK(eviction(pod, false).find(R"("deleteOptions":{"preconditions":{"uid":"u"}})") != std::string::npos);
  CHECK(eviction(pod, true).find(R"("gracePeriodSeconds":0)") != std::string::npos);
  CHECK(deletion(pod, false) == R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u"}})");
  CHECK(deletion(pod, true).find(R"("gracePeriodSeconds":0)") != std::string::npos);
}

TEST_CASE("a pod's readiness is one condition, merged by its type") {
  CHECK(ready_patch({"n", "p", "u"}, true, {}) ==
        R"({"metadata":{"uid":"u"},"status":{"conditions":[{"lastTransitionTime":"1970-01-01T00:00:00Z",)"
        R"("reason":"GroupIsWhole","status":"True","type":"muster.dev/group-ready"}]}})");
  CHECK(mark_patch({"n", "p", "u"}, "restart") ==
        R"({"metadata":{"annotations":{"muster.dev/let-go":"restart"},"uid":"u"}})");
}

TEST_CASE("texts that are no UTF-8 make valid JSON") {
  const std::string text = event({{"n", "p", "u"}, "R", "bad \xff", false}, "p.1", {"c", "i"}, {});
  CHECK(text.find("bad \xef\xbf\xbd") != std::string::npos);
}

TEST_CASE("a token bucket lets a burst through and then one call after the other") {
  TokenBucket bucket(10, 3);
  const TimePoint start{};
  for (int i = 0; i < 3; ++i) CHECK(bucket.take(start) == Duration(0));
  CHECK(bucket.take(start) == Duration(100));
  CHECK(bucket.take(start) == Duration(200));
  CHECK(bucket.take(start + Duration(300)) == Duration(0));
  CHECK(bucket.take(start + Duration(300)) == Duration(100));
}

TEST_CASE("a token bucket that nobody used for long is full and not more") {
  TokenBucket bucket(10, 2);
  const TimePoint start{};
  CHECK(bucket.take(start) == Duration(0));
  const TimePoint later = start + Duration(3'600'000);
  CHECK(bucket.take(later) == Duration(0));
  CHECK(bucket.take(later) == Duration(0));
  CHECK(bucket.take(later) == Duration(100));
}

TEST_CASE("a clock that stands still or goes back gives no tokens") {
  TokenBucket bucket(1000, 1);
  const TimePoint start{Duration(1000)};
  CHECK(bucket.take(start) == Duration(0));
  CHECK(bucket.take(start - Duration(500)) == Duration(1));
  CHECK(bucket.take(start) == Duration(2));
}

}  // namespace
}  // namespace muster::kube
