#include "embedded/rest.h"

#include "objects.h"

namespace muster::embedded {
namespace {

using test::Api;
using test::failure_message;
using test::kPods;
using test::member_named;
using test::object_named;
using test::pod_named;

TEST_CASE("A pod from outside is completed as the API server does it") {
  Api api;
  Json pod = pod_named("p");
  pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = "8";
  pod["status"] = {{"phase", "Running"}};
  pod["metadata"]["uid"] = "mine";
  const Reply reply = api.call("POST", kPods, pod);
  REQUIRE(reply.code == 201);
  CHECK(text_at(reply.body, {"metadata", "namespace"}) == "default");
  CHECK(text_at(reply.body, {"metadata", "uid"}) == "uid-1");
  CHECK(text_at(reply.body, {"status", "phase"}) == "Pending");
  CHECK(reply.body["spec"]["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] == "8");
  CHECK(at_path(reply.body, {"spec", "schedulingGates"}).is_null());
  CHECK(api.call("GET", kPods + "/p").body == reply.body);
}

TEST_CASE("A member is created with the gate that holds it, a pod of no group without") {
  Api api;
  const auto gates = [&](const Json& pod) {
    const Reply reply = api.call("POST", kPods, pod);
    CHECK(reply.code == 201);
    return at_path(reply.body, {"spec", "schedulingGates"});
  };
  CHECK(gates(member_named("member", "g")) == Json::parse(R"([{"name":"muster.dev/hold"}])"));
  CHECK(gates(pod_named("foreign")).is_null());

  Json other = member_named("of-another-scheduler", "g");
  other["spec"]["schedulerName"] = "default-scheduler";
  CHECK(gates(other).is_null());
  Json bound = member_named("bound", "g");
  bound["spec"]["nodeName"] = "n";
  CHECK(gates(bound).is_null());
  Json held = member_named("held", "g");
  held["spec"]["schedulingGates"] = Json::parse(R"([{"name":"muster.dev/hold"}])");
  CHECK(gates(held).size() == 1);
}

TEST_CASE("A gated pod says so in its conditions") {
  Api api;
  const Reply reply = api.call("POST", kPods, member_named("m", "g"));
  CHECK(reply.body["status"]["conditions"][0]["reason"] == "SchedulingGated");
}

TEST_CASE("Names are generated when asked, each a new one") {
  Api api;
  Json pod = pod_named("x");
  pod["metadata"].erase("name");
  pod["metadata"]["generateName"] = "job-";
  const std::string first = text_at(api.call("POST", kPods, pod).body, {"metadata", "name"});
  const std::string second = text_at(api.call("POST", kPods, pod).body, {"metadata", "name"});
  CHECK(first.starts_with("job-"));
  CHECK(first.size() == 9);
  CHECK(first != second);
}

TEST_CASE("Lists have the version from which a watch goes on") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  const Reply list = api.call("GET", "/api/v1/pods");
  CHECK(list.code == 200);
  CHECK(list.body["kind"] == "PodList");
  REQUIRE(list.body["items"].size() == 1);
  CHECK(list.body["metadata"]["resourceVersion"] == list.body["items"][0]["metadata"]["resourceVersion"]);
  CHECK(api.call("GET", "/api/v1/namespaces/other/pods").body["items"].empty());
  CHECK(api.call("GET", "/api/v1/nodes").body["kind"] == "NodeList");
  CHECK(api.call("GET", "/apis/coordination.k8s.io/v1/leases").body["kind"] == "LeaseList");
}

TEST_CASE("A main patch leaves the status alone and a status patch the spec") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  const Json both = Json::parse(
      R"({"metadata":{"annotations":{"k":"v"}},"spec":{"activeDeadlineSeconds":9},"status":{"nominatedNodeName":"n"}})");

  const Reply main = api.merge(kPods + "/p", both);
  REQUIRE(main.code == 200);
  CHECK(main.body["metadata"]["annotations"]["k"] == "v");
  CHECK(main.body["spec"]["activeDeadlineSeconds"] == 9);
  CHECK_FALSE(main.body["status"].contains("nominatedNodeName"));

  api.call("POST", kPods, pod_named("q"));
  const Reply status = api.merge(kPods + "/q/status", both);
  REQUIRE(status.code == 200);
  CHECK(status.body["metadata"]["annotations"]["k"] == "v");
  CHECK_FALSE(status.body["spec"].contains("activeDeadlineSeconds"));
  CHECK(status.body["status"]["nominatedNodeName"] == "n");
  CHECK(status.body["status"]["phase"] == "Pending");
}

TEST_CASE("A member is released by a strategic merge patch") {
  Api api;
  api.call("POST", kPods, member_named("m", "g"));
  const Reply released = api.strategic(
      kPods + "/m",
      Json::parse(R"({"spec":{"schedulingGates":[{"$patch":"delete","name":"muster.dev/hold"}]}})"));
  CHECK(released.code == 200);
  CHECK(released.body["spec"]["schedulingGates"].empty());
}

TEST_CASE("Patches obey uid and version preconditions") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  const auto patch = [](const char* field, const char* value) {
    return Json{{"metadata", {{field, value}, {"annotations", {{"k", "v"}}}}}};
  };
  CHECK_THAT(failure_message(api.merge(kPods + "/p/status", patch("uid", "uid-9")), 409, "Conflict"),
             Catch::Contains("uid-9"));
  failure_message(api.merge(kPods + "/p", patch("resourceVersion", "1")), 409, "Conflict");
  CHECK_FALSE(api.call("GET", kPods + "/p").body["metadata"].contains("annotations"));
  CHECK(api.merge(kPods + "/p", patch("uid", "uid-1")).code == 200);
}

TEST_CASE("What may not change after creation does not") {
  Api api;
  api.call("POST", kPods, member_named("held", "g"));
  api.call("POST", kPods, pod_named("free"));
  const auto refused = [&](const char* name, const char* patch, const char* named) {
    INFO(patch);
    const Reply reply = api.merge(kPods + "/" + name, Json::parse(patch));
    CHECK_THAT(failure_message(reply, 422, "Invalid"), Catch::Contains(named));
  };
  refused("free", R"({"spec":{"schedulingGates":[{"name":"late"}]}})", "late");
  refused("free", R"({"spec":{"nodeName":"n"}})", "spec");
  refused("free", R"({"spec":{"nodeSelector":{"a":"b"}}})", "spec");
  refused("free", R"({"spec":{"containers":[]}})", "containers");
  refused("free", R"({"metadata":{"name":"other"}})", "other");
  CHECK(api.merge(kPods + "/held", Json::parse(R"({"spec":{"nodeSelector":{"a":"b"}}})")).code == 200);
}

TEST_CASE("Calls that are not understood are refused with the field and the value") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  const auto bad = [&](const Json& pod, const char* named) {
    CHECK_THAT(failure_message(api.call("POST", kPods, pod), 400, "BadRequest"), Catch::Contains(named));
  };
  Json number = member_named("m", "g");
  number["metadata"]["annotations"]["muster.dev/min-member"] = 4;
  bad(number, "muster.dev/min-member");
  Json elsewhere = pod_named("m");
  elsewhere["metadata"]["namespace"] = "other";
  bad(elsewhere, "other");
  Json service = pod_named("m");
  service["kind"] = "Service";
  bad(service, "Service");
  bad(Json::array(), "object");

