// The table that filter and preempt answer from.
#include "engine/answers.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

using namespace muster;
using namespace muster::engine;

namespace {

const group::GroupKey kGroup{"ns", "g"};
const group::GroupKey kOther{"ns", "h"};

std::string held(const Answers& answers, const std::string& uid) {
  return std::get<extender::Held>(answers.member(uid)).reason;
}

}  // namespace

TEST_CASE("A member that was not seen is held and said so") {
  const Answers answers;
  CHECK(held(answers, "a") == "muster: this pod has not been seen yet");
  CHECK_FALSE(answers.knows("a"));
}

TEST_CASE("A member is held with its group's words until it has a node, and again when it has none") {
  Answers answers;
  answers.set_group(kGroup, "group ns/g is gathering", {0});
  answers.set_member("a", kGroup, "");
  answers.set_member("b", kGroup, "");
  CHECK(held(answers, "a") == "muster: group ns/g is gathering");
  CHECK(answers.knows("a"));
  const std::string node = "n1";
  answers.set_node("a", &node);
  CHECK(std::get<extender::Planned>(answers.member("a")).node == "n1");
  CHECK(held(answers, "b") == "muster: group ns/g is gathering");
  answers.set_group(kGroup, "group ns/g waits for room", {0});
  CHECK(held(answers, "b") == "muster: group ns/g waits for room");
  answers.set_node("a", nullptr);
  CHECK(held(answers, "a") == "muster: group ns/g waits for room");
  answers.set_node("stranger", &node);
  CHECK_FALSE(answers.knows("stranger"));
  answers.erase_member("a");
  CHECK(held(answers, "a") == "muster: this pod has not been seen yet");
}

TEST_CASE("kube-scheduler knows of a plan when its copy of the pod carries it") {
  Answers answers;
  answers.set_group(kGroup, "", {0});
  answers.set_member("a", kGroup, "");
  const std::string node = "n1";
  answers.set_node("a", &node, "p7.1");
  const auto known = [&](const std::string& carried) {
    return std::get<extender::Planned>(answers.member("a", carried)).known;
  };
  CHECK(known("p7.1"));
  CHECK(known("p7.1+"));
  CHECK_FALSE(known(""));
  CHECK_FALSE(known("p7"));
  CHECK_FALSE(known("p7.12"));
}

TEST_CASE("Promises are a snapshot that a reader keeps") {
  Answers answers;
  const auto before = answers.promises();
  REQUIRE(before);
  CHECK(before->empty());
  extender::Promises promises;
  promises["n1"].set("nvidia.com/gpu", 3);
  answers.set_promises(promises);
  CHECK(before->empty());
  CHECK(answers.promises()->at("n1").get("nvidia.com/gpu") == 3);
}

TEST_CASE("Pods are expendable unless a group would fall below its minimum") {
  Answers answers;
  answers.set_group(kGroup, "", {1});
  answers.set_group(kOther, "", {0});
  for (const char* uid : {"a", "b"}) answers.set_member(uid, kGroup, "");
  answers.set_member("x", kOther, "");
  CHECK(answers.expendable({}, 0));
  CHECK(answers.expendable({"stranger", "another"}, 0));
  CHECK(answers.expendable({"a"}, 0));
  CHECK(answers.expendable({"stranger", "b"}, 0));
  CHECK_FALSE(answers.expendable({"a", "b"}, 0));
  CHECK_FALSE(answers.expendable({"x"}, 0));
  CHECK_FALSE(answers.expendable({"stranger", "x"}, 0));
  answers.set_group(kGroup, "", {-2});  // lacks members already
  CHECK_FALSE(answers.expendable({"a"}, 0));
}

TEST_CASE(
    "Pods are not expendable when a subgroup would fall below its minimum, whatever its group can spare") {
  group::SubgroupSpec leader;
  leader.name = "leader";
  leader.min_member = 1;
  group::SubgroupSpec workers;
  workers.name = "workers";
  workers.min_member = 2;
  auto minima = std::make_shared<Shield::Minima>();
  minima->spec.min_member = 3;
  minima->spec.subgroups = {leader, workers};
  minima->standing.have = {{"leader", 1}, {"workers", 4}};
  minima->standing.exist = minima->standing.have;
  Answers answers;
  answers.set_group(kGroup, "", {2, minima});
  answers.set_member("l", kGroup, "leader");
  for (const char* uid : {"w1", "w2", "w3"}) answers.set_member(uid, kGroup, "workers");
  CHECK(answers.expendable({"w1", "w2"}, 0));
  CHECK_FALSE(answers.expendable({"w1", "w2", "w3"}, 0));
  CHECK_FALSE(answers.expendable({"l"}, 0));
}

TEST_CASE(
    "A group is broken by a higher priority than all its members have, and only where that is allowed") {
  Answers answers;
  answers.set_group(kGroup, "", {0, nullptr, 10});
  answers.set_group(kOther, "", {0});
  answers.set_member("a", kGroup, "");
  answers.set_member("x", kOther, "");
  CHECK_FALSE(answers.expendable({"a"}, 10));
  CHECK(answers.expendable({"a"}, 11));
  CHECK_FALSE(answers.expendable({"a", "x"}, 11));
}

TEST_CASE("Readers never see half a change while the engine writes") {
  Answers answers;
  answers.set_group(kGroup, "first", {0});
  answers.set_member("a", kGroup, "");
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const auto decision = answers.member("a");
        if (const auto* planned = std::get_if<extender::Planned>(&decision)) {
          wrong += planned->node != "n1" && planned->node != "n22222222222222222222222222222222";
        } else {
          const std::string& reason = std::get<extender::Held>(decision).reason;
          wrong += reason != "muster: first" && reason != "muster: second" &&
                   reason != "muster: this pod has not been seen yet";
        }
        static_cast<void>(answers.promises()->size());
        static_cast<void>(answers.expendable({"a"}, 0));
      }
    });
  }
  const std::string one = "n1";
  const std::string two = "n22222222222222222222222222222222";
  for (int i = 0; i < 2'000; ++i) {
    answers.set_node("a", i % 2 == 0 ? &one : &two);
    answers.set_group(kGroup, i % 2 == 0 ? "first" : "second", {0});
    answers.set_node("a", nullptr);
    extender::Promises promises;
    for (int n = 0; n < i % 7; ++n) promises["n" + std::to_string(n)];
    answers.set_promises(std::move(promises));
    answers.erase_member("a");
    answers.set_member("a", kGroup, "");
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}
