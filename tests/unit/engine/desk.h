// A coordinator with an API in memory, in virtual time: what is said is carried out and seen.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "binder/carry_out.h"
#include "engine/coordinator.h"
#include "support/fake_writer.h"
#include "support/group_bench.h"
#include "support/kube_objects.h"

namespace muster::test {

using namespace group;

inline engine::CoordinatorOptions options() {
  engine::CoordinatorOptions options;
  options.trees = block_rack_trees();
  return options;
}

struct Desk {
  int ids = 0;
  engine::Answers answers;
  engine::Coordinator coordinator{options(), [this] { return "p" + std::to_string(++ids); }, answers};
  FakeWriter api;
  TimePoint now{Duration(1'000'000)};
  uint64_t calls = 0;

  template <typename T>
  void see(T item) {
    if constexpr (std::is_same_v<T, kube::Node>) {
      coordinator.nodes_changed({kube::Upsert<kube::Node>{std::move(item)}}, now);
    } else {
      api.put(item);
      coordinator.pods_changed({kube::Upsert<kube::Pod>{std::move(item)}}, now);
    }
  }
  void list_nodes(std::vector<kube::Node> nodes) {
    coordinator.nodes_changed({kube::Replace<kube::Node>{std::move(nodes)}}, now);
  }
  void list_pods(std::vector<kube::Pod> pods) {
    for (const kube::Pod& pod : pods) api.put(pod);
    coordinator.pods_changed({kube::Replace<kube::Pod>{std::move(pods)}}, now);
  }
  void gone(const kube::Pod& pod) {
    api.erase(pod.name);
    coordinator.pods_changed({kube::Remove<kube::Pod>{pod}}, now);
  }
  Commands advance() {
    coordinator.advance(now);
    return coordinator.take_commands();
  }
  // Carries out what is said until nothing is, and shows what became of the pods.
  Commands settle() {
    Commands all;
    for (Commands said = advance(); !said.empty(); said = advance()) {
      for (const Command& command : said) {
        all.push_back(command);
        if (std::holds_alternative<AnswerBind>(command) || std::holds_alternative<Tell>(command)) continue;
        const Result<void> result = binder::carry_out(command, api);
        std::visit(
            [&](const auto& c) {
              if constexpr (requires { c.pod; }) {
                if (result) coordinator.pods_changed({kube::Upsert<kube::Pod>{api.pod(c.pod.name)}}, now);
              }
            },
            command);
        coordinator.done(command, result, now);
      }
    }
    return all;
  }
  void call(const std::string& pod, const std::string& node) {
    coordinator.bind_called({"ns", pod, "uid-" + pod, node}, ++calls, now);
  }
  std::string planned(const std::string& pod) const {
    const auto decision = answers.member("uid-" + pod);
    const auto* found = std::get_if<extender::Planned>(&decision);
    return found ? found->node : "";
  }
  std::string reason(const std::string& pod) const {
    const auto decision = answers.member("uid-" + pod);
    const auto* found = std::get_if<extender::Held>(&decision);
    return found ? found->reason : "";
  }
  State state(const std::string& group = "g") const { return coordinator.find({"ns", group})->state(); }
};

}  // namespace muster::test
