// Watches that expire while groups hold room: the engine behind two reflectors.
#include <catch2/catch.hpp>
#include <set>

#include "engine/engine.h"
#include "support/fake_writer.h"
#include "watching.h"

namespace muster::kube::test {
namespace {

using std::chrono::milliseconds;

std::string host(const std::string& name) {
  return fmt::format(
      R"({{"metadata":{{"name":"{}","uid":"uid-{}","resourceVersion":"1"}},"status":{{"allocatable":{{"gpu":"8","pods":"10"}},"conditions":[{{"type":"Ready","status":"True"}}]}}}})",
      name, name);
}

std::string member(const std::string& name, const std::string& nominated, const std::string& plan) {
  return fmt::format(
      R"({{"metadata":{{"name":"{}","namespace":"ns","uid":"uid-{}","resourceVersion":"1","annotations":{{"muster.dev/group-name":"g","muster.dev/min-member":"2"{}}}}},"spec":{{"schedulerName":"muster","containers":[{{"name":"c","resources":{{"requests":{{"gpu":"8"}}}}}}]{}}},"status":{{"phase":"Pending"{}}}}})",
      name, name, plan.empty() ? "" : R"(,"muster.dev/plan":")" + plan + "\"",
      plan.empty() ? R"(,"schedulingGates":[{"name":"muster.dev/hold"}])" : "",
      nominated.empty() ? "" : R"(,"nominatedNodeName":")" + nominated + "\"");
}

std::string pod_list(int version, const std::vector<std::string>& items) {
  return fmt::format(R"({{"kind":"PodList","metadata":{{"resourceVersion":"{}"}},"items":[{}]}})", version,
                     fmt::join(items, ","));
}

TEST_CASE("hostile: a list in the middle of it leaves groups that are reserved as they are") {
  muster::test::FakeWriter writer;
  const SteadyClock clock;
  std::atomic<bool> expire{false};
  std::atomic<bool> second_gone{false};
  std::atomic<int> pod_lists{0};
  // As the writer has it: what was nominated stays so over lists.
  const auto members = [&] {
    std::vector<std::string> items;
    for (const std::string name : {"a", "b"}) {
      if (name == "b" && second_gone) continue;
      const Pod pod = writer.pod(name);
      const auto plan = pod.annotations.find("muster.dev/plan");
      items.push_back(member(name, pod.nominated_node, plan == pod.annotations.end() ? "" : plan->second));
    }
    return items;
  };
  for (const std::string name : {"a", "b"}) writer.put(*decode_pod(member(name, "", "")));
  FakeApi api([&](Exchange& x) {
    const bool pods = x.path == kPodsPath;
    if (!x.is_watch() && !pods) return x.reply(200, list(10, {host("n1"), host("n2"), host("n3")}));
    if (!x.is_watch()) {
      const int number = ++pod_lists;
      return x.reply(200, pod_list(10 * number, members()));
    }
    x.begin();
    if (!pods) return x.hold();
    while (!expire) std::this_thread::sleep_for(milliseconds(1));
    expire = false;
    x.chunk(event("ERROR", status(410, "Expired", "too old resource version")));
    x.end();
  });
  engine::EngineOptions options;
  options.binder.workers = 2;
  std::atomic<int> ids{0};
  engine::Engine engine(
      options, writer, clock, [] { return 0.5; }, [&] { return "p" + std::to_string(++ids); });
  engine.start();
  Reflector<Node> nodes(
      quick(), credentials_for(api.url(), clock), clock, [] { return 0.5; },
      [&](DeltaBatch<Node> batch) { engine.nodes_changed(std::move(batch)); });
  ListWatchOptions pod_options = quick();
  pod_options.path = std::string(kPodsPath);
  Reflector<Pod> pods(
      pod_options, credentials_for(api.url(), clock), clock, [] { return 0.5; },
      [&](DeltaBatch<Pod> batch) { engine.pods_changed(std::move(batch)); });
  nodes.start();
  pods.start();
  const auto planned = [&](const std::string& name) -> std::string {
    const auto decision = engine.filter({"ns", name, "uid-" + name, "muster", false, "g"});
    const auto* found = std::get_if<extender::Planned>(&decision);
    return found ? found->node : "";
  };
  REQUIRE(soon(
      [&] { return writer.pod("a").scheduling_gates.empty() && writer.pod("b").scheduling_gates.empty(); }));
  REQUIRE(soon([&] { return !planned("a").empty() && !planned("b").empty(); }));
  const std::string a = planned("a");
  const std::string b = planned("b");
  CHECK(a != b);

  for (int round = 0; round < 3; ++round) {
    const int before = pod_lists;
    expire = true;
    REQUIRE(soon([&] { return pod_lists > before; }));
    std::this_thread::sleep_for(milliseconds(50));
    CHECK(planned("a") == a);
    CHECK(planned("b") == b);
  }
  CHECK(ids == 1);

  // A list that lacks a member is its end: alone the other one holds nothing.
  second_gone = true;
  const int before = pod_lists;
  expire = true;
  REQUIRE(soon([&] { return pod_lists > before; }));
  CHECK(soon([&] { return planned("a").empty(); }));
  engine.stop();
  expire = true;
  nodes.stop();
  pods.stop();
}

}  // namespace
}  // namespace muster::kube::test
