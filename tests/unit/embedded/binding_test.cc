#include "objects.h"

namespace muster::embedded {
namespace {

using test::Api;
using test::failure_message;
using test::kPods;
using test::member_named;
using test::pod_named;

Json binding(const std::string& node, const std::string& uid = "uid-1") {
  return Json{{"apiVersion", "v1"},
              {"kind", "Binding"},
              {"metadata", {{"name", "p"}, {"uid", uid}, {"annotations", {{"muster.dev/rank", "0"}}}}},
              {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
}

Reply post(const Api& api, const Json& body) { return api.call("POST", kPods + "/p/binding", body); }

TEST_CASE("A binding sets node, condition and annotations and clears the nomination in one step") {
  Api api;
  Json pod = pod_named("p");
  pod["metadata"]["annotations"] = {{"kept", "yes"}, {"muster.dev/rank", "old"}};
  api.call("POST", kPods, pod);
  api.merge(kPods + "/p/status", Json::parse(R"({"status":{"nominatedNodeName":"n1"}})"));
  const Version before = api.store.list(Kind::kPod, "").version;

  const Reply reply = post(api, binding("n1"));
  CHECK(reply.code == 201);
  CHECK(reply.body["status"] == "Success");
  const Json bound = api.call("GET", kPods + "/p").body;
  CHECK(bound["spec"]["nodeName"] == "n1");
  CHECK(bound["metadata"]["annotations"] == Json::parse(R"({"kept":"yes","muster.dev/rank":"0"})"));
  CHECK(bound["status"]["conditions"][0]["type"] == "PodScheduled");
  CHECK(bound["status"]["conditions"][0]["status"] == "True");
  CHECK_FALSE(bound["status"].contains("nominatedNodeName"));
  CHECK(api.store.list(Kind::kPod, "").version == before + 1);
}

TEST_CASE("A binding needs the pod's own uid, when it names one") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  CHECK_THAT(failure_message(post(api, binding("n1", "uid-9")), 409, "Conflict"), Catch::Contains("uid-9"));
  CHECK(api.call("GET", kPods + "/p").body["spec"].contains("nodeName") == false);
  CHECK(post(api, binding("n1", "")).code == 201);
}

TEST_CASE("A binding that names a version needs the pod to be at it") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  const std::string seen = api.call("GET", kPods + "/p").body["metadata"]["resourceVersion"];
  api.merge(kPods + "/p", Json::parse(R"({"metadata":{"annotations":{"muster.dev/plan":"p2"}}})"));
  Json late = binding("n1");
  late["metadata"]["resourceVersion"] = seen;
  CHECK_THAT(failure_message(post(api, late), 409, "Conflict"), Catch::Contains("resourceVersion"));
  CHECK(api.call("GET", kPods + "/p").body["spec"].contains("nodeName") == false);
  late["metadata"]["resourceVersion"] = api.call("GET", kPods + "/p").body["metadata"]["resourceVersion"];
  CHECK(post(api, late).code == 201);
}

TEST_CASE("A second binding is a conflict, to whatever node") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  REQUIRE(post(api, binding("n1")).code == 201);
  for (const char* node : {"n1", "n2"}) {
    CHECK_THAT(failure_message(post(api, binding(node)), 409, "Conflict"), Catch::Contains("n1"));
  }
  CHECK(api.call("GET", kPods + "/p").body["spec"]["nodeName"] == "n1");
}

TEST_CASE("A gated pod cannot be bound") {
  Api api;
  api.call("POST", kPods, member_named("p", "g"));
  CHECK_THAT(failure_message(post(api, binding("n1")), 409, "Conflict"), Catch::Contains("gate"));
}

TEST_CASE("A binding names a node and an existing pod") {
  Api api;
  failure_message(post(api, binding("n1")), 404, "NotFound");
  api.call("POST", kPods, pod_named("p"));
  CHECK_THAT(failure_message(post(api, binding("")), 422, "Invalid"), Catch::Contains("target.name"));
  Json service = binding("n1");
  service["target"]["kind"] = "Service";
  CHECK_THAT(failure_message(post(api, service), 422, "Invalid"), Catch::Contains("Service"));
  Json other = binding("n1");
  other["metadata"]["name"] = "q";
  failure_message(post(api, other), 400, "BadRequest");
}

}  // namespace
}  // namespace muster::embedded
