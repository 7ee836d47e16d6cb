// docs/failure-domain.md as tests: each row of its table is a row here, and neither has one more.
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "support/group_bench.h"
#include "support/paths.h"

using namespace muster;
using namespace muster::group;
using muster::test::GroupBench;
using muster::test::only;

namespace {

constexpr Duration kGrace{60'000};
const std::vector<std::string> kMembers{"a", "b", "c", "d"};

struct Life : GroupBench {
  explicit Life(FailurePolicy policy = FailurePolicy::kRepair, bool bare = false) {
    room.slots = {{"n1", 4}, {"n2", 4}};
    for (const std::string& uid : kMembers) make(uid, policy, bare);
  }
  void make(const std::string& uid, FailurePolicy policy = FailurePolicy::kRepair, bool bare = false) {
    Member& member = pod(uid);
    member.spec->failure_policy = policy;
    member.controller = bare ? "" : "job";
    member.controller_uid = bare ? "" : "job-1";
    see(uid);
  }
  Life& reserved() {
    reserve();
    REQUIRE(state() == State::kReserved);
    return *this;
  }
  // All bind calls are here and the bindings are about to be posted.
  Commands binding() {
    reserved();
    uint64_t number = 0;
    for (const auto& [uid, node] : std::map(room.reserved)) call(uid, ++number);
    REQUIRE(state() == State::kBinding);
    return take();
  }
  Life& bound() {
    reserve();
    bind_all();
    take();
    REQUIRE(state() == State::kBound);
    return *this;
  }
  // The bindings take effect, but those of `failing` do not, for good.
  void bind_but(const std::set<std::string>& failing) {
    for (const Bind& c : only<Bind>(binding())) {
      if (failing.contains(c.pod.uid)) {
        group().bind_done(c.pod.uid, c.plan, fail(ErrorCode::kForbidden, "no"), context());
        continue;
      }
      pod(c.pod.uid).node = c.node;
      group().bind_done(c.pod.uid, c.plan, {}, context());
      see(c.pod.uid);
    }
  }
  void settle() {
    while (!out.empty()) carry_out();
  }
  void let_fail(const std::string& uid) {
    pod(uid).failed = true;
    see(uid);
  }
  void succeed(const std::string& uid) {
    pod(uid).succeeded = true;
    see(uid);
  }
  void fate(const std::string& uid, NodeFate fate) {
    pod(uid).fate = fate;
    group().node_fared(uid, fate, context());
  }
  // What is going is gone, and its controller makes it again.
  void remake(FailurePolicy policy = FailurePolicy::kRepair) {
    std::vector<std::string> going;
    for (const auto& [uid, member] : pods) {
      if (member.terminating || member.failed) going.push_back(uid);
    }
    for (const std::string& uid : going) erase(uid);
    for (const std::string& uid : going) make(uid + "'", policy);
  }
  bool holds_nothing() const {
    return room.reserved.empty() &&
           std::none_of(pods.begin(), pods.end(), [](const auto& entry) { return entry.second.live(); });
  }
  std::vector<std::string> told() {
    std::vector<std::string> reasons;
    for (const Tell& words : only<Tell>(out)) reasons.push_back(words.reason);
    return reasons;
  }
  std::vector<std::string> evicted() {
    settle();
    std::vector<std::string> uids = evictions;
    std::sort(uids.begin(), uids.end());
    return uids;
  }
};

using Names = std::vector<std::string>;

struct Row {
  const char* state;
  const char* fault;
  const char* then;
  void (*shows)();
};

const Row kRows[] = {
    {"Gathering", "a member is deleted", "the others wait on and hold nothing",
     [] {
       Life life;
       life.erase("d");
       CHECK(life.state() == State::kGathering);
       CHECK(life.holds_nothing());
     }},
    {"Reserved", "a member is deleted and the rest does not reach the minimum",
     "the plan ends; its room is free in the same step",
     [] {
       Life life;
       life.reserved().erase("d");
       CHECK(life.room.reserved.empty());
       CHECK(life.state() == State::kGathering);
     }},
    {"Reserved", "a member's node is refused, cordoned, full or gone",
     "this member is planned on another node, the others stay",
     [] {
       Life life;
       const std::string before = life.reserved().node_of("a");
       life.group().node_refused("a", before, life.context());
       const auto nominated = only<Nominate>(life.take());
       REQUIRE(nominated.size() == 1);
       CHECK(nominated[0].pod.uid == "a");
       CHECK(life.room.reserved.size() == 4);
     }},
    {"Reserved", "kube-scheduler dies",
     "the plan waits for its calls until the hold timeout, then gives all back",
     [] {
       Life life;
       life.reserved().call("a", 1);
       life.group().bind_abandoned("a", 1);
       life.pass(Duration(30'000));
       CHECK(life.holds_nothing());
       CHECK(life.state() == State::kPending);
     }},
    {"Reserved", "Muster dies", "the plan that stands on the members is taken up, if it still holds",
     [] {
       Life life;
       life.reserved().restart_and_resume();
       CHECK(life.state() == State::kReserved);
       CHECK(life.room.reserved.size() == 4);
     }},
    {"Binding", "a reply is lost or the API server is away",
     "the binding is posted until its outcome is known",
     [] {
       Life life;
       const auto bindings = only<Bind>(life.binding());
       life.group().bind_done("a", bindings[0].plan, fail(ErrorCode::kUnavailable, "cut"), life.context());
       CHECK(only<Bind>(life.take()).size() == 1);
       CHECK(life.room.reserved.contains("a"));
     }},
    {"Binding", "bindings of several members fail for good",
     "these are planned again together, with the rest where it is",
     [] {
       Life life;
       life.bind_but({"c", "d"});
       life.settle();
       CHECK(life.state() == State::kRepairing);
       life.pass(Duration(1'000));
       REQUIRE(life.plan());
       CHECK(life.room.last_question.fixed.size() == 2);
       CHECK(life.room.reserved.size() == 2);
       while (!only<Nominate>(life.out).empty() || !only<Release>(life.out).empty()) life.carry_out();
       life.bind_all();
       CHECK(life.state() == State::kBound);
       CHECK(life.evictions.empty());
     }},
    {"Binding", "a member's pod is gone", "the others are bound; a replacement is planned beside them",
     [] {
       Life life;
       life.binding();
       life.erase("d");
       for (const std::string uid : {"a", "b", "c"}) {
         life.pod(uid).node = life.node_of(uid);
         life.see(uid);
       }
       CHECK(life.state() == State::kRepairing);
       life.make("d'");
       REQUIRE(life.plan());
       CHECK(life.room.last_question.fixed.size() == 3);
     }},
    {"Binding", "the grace runs out and members are missing",
     "Unwinding: all bound members are evicted, and the group is planned again as a whole",
     [] {
       Life life;
       life.room.slots = {{"n1", 4}};
       life.bind_but({"d"});
       life.settle();
       life.room.slots["n1"] = 3;
       life.pass(kGrace - Duration(1));
       CHECK(life.state() == State::kRepairing);
       life.pass(Duration(1));
       CHECK(life.state() == State::kUnwinding);
       CHECK(life.evicted() == Names{"a", "b", "c"});
       CHECK(life.state() != State::kUnwinding);
       CHECK(life.holds_nothing());
       life.room.slots["n1"] = 4;
       life.remake();
       life.pass(Duration(2'000));
       life.bound();
     }},
    {"Binding", "the grace runs out and a bound member is a bare pod",
     "Stuck: nothing is evicted, and the reason is told",
     [] {
       Life life(FailurePolicy::kRepair, true);
       life.room.slots = {{"n1", 4}};
       life.bind_but({"d"});
       life.settle();
       life.room.slots["n1"] = 3;
       life.pass(kGrace);
       CHECK(life.state() == State::kStuck);
       CHECK(life.told() == Names{"Stuck"});
       CHECK(life.group().reason() ==
             "group ns/g is stuck: pod a has no controller that would make it again, so none is evicted");
       CHECK(life.evicted().empty());
       CHECK(life.group().next_timer().value_or(life.now + kGrace) > life.now);
       // It is mended all the same when there is room again.
       life.room.slots["n1"] = 4;
       ++life.epoch;
       life.bound();
     }},
    {"Binding", "Muster dies with some members bound", "the rest of the plan is taken up and bound",
     [] {
       Life life;
       const auto bindings = only<Bind>(life.binding());
       for (const Bind& c : bindings) {
         if (c.pod.uid < "c") life.pod(c.pod.uid).node = c.node;
       }
       life.restart_and_resume();
       CHECK(life.room.reserved.size() == 2);
       while (!only<Nominate>(life.out).empty() || !only<Release>(life.out).empty()) life.carry_out();
       life.bind_all();
       CHECK(life.state() == State::kBound);
     }},
    {"Bound, Repair", "a member fails or is deleted",
     "Repairing: its replacement is planned beside the others, which stay",
     [] {
       Life life;
       life.bound().let_fail("a");
       CHECK(life.state() == State::kRepairing);
       life.remake();
       REQUIRE(life.plan());
       CHECK(life.room.last_question.fixed.size() == 3);
       life.bound();
       CHECK(life.evictions.empty());
     }},
    {"Bound, Repair", "a node is not ready for longer than the node grace",
     "its members are lost: they are evicted, and replaced beside the others",
     [] {
       Life life;
       life.bound().fate("a", NodeFate::kNotReady);
       CHECK(life.state() == State::kBound);
       life.fate("a", NodeFate::kLost);
       life.fate("b", NodeFate::kLost);
       CHECK(life.state() == State::kRepairing);
       const auto evictions = only<Evict>(life.out);
       REQUIRE(evictions.size() == 2);
       CHECK_FALSE(evictions[0].at_once);
       CHECK(life.evicted() == Names{"a", "b"});
       life.remake();
       REQUIRE(life.plan());
       CHECK(life.room.last_question.fixed.size() == 2);
       life.bound();
     }},
    {"Bound, Repair", "a node is gone", "its members are evicted without their grace period",
     [] {
       Life life;
       life.bound().fate("a", NodeFate::kGone);
       const auto evictions = only<Evict>(life.out);
       REQUIRE(evictions.size() == 1);
       CHECK(evictions[0].at_once);
       CHECK(life.evicted() == Names{"a"});
     }},
    {"Bound, Repair", "a node is gone under a member that is going already",
     "what nobody will confirm is evicted without its grace period",
     [] {
       Life life;
       life.bound().fate("a", NodeFate::kLost);
       CHECK(life.evicted() == Names{"a"});
       CHECK(life.pod("a").terminating);
       life.fate("a", NodeFate::kGone);
       const auto evictions = only<Evict>(life.out);
       REQUIRE(evictions.size() == 1);
       CHECK(evictions[0].at_once);
     }},
    {"Bound, Repair", "a node comes back within the node grace", "nothing happens",
     [] {
       Life life;
       life.bound().fate("a", NodeFate::kNotReady);
       life.fate("a", NodeFate::kFine);
       CHECK(life.state() == State::kBound);
       CHECK(life.out.empty());
     }},
    {"Bound, Repair", "a lost member has more than the minimum beside it",
     "the group stays Bound; the replacement joins",
     [] {
       Life life;
       life.make("e");
       life.bound().let_fail("a");
       CHECK(life.state() == State::kBound);
       life.pass(2 * kGrace);
       CHECK(life.state() == State::kBound);
       CHECK(life.evicted().empty());
     }},
    {"Bound, Repair", "a replacement finds no room in its slice",
     "it leaves the slice and not the required domain, and this is told",
     [] {
       Life life;
       for (const std::string& uid : kMembers) {
         life.pod(uid).spec->slices = {{2, "rack"}};
         life.see(uid);
       }
       life.bound().let_fail("a");
       life.erase("a");
       life.make("a'");
       life.pod("a'").spec->slices = {{2, "rack"}};
       life.see("a'");
       life.room.answer = Answer(DoesNotFit{"rack n1 is full"});
       life.room.wider = Fits{{{"a'", "n2"}}};
       REQUIRE(life.plan());
       CHECK(life.room.reserved == std::map<std::string, std::string>{{"a'", "n2"}});
       const Names told = life.told();
       CHECK(std::find(told.begin(), told.end(), "RepairedOutsideSlice") != told.end());
     }},
    {"Bound, Repair", "the grace runs out without a replacement",
     "Unwinding: all are evicted, and the group is planned again as a whole",
     [] {
       Life life;
       life.bound().let_fail("a");
       life.pass(kGrace);
       CHECK(life.state() == State::kUnwinding);
       CHECK(only<Mark>(life.out).size() == 3);
       CHECK(only<Evict>(life.out).empty());  // not before the decision stands on every member
       CHECK(life.evicted() == Names{"b", "c", "d"});
       CHECK(life.holds_nothing());
     }},
    {"Bound, Repair", "failure-grace is set", "it takes the place of the configured grace",
     [] {
       Life life;
       for (const std::string& uid : kMembers) {
         life.pod(uid).spec->failure_grace = Duration(5'000);
         life.see(uid);
       }
       life.bound().let_fail("a");
       life.pass(Duration(4'999));
       CHECK(life.state() == State::kRepairing);
       life.pass(Duration(1));
       CHECK(life.state() == State::kUnwinding);
     }},
    {"Bound, Restart", "a member is lost", "Restarting: all the others are evicted together",
     [] {
       Life life(FailurePolicy::kRestart);
       life.bound().let_fail("a");
       CHECK(life.state() == State::kRepairing);
       life.pass(Duration(1'000));
       CHECK(life.state() == State::kRestarting);
       CHECK(life.told() == Names{"Restarting"});
       CHECK(life.evicted() == Names{"b", "c", "d"});
       life.remake(FailurePolicy::kRestart);
       life.pass(Duration(2'000));
       life.bound();
       CHECK(life.group().restarts() == 1);
     }},
    {"Bound, Restart", "a member is lost that the minimum does not need",
     "Restarting all the same: the collective has lost it",
     [] {
       Life life(FailurePolicy::kRestart);
       life.make("e", FailurePolicy::kRestart);
       life.bound().let_fail("e");
       CHECK(life.state() == State::kBound);
       life.pass(Duration(1'000));
       CHECK(life.state() == State::kRestarting);
       CHECK(life.evicted() == kMembers);
     }},
    {"Bound, Restart", "all members are deleted by their owner", "nothing is restarted",
     [] {
       Life life(FailurePolicy::kRestart);
       life.bound();
       for (const std::string& uid : kMembers) {
         life.pod(uid).terminating = true;
         life.see(uid);
       }
       life.pass(Duration(1'000));
       CHECK(life.out.empty());
       CHECK(life.group().restarts() == 0);
     }},
    {"Bound, Restart", "a bare pod is among the members", "nothing is evicted, and the reason is told",
     [] {
       Life life(FailurePolicy::kRestart);
       life.make("e", FailurePolicy::kRestart, true);
       life.bound().let_fail("a");
       life.pass(Duration(1'000));
       CHECK(life.state() == State::kBound);
       CHECK(life.told() == Names{"NotRestarted"});
       CHECK(life.evicted().empty());
     }},
    {"Bound, Restart", "it fails again and again",
     "after the limit it lets go a last time and is Stuck, holding nothing, until another controller makes "
     "it",
     [] {
       Life life(FailurePolicy::kRestart);
       for (int i = 0; i < 6; ++i) {
         life.bound().let_fail(life.pods.begin()->first);
         life.pass(Duration(1'000));
         CHECK(life.state() == State::kRestarting);
         life.settle();
         life.remake(FailurePolicy::kRestart);
         life.pass(Duration(60'000));
       }
       CHECK(life.state() == State::kStuck);
       CHECK_FALSE(life.group().wants_plan(life.now, 99));
       CHECK(life.holds_nothing());
       CHECK(life.group().reason().find("it has let go 6 times in a row") != std::string::npos);
       for (const auto& [uid, member] : std::map(life.pods)) life.erase(uid);
       CHECK_FALSE(life.group().forgettable(life.now));
       for (const std::string& uid : kMembers) {
         life.pod(uid).controller_uid = "job-2";
         life.see(uid);
       }
       CHECK(life.group().restarts() == 0);
       life.bound();
     }},
    {"Bound, Restart", "it has stood for the restart window", "its restarts are counted anew",
     [] {
       Life life(FailurePolicy::kRestart);
       for (int i = 0; i < 8; ++i) {
         life.bound();
         life.pass(Duration(600'000));
         life.let_fail(life.pods.begin()->first);
         life.pass(Duration(1'000));
         CHECK(life.group().restarts() == 1);
         life.settle();
         life.remake(FailurePolicy::kRestart);
         life.pass(Duration(60'000));
       }
     }},
    {"Bound, Ignore", "a member is lost", "nothing; a replacement joins the others",
     [] {
       Life life(FailurePolicy::kIgnore);
       life.bound().fate("a", NodeFate::kGone);
       life.pass(10 * kGrace);
       CHECK(life.state() == State::kRepairing);
       CHECK(life.evicted().empty());
       life.erase("a");
       life.make("a'", FailurePolicy::kIgnore);
       life.bound();
     }},
    {"Bound", "a member completes", "nothing: the minimum counts it",
     [] {
       Life life(FailurePolicy::kRestart);
       life.bound().succeed("a");
       CHECK(life.state() == State::kBound);
       life.pass(10 * kGrace);
       CHECK(life.state() == State::kBound);
       CHECK(life.evicted().empty());
     }},
    {"Bound", "a member is lost after another has completed",
     "the lost one is replaced; a finishing group is never restarted, but Stuck if nothing replaces it",
     [] {
       Life life(FailurePolicy::kRestart);
       life.bound().succeed("a");
       life.let_fail("b");
       life.pass(kGrace);
       CHECK(life.state() == State::kStuck);
       CHECK(life.group().reason() ==
             "group ns/g is stuck: 1 of its members have completed, so the others are left to end");
       CHECK(life.evicted().empty());
       life.remake(FailurePolicy::kRestart);
       life.bound();
     }},
    {"Unwinding, Restarting", "Muster dies",
     "the marks on the members tell it what was decided, and it goes on",
     [] {
       Life life(FailurePolicy::kRestart);
       life.make("e", FailurePolicy::kRestart);
       life.bound().let_fail("a");
       life.pass(Duration(1'000));
       const auto marks = only<Mark>(life.take());
       life.pod("b").mark = marks[0].why;  // only one of them reached the API
       life.pod("c").restarts = 2;
       life.pod("a").restarts = 7;  // of no live member
       life.restart_and_resume();
       CHECK(life.state() == State::kRestarting);
       CHECK(life.group().restarts() == 3);  // what was interrupted counts
       CHECK(life.evicted() == Names{"b", "c", "d", "e"});
     }},
    {"Unwinding, Restarting", "a PodDisruptionBudget refuses an eviction",
     "it is tried again with backoff, and told; nothing is planned meanwhile",
     [] {
       Life life;
       life.bound().let_fail("a");
       life.pass(kGrace);
       for (const Mark& mark : only<Mark>(life.take())) life.group().marked(mark.pod.uid, {}, life.context());
       const auto evictions = only<Evict>(life.take());
       REQUIRE(evictions.size() == 3);
       CHECK(evictions[0].obey_budgets);
       life.group().evicted(evictions[0], fail(ErrorCode::kThrottled, "budget"), life.context());
       CHECK(life.told() == Names{"EvictionBlocked"});
       CHECK(only<Evict>(life.take()).empty());
       life.make("a'");
       CHECK_FALSE(life.group().wants_plan(life.now, 99));
       CHECK(life.group().next_timer() == life.now + Duration(1'000));
       life.pass(Duration(1'000));
       CHECK(only<Evict>(life.take()).size() == 1);
     }},
    {"Unwinding, Restarting", "disruption-budgets is Ignore", "members are deleted past the budgets",
     [] {
       Life life;
       for (const std::string& uid : kMembers) {
         life.pod(uid).spec->obey_budgets = false;
         life.see(uid);
       }
       life.bound().let_fail("a");
       life.pass(kGrace);
       for (const Mark& mark : only<Mark>(life.take())) life.group().marked(mark.pod.uid, {}, life.context());
       const auto evictions = only<Evict>(life.take());
       REQUIRE(evictions.size() == 3);
       CHECK_FALSE(evictions[0].obey_budgets);
     }},
    {"Unwinding, Restarting", "the API server is away",
     "marks and evictions are repeated until they are done",
     [] {
       Life life;
       life.bound().let_fail("a");
       life.pass(kGrace);
       const auto marks = only<Mark>(life.take());
       life.group().marked("b", fail(ErrorCode::kUnavailable, "cut"), life.context());
       CHECK(only<Mark>(life.take()).size() == 1);
       for (const Mark& mark : marks) life.group().marked(mark.pod.uid, {}, life.context());
       const auto evictions = only<Evict>(life.take());
       REQUIRE(evictions.size() == 3);
       life.group().evicted(evictions[0], fail(ErrorCode::kUnavailable, "cut"), life.context());
       life.pass(Duration(1'000));
       CHECK(only<Evict>(life.take()).size() == 1);
     }},
};

// "| Bound | a member completes | nothing |" of the first table whose head is "state".
std::vector<std::vector<std::string>> documented_rows() {
  std::ifstream file(muster::test::source_dir() + "/docs/failure-domain.md");
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("|")) {
      inside = false;
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream text(line.substr(1));
    for (std::string cell; std::getline(text, cell, '|');) {
      const auto begin = cell.find_first_not_of(' ');
      const auto end = cell.find_last_not_of(' ');
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
    }
    if (cells.front() == "state") inside = true;
    if (inside && cells.front() != "state" && !cells.front().starts_with("-")) rows.push_back(cells);
  }
  return rows;
}

}  // namespace

TEST_CASE("What a fault does to a group in each state") {
  for (const Row& row : kRows) {
    DYNAMIC_SECTION(row.state << ": " << row.fault << ": " << row.then) { row.shows(); }
  }
}

TEST_CASE("docs/failure-domain.md lists what the tests show, and nothing else") {
  std::vector<std::vector<std::string>> shown;
  for (const Row& row : kRows) shown.push_back({row.state, row.fault, row.then});
  const auto documented = documented_rows();
  CHECK(documented.size() == shown.size());
  for (const auto& row : documented) {
    INFO(row.at(0) << " | " << row.at(1) << " | " << row.at(2));
    CHECK(std::find(shown.begin(), shown.end(), row) != shown.end());
  }
  for (const auto& row : shown) {
    INFO(row.at(0) << " | " << row.at(1) << " | " << row.at(2));
    CHECK(std::find(documented.begin(), documented.end(), row) != documented.end());
  }
}
