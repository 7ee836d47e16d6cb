#include "kube/client.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "fake_api.h"
#include "moving_clock.h"
#include "objects.h"
#include "support/certificates.h"
#include "support/soon.h"

namespace muster::kube::test {
namespace {

using muster::test::soon;
using Json = nlohmann::json;
using std::chrono::milliseconds;

const PodRef kPod{"team", "train-0", "uid-1"};

// Remembers the last call and answers with what the test has put there.
struct Server {
  Server()
      : api([this](Exchange& x) {
          const std::lock_guard lock(mutex);
          last_method = x.method;
          last_path = x.path;
          last_type = x.headers["content-type"];
          last_body = x.body;
          ++calls;
          x.reply(code, answer, extra);
        }),
        client({}, credentials_for(api.url(), clock), clock) {}

  [[nodiscard]] Json body() const { return Json::parse(last_body); }

  SteadyClock clock;
  std::mutex mutex;
  std::string last_method, last_path, last_type, last_body;
  int calls = 0;
  int code = 200;
  std::string answer = "{}";
  std::string extra;
  FakeApi api;
  Client client;
};

TEST_CASE("a nomination patches the status with node, plan and uid") {
  Server s;
  REQUIRE(s.client.nominate(kPod, "host-1", "plan-7").has_value());
  CHECK(s.last_method == "PATCH");
  CHECK(s.last_path == "/api/v1/namespaces/team/pods/train-0/status");
  CHECK(s.last_type == "application/merge-patch+json");
  CHECK(s.body() == Json::parse(R"({"metadata":{"uid":"uid-1","annotations":{"muster.dev/plan":"plan-7"}},
                                    "status":{"nominatedNodeName":"host-1"}})"));
}

TEST_CASE("an empty nomination removes node and plan") {
  Server s;
  REQUIRE(s.client.nominate(kPod, "", "").has_value());
  CHECK(s.body() == Json::parse(R"({"metadata":{"uid":"uid-1","annotations":{"muster.dev/plan":null}},
                                    "status":{"nominatedNodeName":null}})"));
}

TEST_CASE("a release removes the one gate by a strategic merge") {
  Server s;
  REQUIRE(s.client.release(kPod).has_value());
  CHECK(s.last_method == "PATCH");
  CHECK(s.last_path == "/api/v1/namespaces/team/pods/train-0");
  CHECK(s.last_type == "application/strategic-merge-patch+json");
  CHECK(s.body() == Json::parse(R"({"metadata":{"uid":"uid-1"},
                                    "spec":{"schedulingGates":[{"$patch":"delete","name":"muster.dev/hold"}]}})"));
}

TEST_CASE("a binding carries uid and annotations") {
  Server s;
  s.code = 201;
  REQUIRE(s.client.bind(kPod, "host-1", {{"muster.dev/rank", "0"}}).has_value());
  CHECK(s.last_method == "POST");
  CHECK(s.last_path == "/api/v1/namespaces/team/pods/train-0/binding");
  CHECK(s.last_type == "application/json");
  CHECK(s.body() == Json::parse(R"({"apiVersion":"v1","kind":"Binding",
      "metadata":{"name":"train-0","namespace":"team","uid":"uid-1","annotations":{"muster.dev/rank":"0"}},
      "target":{"apiVersion":"v1","kind":"Node","name":"host-1"}})"));
}

TEST_CASE("a pod's version is a precondition of what is written to it") {
  Server s;
  const PodRef seen{"team", "train-0", "uid-1", "42"};
  REQUIRE(s.client.bind(seen, "host-1", {}).has_value());
  CHECK(s.body()["metadata"]["resourceVersion"] == "42");
  REQUIRE(s.client.mark(seen, "unwind").has_value());
  CHECK(s.body()["metadata"]["resourceVersion"] == "42");
  REQUIRE(s.client.evict(seen, {}).has_value());
  CHECK(s.body()["deleteOptions"]["preconditions"] ==
        Json::parse(R"({"uid":"uid-1","resourceVersion":"42"})"));
}

TEST_CASE("an eviction names the uid as precondition") {
  Server s;
  REQUIRE(s.client.evict(kPod, {}).has_value());
  CHECK(s.last_path == "/api/v1/namespaces/team/pods/train-0/eviction");
  CHECK(s.body() == Json::parse(R"({"apiVersion":"policy/v1","kind":"Eviction",
      "metadata":{"name":"train-0","namespace":"team"},"deleteOptions":{"preconditions":{"uid":"uid-1"}}})"));
}

TEST_CASE("an event stands in the pod's namespace, is about the pod, and each has a name of its own") {
  Server s;
  s.code = 201;
  REQUIRE(s.client.record({kPod, "NoRoom", std::string(2000, 'x'), true}).has_value());
  CHECK(s.last_path == "/api/v1/namespaces/team/events");
  const Json first = s.body();
  CHECK(first["involvedObject"] ==
        Json::parse(R"({"apiVersion":"v1","kind":"Pod","namespace":"team","name":"train-0","uid":"uid-1"})"));
  CHECK(first["reason"] == "NoRoom");
  CHECK(first["type"] == "Warning");
  CHECK(first["message"].get<std::string>().size() == 1024);
  REQUIRE(s.client.record({kPod, "Planned", "rack \xff r1", false}).has_value());
  CHECK(s.body()["type"] == "Normal");
  CHECK(s.body()["metadata"]["name"] != first["metadata"]["name"]);
  CHECK(s.body()["metadata"]["namespace"] == "team");
}

TEST_CASE("a pod is read from the server") {
  Server s;
  s.answer =
      R"({"kind":"Pod","metadata":{"name":"train-0","namespace":"team"},"spec":{"nodeName":"host-2"}})";
  const auto pod = s.client.get_pod("team", "train-0");
  REQUIRE(pod.has_value());
  CHECK(pod->node_name == "host-2");
  CHECK(s.last_method == "GET");
}

TEST_CASE("a pod that cannot be decoded is the server's fault") {
  Server s;
  s.answer = "<html>";
  const auto pod = s.client.get_pod("team", "train-0");
  REQUIRE_FALSE(pod.has_value());
  CHECK(pod.error().code == ErrorCode::kInternal);
  CHECK(pod.error().message.find("get pod team/train-0: ") == 0);
}

TEST_CASE("every refusal has its code, and the message names call, object and what the server said") {
  const std::pair<int, ErrorCode> table[] = {
      {400, ErrorCode::kInvalid},     {401, ErrorCode::kUnauthorized}, {403, ErrorCode::kForbidden},
      {404, ErrorCode::kNotFound},    {405, ErrorCode::kInvalid},      {409, ErrorCode::kConflict},
      {410, ErrorCode::kExpired},     {422, ErrorCode::kInvalid},      {429, ErrorCode::kThrottled},
      {500, ErrorCode::kUnavailable}, {502, ErrorCode::kUnavailable},  {503, ErrorCode::kUnavailable},
      {504, ErrorCode::kUnavailable}, {301, ErrorCode::kInternal},     {418, ErrorCode::kInternal},
  };
  Server s;
  for (const auto& [code, expected] : table) {
    CAPTURE(code);
    s.code = code;
    s.answer = status(code, "SomeReason", "because of this");
    const auto result = s.client.bind(kPod, "host-1", {});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == expected);
    CHECK(result.error().message == fmt::format("bind pod team/train-0 to host-1: {} because of this", code));
    CHECK_FALSE(result.error().retry_after.has_value());
  }
}

TEST_CASE("another pod under the name is a conflict, also when the server calls the uid immutable") {
  Server s;
  s.code = 422;
  s.answer = status(422, "Invalid", "metadata.uid: field is immutable",
                    R"({"causes":[{"reason":"FieldValueInvalid","field":"metadata.uid","message":"x"}]})");
  CHECK(s.client.release(kPod).error().code == ErrorCode::kConflict);
}

TEST_CASE("Retry-After is kept, from the header or the Status, and bounded") {
  Server s;
  s.code = 429;
  s.extra = "Retry-After: 7\r\n";
  CHECK(s.client.evict(kPod, {}).error().retry_after == milliseconds(7000));
  s.extra = "Retry-After: 999999\r\n";
  CHECK(s.client.evict(kPod, {}).error().retry_after == milliseconds(300'000));
  s.extra = "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n";
  CHECK_FALSE(s.client.evict(kPod, {}).error().retry_after.has_value());
  s.extra = "";
  s.answer = status(429, "TooManyRequests", "budget", R"({"retryAfterSeconds":3})");
  CHECK(s.client.evict(kPod, {}).error().retry_after == milliseconds(3000));
}

TEST_CASE("a reply that is no Status is shown by its beginning, on one line") {
  Server s;
  s.code = 503;
  s.answer = "<html>\n<body>upstream\x01 connect error" + std::string(5000, ' ');
  const std::string message = s.client.release(kPod).error().message;
  CHECK(message.find("release pod team/train-0: 503 <html>") == 0);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.size() < 400);
}

TEST_CASE("names are encoded in paths") {
  Server s;
  REQUIRE(s.client.release({"team", "a/../b?c#d e", "u"}).has_value());
  CHECK(s.last_path == "/api/v1/namespaces/team/pods/a/../b?c#d e");  // decoded by the server again
}

TEST_CASE("a 401 is repeated once with the token as it is now, and with an old one not at all") {
  const std::string path = "/tmp/muster-client-token-" + std::to_string(::getpid());
  std::ofstream(path) << "old";
  std::vector<std::string> tokens;
  FakeApi api([&](Exchange& x) {
    tokens.push_back(x.headers["authorization"]);
    if (x.headers["authorization"] == "Bearer new") return x.reply(200, "{}");
    x.reply(401, status(401, "Unauthorized", "Unauthorized"));
  });
  SteadyClock clock;
  Access access;
  access.server = api.url();
  access.token.file = path;
  Client client({}, std::make_shared<Credentials>(access, clock, read_file), clock);
  const auto refused = client.release(kPod);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kUnauthorized);
  CHECK(tokens == std::vector<std::string>{"Bearer old"});
  std::ofstream(path) << "new";
  CHECK(client.release(kPod).has_value());
  CHECK(tokens.back() == "Bearer new");
  ::unlink(path.c_str());
}

TEST_CASE("a call says who asks and that it wants JSON, as it is") {
  std::map<std::string, std::string> headers;
  FakeApi api([&](Exchange& x) {
    headers = x.headers;
    x.reply(200, "{}");
  });
  SteadyClock clock;
  Client client({}, credentials_for(api.url(), clock, "t"), clock);
  REQUIRE(client.release(kPod).has_value());
  CHECK(headers["accept"] == "application/json");
  CHECK(headers["user-agent"] == "muster");
  CHECK(headers["authorization"] == "Bearer t");
  CHECK(headers.count("accept-encoding") == 0);
}

TEST_CASE("a connection made with credentials that were replaced meanwhile is not kept") {
  const muster::test::TempDir dir;
  std::promise<void> replaced;
  const auto wait = replaced.get_future().share();
  std::atomic<int> calls{0};
  FakeApi api([&](Exchange& x) {
    if (calls++ == 0) wait.wait_for(std::chrono::seconds(60));
    x.reply(200, "{}");
  });
  Access access;
  access.server = api.url();
  access.ca.file = dir.file("ca.crt", muster::test::Authority("one").pem());
  MovingClock clock;
  Client client({}, std::make_shared<Credentials>(access, clock, read_file), clock);
  auto old = std::async(std::launch::async, [&] { return client.release(kPod); });
  CHECK(soon([&] { return calls == 1; }));
  (void)dir.file("ca.crt", muster::test::Authority("two").pem());
  clock.move_on(Duration(61'000));
  CHECK(client.release(kPod).has_value());
  CHECK(api.open() == 2);
  replaced.set_value();
  CHECK(old.get().has_value());
  CHECK(soon([&] { return api.open() == 1; }));
}

TEST_CASE("calls one after the other share a connection") {
  Server s;
  for (int i = 0; i < 20; ++i) REQUIRE(s.client.release(kPod).has_value());
  CHECK(s.api.connections() == 1);
}

TEST_CASE("calls at the same time go in parallel") {
  FakeApi api([](Exchange& x) {
    std::this_thread::sleep_for(milliseconds(100));
    x.reply(200, "{}");
  });
  SteadyClock clock;
  Client client({}, credentials_for(api.url(), clock), clock);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  std::atomic<int> done{0};
  for (int i = 0; i < 40; ++i)
    threads.emplace_back([&] {
      if (client.release(kPod)) ++done;
    });
  for (auto& thread : threads) thread.join();
  CHECK(done == 40);
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(3000));  // not 40 times 100
}

TEST_CASE("a server that closes the connection after each reply is called on a new one") {
  std::atomic<int> calls{0};
  std::atomic<int> cuts{0};
  FakeApi api([&](Exchange& x) {
    ++calls;
    x.reply(200, "{}");
    x.cut();
    ++cuts;
  });
  SteadyClock clock;
  Client client({}, credentials_for(api.url(), clock), clock);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(client.release(kPod).has_value());
    REQUIRE(soon([&] { return cuts == calls; }));
  }
  CHECK(calls == 5);
}

TEST_CASE("a server that is not there is unavailable") {
  SteadyClock clock;
  std::string url;
  {
    url = FakeApi([](Exchange&) {}).url();
  }
  Client client({}, credentials_for(url, clock), clock);
  const auto result = client.release(kPod);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::kUnavailable);
  CHECK(result.error().message.find("release pod team/train-0: ") == 0);
}

