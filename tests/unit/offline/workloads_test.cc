#include "offline/workloads.h"

#include <catch2/catch.hpp>

using namespace muster;
using namespace muster::offline;

namespace {

std::vector<kube::Pod> pods(std::string_view kind, std::string_view json) {
  const auto made = pods_of(kind, json);
  INFO((made ? "" : made.error().message));
  REQUIRE(made);
  return *made;
}

std::string error_of(std::string_view kind, std::string_view json) {
  const auto made = pods_of(kind, json);
  REQUIRE_FALSE(made);
  return made.error().message;
}

constexpr const char* kIndex = "batch.kubernetes.io/job-completion-index";

}  // namespace

TEST_CASE("Four kinds of workloads have pods") {
  for (const char* kind : {"Job", "Deployment", "ReplicaSet", "StatefulSet"}) CHECK(is_workload(kind));
  for (const char* kind : {"Pod", "JobSet", "CronJob", "DaemonSet", "job", ""})
    CHECK_FALSE(is_workload(kind));
}

TEST_CASE("An indexed Job's pods carry their index, namespace, owner and template") {
  const auto made = pods("Job", R"({"metadata": {"name": "train", "namespace": "team",
      "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"parallelism": 3, "completions": 3,
      "completionMode": "Indexed", "template": {"metadata": {"annotations": {"muster.dev/group-name": "g"}},
      "spec": {"schedulerName": "muster", "containers": [{"name": "m", "resources": {"requests": {"cpu": 2}}}]}}}})");
  REQUIRE(made.size() == 3);
  CHECK(made[2].name == "train-2");
  CHECK(made[2].ns == "team");
  CHECK(made[2].labels.at(kIndex) == "2");
  CHECK(made[2].annotations.at("muster.dev/group-name") == "g");
  CHECK(made[2].requests.get("cpu") == 2000);
  CHECK(made[2].creation_seconds == 1'767'225'600);
  REQUIRE(made[2].controller);
  CHECK(made[2].controller->name == "train");
  CHECK(made[0].controller->uid == made[2].controller->uid);
}

TEST_CASE("A workload without a number has one pod, and zero is a number") {
  CHECK(pods("Job", R"({"metadata": {"name": "a"}, "spec": {"template": {"spec": {}}}})").size() == 1);
  CHECK(pods("Deployment", R"({"metadata": {"name": "a"}, "spec": {"template": {}}})").size() == 1);
  CHECK(
      pods("Deployment", R"({"metadata": {"name": "a"}, "spec": {"replicas": 0, "template": {}}})").empty());
}

TEST_CASE("A Job runs at most as many pods as it has completions") {
  CHECK(pods("Job",
             R"({"metadata": {"name": "a"}, "spec": {"parallelism": 8, "completions": 2, "template": {}}})")
            .size() == 2);
  CHECK(pods("Job",
             R"({"metadata": {"name": "a"}, "spec": {"parallelism": 2, "completions": 8, "template": {}}})")
            .size() == 2);
}

TEST_CASE("Only pods with an identity have an index") {
  const auto job = pods("Job", R"({"metadata": {"name": "a"}, "spec": {"template": {}}})");
  CHECK(job[0].labels.empty());
  const auto set =
      pods("StatefulSet", R"({"metadata": {"name": "a"}, "spec": {"replicas": 11, "template": {}}})");
  CHECK(set[10].name == "a-10");
  CHECK(set[10].labels.at("apps.kubernetes.io/pod-index") == "10");
}

TEST_CASE("Names made up for pods without an index sort like their numbers") {
  const auto made =
      pods("Deployment", R"({"metadata": {"name": "a"}, "spec": {"replicas": 11, "template": {}}})");
  CHECK(made[2].name == "a-02");
  CHECK(made[10].name == "a-10");
  CHECK(pods("Deployment", R"({"metadata": {"name": "a"}, "spec": {"replicas": 10, "template": {}}})")[9]
            .name == "a-9");
}

TEST_CASE("What is wrong with a workload is named with its path and value") {
  CHECK(error_of("Job", "{") == "not JSON");
  CHECK(error_of("Job", "{}") == "metadata.name: missing");
  CHECK(error_of("Job", R"({"metadata": {"name": 7}})") == "metadata.name: missing");
  CHECK(error_of("Job", R"({"metadata": {"name": "a"}, "spec": {}})") == "spec.template: missing");
  CHECK(error_of("Job", R"({"metadata": {"name": "a"}, "spec": {"template": []}})") ==
        "spec.template: missing");
  CHECK(error_of("Job", R"({"metadata": {"name": "a"}, "spec": {"parallelism": "four", "template": {}}})") ==
        "spec.parallelism: \"four\" is not a whole number from 0 to 100000");
  CHECK(error_of("Job", R"({"metadata": {"name": "a"}, "spec": {"completions": -1, "template": {}}})") ==
        "spec.completions: \"-1\" is not a whole number from 0 to 100000");
  CHECK(error_of("ReplicaSet",
                 R"({"metadata": {"name": "a"}, "spec": {"replicas": 100001, "template": {}}})") ==
        "spec.replicas: \"100001\" is not a whole number from 0 to 100000");
  CHECK(error_of("Job", R"({"metadata": {"name": "a"}, "spec": {"template": {"spec": {"nodeName": 1}}}})")
            .find("spec.template.spec.nodeName") == 0);
}
