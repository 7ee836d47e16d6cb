// The threads around the coordinator: calls that wait, timeouts, stop.
#include "engine/engine.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <future>

#include "support/fake_writer.h"
#include "support/figures.h"
#include "support/kube_objects.h"
#include "support/soon.h"

using namespace muster;
using muster::test::make_member;
using muster::test::make_node;
using muster::test::make_pod;
using muster::test::soon;

namespace {

struct Running {
  muster::test::FakeWriter api;
  SteadyClock clock;
  std::atomic<int> ids = 0;
  std::unique_ptr<engine::Engine> engine;

  explicit Running(Duration bind_timeout = Duration(20'000)) {
    engine::EngineOptions options;
    options.coordinator.trees = muster::test::block_rack_trees();
    options.coordinator.bind_timeout = bind_timeout;
    options.binder.workers = 4;
    engine = std::make_unique<engine::Engine>(
        options, api, clock, [] { return 0.5; }, [this] { return "p" + std::to_string(++ids); });
    api.on_change([this](const kube::Pod& pod) { engine->pods_changed({kube::Upsert<kube::Pod>{pod}}); });
    engine->start();
  }
  void list(std::vector<kube::Node> nodes, std::vector<kube::Pod> pods) {
    for (const kube::Pod& pod : pods) api.put(pod);
    engine->nodes_changed({kube::Replace<kube::Node>{std::move(nodes)}});
    engine->pods_changed({kube::Replace<kube::Pod>{std::move(pods)}});
  }
  static extender::PodIdentity identity(const std::string& name, const std::string& group) {
    return {"ns", name, "uid-" + name, "muster", false, group};
  }
  // Where kube-scheduler would bind it: it has been released, and filter names a node.
  std::string planned(const std::string& name) {
    if (!api.pod(name).scheduling_gates.empty()) return "";
    const auto decision = engine->filter(identity(name, "g"));
    const auto* found = std::get_if<extender::Planned>(&decision);
    return found ? found->node : "";
  }
  std::future<Result<void>> bind(const std::string& name, const std::string& node) {
    return std::async(std::launch::async,
                      [this, name, node] { return engine->bind({"ns", name, "uid-" + name, node}); });
  }
};

std::vector<kube::Node> two_nodes() { return {make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1")}; }

}  // namespace

TEST_CASE("The engine is ready when nodes and pods have been listed") {
  Running running;
  CHECK_FALSE(running.engine->ready());
  running.list(two_nodes(), {});
  CHECK(soon([&] { return running.engine->ready(); }));
  CHECK(running.engine->metrics().find("muster_ready 1") != std::string::npos);
}

TEST_CASE("Bind calls of a group wait for one another and are all answered") {
  Running running;
  running.list(two_nodes(), {make_member("a", "g", 2), make_member("b", "g", 2)});
  REQUIRE(soon([&] { return !running.planned("a").empty() && !running.planned("b").empty(); }));
  auto a = running.bind("a", running.planned("a"));
  CHECK(a.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
  CHECK(running.api.pod("a").node_name.empty());
  auto b = running.bind("b", running.planned("b"));
  CHECK(a.get());
  CHECK(b.get());
  CHECK_FALSE(running.api.pod("a").node_name.empty());
}

TEST_CASE("The figures that the reference tells of are on the page, no others, and move with what happens") {
  using muster::test::shown;
  Running running;
  const auto becomes = [&](const std::string& figure, double value) {
    return soon([&] { return shown(running.engine->metrics(), figure) == value; });
  };
  running.list(two_nodes(), {make_member("a", "g", 2), make_member("b", "g", 2)});
  REQUIRE(soon([&] { return !running.planned("a").empty() && !running.planned("b").empty(); }));
  CHECK(becomes("muster_ready", 1));
  CHECK(becomes("muster_nodes", 2));
  CHECK(becomes("muster_reservations", 2));
  CHECK(becomes("muster_groups{state=\"Reserved\"}", 1));
  CHECK(shown(running.engine->metrics(), "muster_plans_total") >= 1);
  CHECK(shown(running.engine->metrics(), "muster_solver_steps_total") >= 1);
  CHECK(shown(running.engine->metrics(), "muster_filter_total{decision=\"planned\"}") >= 2);

  auto a = running.bind("a", running.planned("a"));
  CHECK(becomes("muster_bind_calls_waiting", 1));
  auto b = running.bind("b", running.planned("b"));
  CHECK(a.get());
  CHECK(b.get());
  CHECK(becomes("muster_bind_calls_waiting", 0));
  CHECK(becomes("muster_reservations", 0));
  CHECK(becomes("muster_groups{state=\"Bound\"}", 1));
  CHECK(becomes("muster_groups{state=\"Reserved\"}", 0));
  CHECK(becomes("muster_api_writes_total{command=\"bind\",result=\"ok\"}", 2));

  CHECK(std::holds_alternative<extender::Held>(running.engine->filter(Running::identity("new", "g"))));
  CHECK(std::holds_alternative<extender::Foreign>(running.engine->filter(Running::identity("x", ""))));
  running.engine->node_refused(Running::identity("a", "g"), "n1");
  CHECK(becomes("muster_filter_total{decision=\"held\"}", 1));
  CHECK(becomes("muster_filter_total{decision=\"foreign\"}", 1));
  CHECK(becomes("muster_nodes_refused_total", 1));
  CHECK(becomes("muster_engine_queue", 0));
  CHECK(becomes("muster_api_writes_waiting", 0));
  const std::string page = running.engine->metrics();
  CHECK(shown(page, "muster_engine_turn_seconds_count") >= 1);
  CHECK(shown(page, "process_resident_memory_bytes") > 1e6);
  CHECK(muster::test::families(page) == muster::test::documented_figures("reference.md"));
}

TEST_CASE("A pod of no group is bound without waiting, and filter lets it pass") {
  Running running;
  running.list(two_nodes(), {make_pod("x", 1)});
  REQUIRE(soon([&] { return running.engine->ready(); }));
  CHECK(std::holds_alternative<extender::Foreign>(running.engine->filter(Running::identity("x", ""))));
  CHECK(running.bind("x", "n1").get());
  CHECK(running.api.pod("x").node_name == "n1");
}

TEST_CASE("A pod that wants something of Muster but names no group is refused, and told why") {
  Running running;
  running.list(two_nodes(), {});
  REQUIRE(soon([&] { return running.engine->ready(); }));
  const auto answer = [&](const std::string& key, const std::string& scheduler, bool in_native_group) {
    extender::PodIdentity pod = Running::identity("x", "");
    pod.muster_key = key;
    pod.scheduler_name = scheduler;
    pod.in_native_group = in_native_group;
    const auto decision = running.engine->filter(pod);
    const auto* held = std::get_if<extender::Held>(&decision);
    return held ? held->reason : "passed";
  };
  CHECK(answer("muster.dev/groupname", "muster", false) ==
        "muster: muster.dev/groupname: unknown annotation; the nearest known one is muster.dev/group-name; "
        "without muster.dev/group-name the pod is in no group");
  CHECK(answer("muster.dev/min-member", "muster", false) ==
        "muster: muster.dev/min-member is set; without muster.dev/group-name the pod is in no group");
  CHECK(answer("muster.dev/min-member", "somebody-else", false) == "passed");
  CHECK(answer("muster.dev/min-member", "muster", true) == "passed");
}

TEST_CASE("A member that has not been seen, or whose group's name is empty, is held") {
  Running running;
  kube::Pod nameless = make_member("n", "", 1);
  running.list(two_nodes(), {nameless});
  REQUIRE(soon([&] { return running.engine->ready(); }));
  CHECK(std::holds_alternative<extender::Held>(running.engine->filter(Running::identity("new", "g"))));
  const auto decision = running.engine->filter(Running::identity("n", ""));
  REQUIRE(std::holds_alternative<extender::Held>(decision));
  CHECK(std::get<extender::Held>(decision).reason.find("muster.dev/group-name: \"\"") != std::string::npos);
}

TEST_CASE("A bind call ends at the bind timeout, and the barrier does not count it any more") {
  Running running(Duration(1'000));
  running.list(two_nodes(), {make_member("a", "g", 2), make_member("b", "g", 2)});
  REQUIRE(soon([&] { return !running.planned("a").empty() && !running.planned("b").empty(); }));
  const std::string node_of_a = running.planned("a");
  const std::string node_of_b = running.planned("b");
  const auto late = running.bind("a", node_of_a).get();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::kUnavailable);
  CHECK_FALSE(running.bind("b", node_of_b).get());
  CHECK(running.api.pod("b").node_name.empty());

  auto both = std::pair(running.bind("a", node_of_a), running.bind("b", node_of_b));
  CHECK(both.first.get());
  CHECK(both.second.get());
}

TEST_CASE("Stop answers the calls that wait, and later ones at once") {
  Running running;
  running.list(two_nodes(), {make_member("a", "g", 2), make_member("b", "g", 2)});
  REQUIRE(soon([&] { return !running.planned("a").empty(); }));
  auto waiting = running.bind("a", running.planned("a"));
  CHECK(waiting.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  running.engine->stop();
  const auto result = waiting.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "muster: shutting down");
  CHECK_FALSE(running.bind("a", "n1").get());
  running.engine->stop();
}

TEST_CASE(
    "Drain lets open barriers' bindings be posted, refuses new calls and leaves those that wait to stop") {
  Running running;
  std::vector<kube::Pod> pods = {make_member("w", "waits", 2, 1), make_member("v", "waits", 2, 1),
                                 make_pod("x", 1)};
  for (int m = 0; m < 8; ++m) pods.push_back(make_member("m" + std::to_string(m), "g", 8, 1));
  running.list(two_nodes(), pods);
  REQUIRE(soon([&] { return !running.planned("m7").empty(); }));
  REQUIRE(soon([&] { return !running.planned("w").empty(); }));
  auto waiting = running.bind("w", running.planned("w"));
  running.api.close_gate("bind");
  std::vector<std::future<Result<void>>> calls;
  for (int m = 0; m < 8; ++m) {
    const std::string name = "m" + std::to_string(m);
    REQUIRE(soon([&] { return !running.planned(name).empty(); }));
    calls.push_back(running.bind(name, running.planned(name)));
  }
  REQUIRE(soon([&] { return running.api.at_gate() == 4; }));  // as many as the binder has workers

  auto draining = std::async(std::launch::async, [&] { return running.engine->drain(Duration(20'000)); });
  const auto refused = [&](const std::string& name) {
    const auto result = running.engine->bind({"ns", name, "uid-" + name, "not-planned"});
    return !result && result.error().message == "muster: shutting down";
  };
  REQUIRE(soon([&] { return refused("v"); }));  // before, the reason is the node
  CHECK(refused("x"));
  CHECK(draining.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  running.api.open_gate();
  CHECK(draining.get());
  for (auto& call : calls) CHECK(call.get());
  for (int m = 0; m < 8; ++m) CHECK_FALSE(running.api.pod("m" + std::to_string(m)).node_name.empty());
  CHECK(running.api.pod("x").node_name.empty());
  CHECK(waiting.wait_for(std::chrono::milliseconds(0)) == std::future_status::timeout);
  running.engine->stop();
  CHECK(waiting.get().error().code == ErrorCode::kUnavailable);
}

TEST_CASE("Drain ends at its limit when a binding hangs") {
  Running running;
  running.list(two_nodes(), {make_pod("x", 1)});
  REQUIRE(soon([&] { return running.engine->ready(); }));
  running.api.close_gate("bind");
  auto call = running.bind("x", "n1");
  REQUIRE(soon([&] { return running.api.at_gate() == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(running.engine->drain(Duration(100)));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  running.api.open_gate();
  CHECK(call.get());
}

TEST_CASE("Drain after stop returns at once") {
  Running running;
  running.engine->stop();
  const auto begin = std::chrono::steady_clock::now();
  CHECK(running.engine->drain(Duration(60'000)));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

TEST_CASE("Members are never preempted for, and may_preempt protects groups") {
  Running running;
  running.list(two_nodes(), {make_member("a", "g", 1), make_pod("x", 1)});
  REQUIRE(soon([&] { return running.engine->ready(); }));
  CHECK_FALSE(running.engine->may_preempt(Running::identity("a", "g"), {"uid-x"}));
  CHECK(running.engine->may_preempt(Running::identity("x", ""), {"uid-y"}));
  CHECK_FALSE(running.engine->may_preempt(Running::identity("x", ""), {"uid-a"}));
}

TEST_CASE("A refused node is planned around") {
  Running running;
  running.list(two_nodes(), {make_member("a", "g", 1)});
  REQUIRE(soon([&] { return !running.planned("a").empty(); }));
  const std::string before = running.planned("a");
  running.engine->node_refused(Running::identity("a", "g"), before);
  CHECK(soon([&] { return !running.planned("a").empty() && running.planned("a") != before; }));
}

TEST_CASE("Many groups are bound by many threads at once while the API fails now and then") {
  Running running;
  std::vector<kube::Node> nodes;
  std::vector<kube::Pod> pods;
  for (int n = 0; n < 16; ++n)
    nodes.push_back(make_node("n" + std::to_string(n), "b1", "r" + std::to_string(n / 4)));
  for (int g = 0; g < 16; ++g) {
    for (int m = 0; m < 8; ++m)
      pods.push_back(
          make_member("p" + std::to_string(g) + "-" + std::to_string(m), "g" + std::to_string(g), 8, 1));
  }
  running.api.set_faults(
      [n = 0](const std::string&,
              const std::string&) mutable -> std::optional<muster::test::FakeWriter::Fault> {
        if (++n % 5 != 0) return std::nullopt;
        return muster::test::FakeWriter::Fault{{ErrorCode::kUnavailable, "cut"}, n % 2 == 0};
      });
  running.list(nodes, pods);
  std::vector<std::future<bool>> schedulers;
  for (const kube::Pod& pod : pods) {
    schedulers.push_back(std::async(std::launch::async, [&running, name = pod.name] {
      for (int tries = 0; tries < 20; ++tries) {
        std::string node;
        if (!soon([&] { return !(node = running.planned(name)).empty(); })) return false;
        if (running.engine->bind({"ns", name, "uid-" + name, node})) return true;
      }
      return false;
    }));
  }
  int bound = 0;
  for (auto& scheduler : schedulers) bound += scheduler.get();
  CHECK(bound == 128);
  for (const kube::Pod& pod : pods) CHECK_FALSE(running.api.pod(pod.name).node_name.empty());
}