  CHECK_THAT(failure_message(api.raw("POST", kPods, "{\"a\":"), 400, "BadRequest"), Catch::Contains("JSON"));
  CHECK_THAT(failure_message(api.raw("POST", kPods, std::string(200000, '[')), 400, "BadRequest"),
             Catch::Contains("JSON"));
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  CHECK_THAT(failure_message(api.raw("POST", kPods, deep), 400, "BadRequest"), Catch::Contains("deeper"));
  failure_message(api.raw("POST", kPods, ""), 400, "BadRequest");
  failure_message(api.merge(kPods + "/p/status", Json{{"status", "Running"}}), 400, "BadRequest");
  failure_message(api.merge(kPods + "/p", Json{{"metadata", nullptr}}), 400, "BadRequest");

  const Json selector{{"labelSelector", "a=b"}};
  CHECK_THAT(failure_message(api.call("GET", kPods, nullptr, "", selector), 400, "BadRequest"),
             Catch::Contains("labelSelector"));
  const Json version{{"watch", "1"}, {"resourceVersion", "x"}};
  CHECK_THAT(failure_message(api.call("GET", kPods, nullptr, "", version), 400, "BadRequest"),
             Catch::Contains("\"x\""));
}

TEST_CASE("Objects that cannot be are invalid") {
  Api api;
  const auto message = [&](const Json& pod) {
    return failure_message(api.call("POST", kPods, pod), 422, "Invalid");
  };
  CHECK_THAT(message(pod_named("No_Name")), Catch::Contains("No_Name"));
  Json empty = pod_named("p");
  empty["spec"]["containers"] = Json::array();
  CHECK_THAT(message(empty), Catch::Contains("containers"));
}

