// A large group's events cost little each: what is done n times must not look at n members.
#include <catch2/catch.hpp>
#include <ctime>
#include <string>
#include <unordered_map>

#include "group/group.h"
#include "support/group_bench.h"

using namespace muster;
using namespace muster::group;

namespace {

constexpr int kMembers = 16'000;

// Room for everybody, eight to a node.
class WideRoom final : public Room {
 public:
  std::unordered_map<std::string, std::string> reserved;

  Answer solve(const Question& question) override {
    Fits fits;
    for (const Member* member : question.members)
      fits.placed.push_back({member->pod.uid, "n" + std::to_string(next_++ / 8)});
    return fits;
  }
  bool valid(const Question&, const std::vector<Placed>&) override { return true; }
  bool reserve(const GroupKey&, const Member& member, const std::string& node) override {
    return reserved.emplace(member.pod.uid, node).second;
  }
  bool keep(const GroupKey&, const Member&, const std::string&) override { return false; }
  void unreserve(const std::string& uid) override { reserved.erase(uid); }
  std::string domain_of(const std::string&) const override { return "block=b1"; }

 private:
  int next_ = 0;
};

class Life {
 public:
  WideRoom room;
  Progress progress;
  std::vector<Member> members;
  Group group{{"ns", "g"}, Settings{}, TimePoint{}};

  Life() {
    group.resume(context());
    GroupSpec spec;
    spec.min_member = kMembers;
    for (int i = 0; i < kMembers; ++i) {
      Member& member = members.emplace_back();
      const std::string uid = "0b7c1f3e-5a44-4c53-9d8e-" + std::to_string(100'000 + i);
      member.pod = {"ns", "pod-" + std::to_string(i), uid};
      member.spec = spec;
      member.demand.set("nvidia.com/gpu", 1);
      member.index = i;
      member.controller_uid = "job";
      member.held_by_gate = true;
      index_[uid] = static_cast<std::size_t>(i);
    }
  }
  Context context() { return {now, room, progress, new_id, out}; }
  Member& member(const std::string& uid) { return members[index_.at(uid)]; }
  void see(Member& m) {
    if (m.bound()) room.reserved.erase(m.pod.uid);
    group.upsert(m, context());
    publish();
  }
  // As the coordinator does after each event.
  void publish() {
    moved += group.take_moved().size();
    words += group.reason().size();
  }
  void see_all() {
    for (Member& m : members) see(m);
  }
  // Carries out what was said, one event for each report and one for each change of a pod.
  void carry_out() {
    const Commands commands = std::exchange(out, {});
    for (const Command& command : commands) {
      if (const auto* c = std::get_if<Nominate>(&command)) {
        Member& m = member(c->pod.uid);
        m.nominated_node = c->node;
        m.plan = c->plan;
        see(m);
        group.nominated(c->pod.uid, c->plan, {}, context());
      } else if (const auto* release = std::get_if<Release>(&command)) {
        Member& m = member(release->pod.uid);
        m.held_by_gate = false;
        see(m);
        group.released(release->pod.uid, release->plan, {}, context());
      } else if (const auto* bind = std::get_if<Bind>(&command)) {
        Member& m = member(bind->pod.uid);
        m.node = bind->node;
        see(m);
        group.bind_done(bind->pod.uid, bind->plan, {}, context());
      }
      publish();
    }
  }
  void call_all() {
    uint64_t number = 0;
    for (Member& m : members) {
      const std::string* node = group.planned_node(m.pod.uid);
      REQUIRE(node);
      group.bind_called(m.pod.uid, *node, ++number, context());
      publish();
    }
  }

  TimePoint now{};
  Commands out;
  std::size_t moved = 0;
  std::size_t words = 0;
  const std::function<std::string()> new_id = [] { return std::string("p1"); };

 private:
  std::unordered_map<std::string, std::size_t> index_;
};

class Stopwatch {
 public:
  ~Stopwatch() {
    const double taken = static_cast<double>(std::clock() - start_) / CLOCKS_PER_SEC;
#ifdef NDEBUG
    CHECK(taken < 2.0);
#else
    CHECK(taken < 20.0);  // unoptimised, perhaps with sanitizers
#endif
  }

 private:
  std::clock_t start_ = std::clock();  // processor time: the machine may be busy with other things
};

}  // namespace

TEST_CASE("A group of 16,000 members passes through its whole life in two seconds") {
  Life life;
  const Stopwatch watch;
  life.see_all();
  REQUIRE(life.group.state() == State::kPending);
  life.group.plan(life.context(), 1);
  life.carry_out();  // nominations
  life.carry_out();  // releases
  life.call_all();
  REQUIRE(life.group.state() == State::kBinding);
  life.carry_out();  // bindings
  REQUIRE(life.group.state() == State::kBound);
  CHECK(life.room.reserved.empty());
  for (Member& m : life.members) {
    m.succeeded = true;
    life.see(m);
  }
  CHECK(life.group.state() == State::kBound);
  for (const Member& m : life.members) {
    life.group.remove(m.pod.uid, life.context());
    life.publish();
  }
  CHECK(life.group.empty());
  CHECK(life.moved <= 8 * kMembers);
}

TEST_CASE("A group of 16,000 members is deleted in every state in two seconds") {
  Life life;
  const Stopwatch watch;
  life.see_all();
  SECTION("gathering or pending") {}
  SECTION("reserved") {
    life.group.plan(life.context(), 1);
    life.carry_out();
  }
  SECTION("binding") {
    life.group.plan(life.context(), 1);
    life.carry_out();
    life.carry_out();
    life.call_all();
  }
  for (Member& m : life.members) {
    m.terminating = true;
    life.see(m);
  }
  for (const Member& m : life.members) {
    life.group.remove(m.pod.uid, life.context());
    life.publish();
  }
  CHECK(life.group.empty());
  CHECK(life.room.reserved.empty());
}

TEST_CASE("16,000 members that disagree are rejected in two seconds, and each is told a few times at most") {
  Life life;
  for (int i = 0; i < kMembers; i += 2)
    test::Asking(life.members[static_cast<std::size_t>(i)])->min_member = 7;
  const Stopwatch watch;
  life.see_all();
  REQUIRE(life.group.state() == State::kRejected);
  for (Member& m : life.members) {
    test::Asking(m)->min_member = 9;
    life.see(m);
  }
  CHECK(life.group.state() == State::kPending);
  CHECK(life.out.size() <= 4 * kMembers);
}

TEST_CASE("16,000 members replaced one by one while others run cost little each") {
  Life life;
  const Stopwatch watch;
  life.see_all();
  life.group.plan(life.context(), 1);
  life.carry_out();
  life.carry_out();
  life.call_all();
  life.carry_out();
  for (Member& m : life.members) {
    m.failed = true;
    life.see(m);
  }
  CHECK(life.group.state() == State::kGathering);
  for (Member& m : life.members) {
    Member fresh = m;
    fresh.pod.uid += "-2";
    fresh.failed = false;
    fresh.node.clear();
    fresh.plan.clear();
    fresh.nominated_node.clear();
    life.group.upsert(fresh, life.context());
    life.publish();
  }
  CHECK(life.group.state() == State::kPending);
}
