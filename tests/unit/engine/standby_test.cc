// A coordinator that keeps books while another one leads, and then takes over from what stands in the API.
#include <catch2/catch.hpp>
#include <utility>

#include "engine/coordinator.h"
#include "support/kube_objects.h"

using namespace muster;
using namespace muster::group;
using muster::test::bound_to;
using muster::test::make_member;
using muster::test::make_node;
using muster::test::make_pod;

namespace {

struct Standby {
  static engine::CoordinatorOptions options() {
    engine::CoordinatorOptions options;
    options.trees = muster::test::block_rack_trees();
    options.leading = false;
    return options;
  }
  Standby() {
    coordinator.nodes_changed(
        {kube::Replace<kube::Node>{{make_node("n1", "b1", "r1"), make_node("n2", "b1", "r1")}}}, now);
  }
  void list(std::vector<kube::Pod> pods) {
    coordinator.pods_changed({kube::Replace<kube::Pod>{std::move(pods)}}, now);
  }
  void see(kube::Pod pod) { coordinator.pods_changed({kube::Upsert<kube::Pod>{std::move(pod)}}, now); }
  Commands advance() {
    coordinator.advance(now);
    return coordinator.take_commands();
  }
  template <typename T>
  static std::size_t count(const Commands& commands) {
    std::size_t found = 0;
    for (const Command& command : commands) found += std::holds_alternative<T>(command);
    return found;
  }
  [[nodiscard]] State state() const { return coordinator.find({"ns", "g"})->state(); }
  static kube::Pod planned(const std::string& name, const std::string& node) {
    kube::Pod pod = make_member(name, "g", 2);
    pod.nominated_node = node;
    pod.annotations["muster.dev/plan"] = "old-1";
    pod.scheduling_gates.clear();
    return pod;
  }

  int ids = 0;
  TimePoint now{Duration(1'000'000)};
  engine::Answers answers;
  engine::Coordinator coordinator{options(), [this] { return "new-" + std::to_string(++ids); }, answers};
};

}  // namespace

TEST_CASE_METHOD(Standby,
                 "A standby keeps groups, plans nothing, writes nothing, says nothing and has no timer") {
  list({make_member("a", "g", 2), make_member("b", "g", 2)});
  kube::Pod contradiction = make_member("c", "h", 2);
  contradiction.annotations["muster.dev/min-member"] = "none";
  see(contradiction);
  CHECK(advance().empty());
  now += Duration(3'600'000);
  CHECK(advance().empty());
  CHECK_FALSE(coordinator.next_timer());
  CHECK(coordinator.synced());
  CHECK_FALSE(coordinator.started());
  CHECK(state() == State::kPending);
  CHECK(ids == 0);
}

TEST_CASE_METHOD(Standby, "A standby binds nobody, of a group or of none") {
  list({planned("a", "n1"), planned("b", "n2"), make_pod("f")});
  (void)advance();
  for (const char* name : {"a", "b", "f"})
    coordinator.bind_called({"ns", name, std::string("uid-") + name, "n1"}, 7, now);
  const Commands said = advance();
  REQUIRE(said.size() == 3);
  for (const Command& command : said) {
    const auto* answer = std::get_if<AnswerBind>(&command);
    REQUIRE(answer);
    CHECK(answer->result.error().message == "muster: this is a standby");
  }
}

TEST_CASE_METHOD(Standby, "Who takes over plans what waits") {
  list({make_member("a", "g", 2), make_member("b", "g", 2)});
  (void)advance();
  coordinator.lead();
  CHECK(count<Nominate>(advance()) == 2);
  CHECK(coordinator.started());
  CHECK(state() == State::kReserved);
}

TEST_CASE_METHOD(Standby, "Who takes over goes on with the plan that stands in the API") {
  list({make_member("a", "g", 2), make_member("b", "g", 2)});
  (void)advance();
  see(planned("a", "n1"));
  see(planned("b", "n2"));
  CHECK(advance().empty());
  coordinator.lead();
  const Commands said = advance();
  CHECK(count<Nominate>(said) == 0);
  CHECK(count<Release>(said) == 2);  // whoever was released is released again, which wakes it
  CHECK(state() == State::kReserved);
  coordinator.bind_called({"ns", "a", "uid-a", "n1"}, 1, now);
  CHECK(count<Bind>(advance()) == 0);
  coordinator.bind_called({"ns", "b", "uid-b", "n2"}, 2, now);
  CHECK(count<Bind>(advance()) == 2);
  CHECK(ids == 0);
}

TEST_CASE_METHOD(Standby, "Who takes over between two bindings makes the group whole with the same plan") {
  list({planned("a", "n1"), planned("b", "n2")});
  see(bound_to(planned("a", "n1"), "n1"));
  (void)advance();
  coordinator.lead();
  CHECK(count<Release>(advance()) == 1);
  coordinator.bind_called({"ns", "b", "uid-b", "n2"}, 1, now);
  CHECK(count<Bind>(advance()) == 1);
  CHECK(ids == 0);
}

TEST_CASE_METHOD(Standby, "A standby that has not listed the pods yet takes over when it has") {
  coordinator.lead();
  CHECK(advance().empty());
  CHECK_FALSE(coordinator.started());
  list({make_member("a", "g", 2), make_member("b", "g", 2)});
  CHECK(count<Nominate>(advance()) == 2);
}