TEST_CASE("Other refusals carry their reason") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  CHECK_THAT(failure_message(api.call("GET", kPods + "/q"), 404, "NotFound"), Catch::Contains("default/q"));
  failure_message(api.call("GET", "/api/v1/services"), 404, "NotFound");
  failure_message(api.call("GET", "/api/v1/pods/p"), 404, "NotFound");
  failure_message(api.call("POST", kPods, pod_named("p")), 409, "AlreadyExists");
  failure_message(api.call("DELETE", kPods), 405, "MethodNotAllowed");
  failure_message(api.call("POST", "/api/v1/pods", pod_named("r")), 405, "MethodNotAllowed");
  failure_message(api.call("GET", kPods + "/p/log"), 405, "MethodNotAllowed");
  failure_message(api.call("PATCH", kPods + "/p", Json::array(), "application/json-patch+json"), 415,
                  "UnsupportedMediaType");
}

TEST_CASE("A replacement with a stale version is a conflict, as lease holders need it") {
  Api api;
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/muster/leases";
  Json lease = api.call("POST", leases, object_named("leader")).body;
  lease["spec"]["holderIdentity"] = "a";
  REQUIRE(api.call("PUT", leases + "/leader", lease).code == 200);
  lease["spec"]["holderIdentity"] = "b";
  failure_message(api.call("PUT", leases + "/leader", lease), 409, "Conflict");
  CHECK(api.call("GET", leases + "/leader").body["spec"]["holderIdentity"] == "a");
}

TEST_CASE("A pod is gone as soon as it is deleted, unless its uid is another") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  const Json other = Json::parse(R"({"preconditions":{"uid":"uid-9"}})");
  failure_message(api.call("DELETE", kPods + "/p", other), 409, "Conflict");
  CHECK(api.call("DELETE", kPods + "/p").code == 200);
  failure_message(api.call("GET", kPods + "/p"), 404, "NotFound");
}

TEST_CASE("An eviction deletes the pod it names") {
  Api api;
  api.call("POST", kPods, pod_named("p"));
  Json eviction = Json::parse(
      R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"preconditions":{"uid":"uid-9"}}})");
  failure_message(api.call("POST", kPods + "/p/eviction", eviction), 409, "Conflict");
  eviction["deleteOptions"]["preconditions"]["uid"] = "uid-1";
  CHECK(api.call("POST", kPods + "/p/eviction", eviction).code == 201);
  CHECK(api.call("GET", kPods + "/p").code == 404);
}

TEST_CASE("Events are kept with their message") {
  Api api;
  const Json event = Json::parse(
      R"({"metadata":{"generateName":"p."},"involvedObject":{"kind":"Pod","name":"p"},"reason":"NoRoom","message":"m"})");
  CHECK(api.call("POST", "/api/v1/namespaces/default/events", event).code == 201);
  CHECK(api.call("GET", "/api/v1/events").body["items"][0]["message"] == "m");
}

TEST_CASE("Clients can find out what is served") {
  Api api;
  CHECK(api.call("GET", "/version").code == 200);
  CHECK(api.call("GET", "/api/v1").body["resources"].size() == 4);
  CHECK(api.call("GET", "/apis").body["groups"][0]["name"] == "coordination.k8s.io");
}

}  // namespace
}  // namespace muster::embedded
