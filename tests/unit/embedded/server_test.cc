#include "embedded/server.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "embedded/json.h"
#include "http/client.h"
#include "support/paths.h"

namespace muster::embedded {
namespace {

constexpr const char* kJson = "application/json";

std::unique_ptr<http::Client> client_for(const std::string& url) {
  http::ClientOptions options;
  options.base_url = url;
  auto client = http::Client::create(options);
  REQUIRE(client);
  return std::move(*client);
}

std::string start(ApiServer& server) {
  auto url = server.start();
  REQUIRE(url);
  return *url;
}

Json pod() {
  return Json::parse(
      R"({"metadata":{"name":"p","annotations":{"muster.dev/group-name":"g"}},"spec":{"schedulerName":"muster","containers":[{"name":"c"}]}})");
}

const std::string kPods = "/api/v1/namespaces/default/pods";

TEST_CASE("A pod goes from creation to running over HTTP") {
  ApiServerOptions options;
  options.kubelet_delay = std::chrono::milliseconds(1);
  ApiServer server(options);
  const auto client = client_for(start(server));

  REQUIRE(client->call("POST", kPods, {}, pod().dump(), kJson)->status == 201);
  const auto patched =
      client->call("PATCH", kPods + "/p", {},
                   R"({"spec":{"schedulingGates":[{"$patch":"delete","name":"muster.dev/hold"}]}})",
                   "application/strategic-merge-patch+json");
  REQUIRE(patched);
  CHECK(patched->status == 200);
  CHECK(client->call("POST", kPods + "/p/binding", {}, R"({"target":{"name":"n"}})", kJson)->status == 201);

  std::string phase;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (phase != "Running" && std::chrono::steady_clock::now() < deadline) {
    const auto reply = client->call("GET", kPods + "/p", {}, "", "");
    phase = text_at(Json::parse(reply->body), {"status", "phase"});
  }
  CHECK(phase == "Running");
}

TEST_CASE("A watch over HTTP streams changes while they happen and ends when the server stops") {
  ApiServer server(ApiServerOptions{});
  const std::string url = start(server);
  std::string lines;
  std::promise<void> arrived;
  std::thread watching([&] {
    const auto client = client_for(url);
    const auto on_data = [&](std::string_view part) {
      if (lines.empty()) arrived.set_value();
      lines += part;
      return true;
    };
    const auto end =
        client->stream(kPods + "?watch=1&resourceVersion=1", {}, [](int) { return true; }, on_data);
    CHECK(end);
  });
  REQUIRE(client_for(url)->call("POST", kPods, {}, pod().dump(), kJson)->status == 201);
  REQUIRE(arrived.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  server.stop();
  watching.join();
  const Json line = Json::parse(lines.substr(0, lines.find('\n')));
  CHECK(line["type"] == "ADDED");
  CHECK(line["object"]["metadata"]["name"] == "p");
}

TEST_CASE("Refusals over HTTP are Status objects") {
  ApiServer server(ApiServerOptions{});
  const auto client = client_for(start(server));
  const auto reply = client->call("GET", kPods + "/nobody", {}, "", "");
  REQUIRE(reply);
  CHECK(reply->status == 404);
  CHECK(Json::parse(reply->body)["reason"] == "NotFound");
}

TEST_CASE("A server that cannot start says why") {
  ApiServerOptions options;
  options.cluster_file = "/no/such/cluster.yaml";
  const auto url = ApiServer(options).start();
  REQUIRE_FALSE(url);
  CHECK(url.error().code == ErrorCode::kInvalid);
  CHECK_THAT(url.error().message, Catch::Contains("/no/such/cluster.yaml"));
}

TEST_CASE("The sample cluster of the demo loads") {
  ApiServerOptions options;
  options.cluster_file = test::source_dir() + "/manifests/demo/cluster.yaml";
  ApiServer server(options);
  const auto client = client_for(start(server));
  CHECK(Json::parse(client->call("GET", "/api/v1/nodes", {}, "", "")->body)["items"].size() == 128);
}

}  // namespace
}  // namespace muster::embedded
