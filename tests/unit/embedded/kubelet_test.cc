#include "embedded/kubelet.h"

#include "objects.h"

namespace muster::embedded {
namespace {

using test::Api;
using test::kNow;
using test::kPods;
using test::pod_named;

Json bound_pod() {
  Json pod = pod_named("p");
  pod["spec"]["nodeName"] = "n";
  pod["status"]["phase"] = "Pending";
  return pod;
}

std::string condition(const Json& pod, const std::string& type) {
  for (const Json& one : at_path(pod, {"status", "conditions"})) {
    if (one["type"] == type) return one["status"];
  }
  return "";
}

TEST_CASE("A bound pod becomes Running and Ready, once") {
  Json pod = bound_pod();
  sync_pod(pod, kNow);
  CHECK(pod["status"]["phase"] == "Running");
  CHECK(condition(pod, "Ready") == "True");
  const Json after = pod;
  sync_pod(pod, "2031-01-01T00:00:00Z");
  CHECK(pod == after);
}

TEST_CASE("A readiness gate holds Ready back until its condition is True") {
  Json pod = bound_pod();
  pod["spec"]["readinessGates"] = Json::parse(R"([{"conditionType":"muster.dev/group-ready"}])");
  sync_pod(pod, kNow);
  CHECK(condition(pod, "ContainersReady") == "True");
  CHECK(condition(pod, "Ready") == "False");
  pod["status"]["conditions"].push_back({{"type", "muster.dev/group-ready"}, {"status", "True"}});
  sync_pod(pod, kNow);
  CHECK(condition(pod, "Ready") == "True");
}

TEST_CASE("Unbound and ended pods are left alone") {
  Json unbound = pod_named("p");
  unbound["status"]["phase"] = "Pending";
  Json ended = bound_pod();
  ended["status"]["phase"] = "Succeeded";
  for (Json pod : {unbound, ended}) {
    const Json before = pod;
    sync_pod(pod, kNow);
    CHECK(pod == before);
  }
}

TEST_CASE("The kubelet starts pods that are bound before and after it") {
  Api api;
  Json early = pod_named("early");
  early["spec"]["nodeName"] = "n";
  api.call("POST", kPods, early);
  api.call("POST", kPods, pod_named("late"));
  {
    Kubelet kubelet(api.store, std::chrono::milliseconds(5), [] { return std::string(kNow); });
    api.call("POST", kPods + "/late/binding", Json::parse(R"({"target":{"name":"n"}})"));
    for (const char* name : {"early", "late"}) {
      INFO(name);
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      const auto phase = [&] {
        return text_at(api.call("GET", kPods + "/" + name).body, {"status", "phase"});
      };
      while (phase() != "Running" && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      CHECK(phase() == "Running");
    }
    api.store.close();
  }
}

}  // namespace
}  // namespace muster::embedded