TEST_CASE("writes keep to the limit after the burst") {
  FakeApi api([](Exchange& x) { x.reply(200, "{}"); });
  SteadyClock clock;
  ClientOptions options;
  options.qps = 2;
  options.burst = 5;
  Client client(options, credentials_for(api.url(), clock), clock);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) REQUIRE(client.release(kPod).has_value());
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(2000));
  for (int i = 0; i < 2; ++i) REQUIRE(client.release(kPod).has_value());
  CHECK(std::chrono::steady_clock::now() - begin >= milliseconds(950));
}

TEST_CASE("stop cancels calls under way, calls that wait for their turn, and later ones") {
  std::atomic<bool> called{false};
  FakeApi api([&](Exchange& x) {
    called = true;
    x.hold();
  });
  SteadyClock clock;
  ClientOptions options;
  options.qps = 0.01;
  options.burst = 1;
  Client client(options, credentials_for(api.url(), clock), clock);
  std::vector<std::thread> threads;
  std::atomic<int> cancelled{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const auto result = client.release(kPod);
      if (!result && result.error().code == ErrorCode::kCancelled) ++cancelled;
    });
  for (int i = 0; i < 60'000 && !called; ++i) std::this_thread::sleep_for(milliseconds(1));
  std::this_thread::sleep_for(milliseconds(20));
  const auto begin = std::chrono::steady_clock::now();
  client.stop();
  for (auto& thread : threads) thread.join();
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(5000));  // a turn comes after 100 s
  CHECK(cancelled == 4);
  CHECK(client.release(kPod).error().code == ErrorCode::kCancelled);
}

}  // namespace
}  // namespace muster::kube::test
