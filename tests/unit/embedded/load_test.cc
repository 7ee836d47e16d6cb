#include "embedded/load.h"

#include "objects.h"

namespace muster::embedded {
namespace {

using test::store_options;

std::string message_of(const std::string& yaml) {
  Store store(store_options());
  const auto loaded = load_yaml(yaml, "c.yaml", {}, store);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == ErrorCode::kInvalid);
  return loaded.error().message;
}

const std::string kNode = "{apiVersion: v1, kind: Node, metadata: {name: a}}\n";
const std::string kMember = R"(
apiVersion: v1
kind: Pod
metadata: {name: m, annotations: {muster.dev/group-name: g}}
spec: {schedulerName: muster, containers: [{name: main}]}
)";

TEST_CASE("Documents and lists fill the store") {
  Store store(store_options());
  const std::string yaml = R"(
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Node, metadata: {name: a}, status: {allocatable: {pods: "110"}}}
  - {apiVersion: v1, kind: Node, metadata: {name: b}}
---
apiVersion: v1
kind: Pod
metadata: {name: running}
spec: {nodeName: a, containers: [{name: main}]}
status: {phase: Running}
)";
  REQUIRE(load_yaml(yaml, "c.yaml", {}, store));
  CHECK(store.list(Kind::kNode, "").items.size() == 2);
  CHECK(text_at(**store.get(Kind::kNode, "", "a"), {"status", "allocatable", "pods"}) == "110");
  const auto pod = store.get(Kind::kPod, "default", "running");
  REQUIRE(pod);
  CHECK(text_at(**pod, {"status", "phase"}) == "Running");
  CHECK_FALSE(text_at(**pod, {"metadata", "uid"}).empty());
}

TEST_CASE("A member without node and status is held as if it had just been created") {
  Store store(store_options());
  REQUIRE(load_yaml(kMember, "c.yaml", {}, store));
  CHECK((**store.get(Kind::kPod, "default", "m"))["spec"]["schedulingGates"].size() == 1);
}

TEST_CASE("What cannot be loaded is named with its place") {
  CHECK_THAT(message_of(kNode + "---\n{apiVersion: apps/v1, kind: Deployment}\n"),
             Catch::Contains("c.yaml:3: ") && Catch::Contains("Deployment"));
  CHECK_THAT(message_of(kNode + "---\n" + kNode), Catch::Contains("nodes \"a\" already exists"));
  CHECK_THAT(message_of("metadata: [\n"), Catch::Contains("c.yaml:"));
  CHECK_THAT(message_of("{apiVersion: v1, kind: Node, metadata: {name: n1}, status: fine}"),
             Catch::Contains("nodes \"n1\"") && Catch::Contains("status"));
  CHECK_THAT(
      message_of("{apiVersion: v1, kind: Pod, metadata: {name: m, annotations: {muster.dev/min-member: 4}}}"),
      Catch::Contains("pods \"m\"") && Catch::Contains("min-member") && Catch::Contains("4"));
}

TEST_CASE("A file that is not there, a directory and an empty file are named") {
  const auto message = [](const std::string& path) {
    Store store(store_options());
    const auto loaded = load_file(path, {}, store);
    REQUIRE_FALSE(loaded);
    return loaded.error().message;
  };
  CHECK(message("/no/such/cluster.yaml") == "/no/such/cluster.yaml: No such file or directory");
  CHECK(message("/tmp") == "/tmp: Is a directory");
  CHECK(message("/dev/null") == "/dev/null: is empty");
}

}  // namespace
}  // namespace muster::embedded
