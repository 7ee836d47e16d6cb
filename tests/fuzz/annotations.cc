// Pods with arbitrary annotations meet the whole of the decision: parsed, grouped, planned on a small
// cluster, bound. Lines "key=value" are annotations (muster.dev/ is put before the key); an empty line begins
// the next pod's, which has those of the pod before it too.
#include "books/annotations.h"

#include <algorithm>

#include "engine/coordinator.h"
#include "fuzz/target.h"

namespace {

using namespace muster;

constexpr std::size_t kMaxPods = 24;

std::vector<kube::Node> nodes() {
  std::vector<kube::Node> nodes;
  for (int i = 0; i < 8; ++i) {
    kube::Node node;
    node.name = "n" + std::to_string(i);
    node.uid = "node-" + std::to_string(i);
    node.ready = true;
    node.labels = {{"block", i < 4 ? "b0" : "b1"}, {"rack", i % 4 < 2 ? "r0" : "r1"}};
    node.allocatable.set("gpu", 4);
    node.allocatable.set("cpu", 16'000);
    node.allocatable.set("pods", 8);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

void take_line(std::string_view line, kube::Pod& pod) {
  const auto equals = line.find('=');
  const std::string value(equals == std::string_view::npos ? std::string_view{} : line.substr(equals + 1));
  const std::string key(line.substr(0, equals));
  if (key == "gpu") {
    pod.requests.set("gpu", static_cast<int64_t>(value.size()));
  } else if (key == "node") {
    pod.node_name = value;
  } else if (key == "priority") {
    pod.priority = static_cast<int32_t>(value.size());
  } else {
    pod.annotations["muster.dev/" + key] = value;
  }
}

std::vector<kube::Pod> pods(std::string_view text, uint8_t copies) {
  std::vector<kube::Pod> pods;
  kube::Pod pod;
  pod.ns = "default";
  pod.scheduler_name = "muster";
  pod.requests.set("pods", 1);
  pod.requests.set("gpu", 1);
  const auto finish = [&] {
    for (int i = 0; i <= copies && pods.size() < kMaxPods; ++i) {
      pods.push_back(pod);
      pods.back().name = "p" + std::to_string(pods.size());
      pods.back().uid = "uid-" + std::to_string(pods.size());
    }
  };
  while (!text.empty() && pods.size() < kMaxPods) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) {
      finish();
    } else {
      take_line(line, pod);
    }
  }
  finish();
  return pods;
}

}  // namespace

MUSTER_FUZZ_TARGET(annotations) {
  const uint8_t copies = muster::fuzz::take_byte(input) % 6;
  engine::CoordinatorOptions options;
  options.trees = {{"fabric", {{"block", {"block"}}, {"rack", {"rack"}}}}};
  engine::Answers answers;
  engine::Coordinator coordinator(
      options, [n = 0]() mutable { return "plan-" + std::to_string(++n); }, answers);
  TimePoint now{Duration(1'000'000)};
  coordinator.nodes_changed({kube::Replace<kube::Node>{nodes()}}, now);
  const auto all = pods(input, copies);
  coordinator.pods_changed({kube::Replace<kube::Pod>{all}}, now);
  uint64_t calls = 0;
  // Everything the API and kube-scheduler are asked for succeeds.
  for (int round = 0; round < 6; ++round) {
    coordinator.advance(now);
    for (const auto& command : coordinator.take_commands()) coordinator.done(command, {}, now);
    EXPECT_THAT(coordinator.books().balanced() || round == 0 || !all.empty());
    if (round == 3) {
      for (const auto& pod : all) {
        const auto decision = answers.member(pod.uid);
        if (const auto* planned = std::get_if<extender::Planned>(&decision))
          coordinator.bind_called({pod.ns, pod.name, pod.uid, planned->node}, ++calls, now);
      }
    }
    now += Duration(1'000);
  }
  for (const auto& pod : all) coordinator.pods_changed({kube::Remove<kube::Pod>{pod}}, now);
  coordinator.advance(now);
  EXPECT_THAT(coordinator.counts().groups.empty() && coordinator.counts().reservations == 0);
}
