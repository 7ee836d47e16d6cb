// Promise 4: the books balance, and answer what the API says rather than what was planned.
#include "books/books.h"

#include <catch2/catch.hpp>

#include "books/annotations.h"
#include "support/kube_objects.h"

using namespace muster;
using namespace muster::books;
using muster::test::bound_to;
using muster::test::kGpu;
using muster::test::make_member;
using muster::test::make_node;
using muster::test::make_pod;

namespace {

const group::GroupKey kGroup{"ns", "g"};

struct Ledger {
  Books books{muster::test::block_rack_trees()};
  std::map<std::string, group::Member> members;

  Ledger() {
    books.upsert_node(make_node("n1", "b1", "r1"));
    books.upsert_node(make_node("n2", "b1", "r1"));
    books.upsert_node(make_node("n3", "b1", "r2"));
  }
  group::Member& member(const std::string& name, int64_t gpus = 8) {
    kube::Pod pod = make_member(name, "g", 1, gpus);
    group::Member made = member_of(kube::Pod(pod), parse_spec(pod.annotations));
    made.node_set = books.intern_node_set(pod.node_set);
    return members.insert_or_assign(name, made).first->second;
  }
  bool reserve(const std::string& name, const std::string& node, int64_t gpus = 8) {
    return books.reserve(kGroup, member(name, gpus), node);
  }
  void see(const kube::Pod& pod) {
    const auto key = group_of(pod, {"muster"});
    if (!key) return books.upsert_pod(pod);
    books.upsert_member(*key, member_of(kube::Pod(pod), parse_spec(pod.annotations)));
  }
  int64_t promised(const std::string& node, const std::string& resource = kGpu) {
    return books.promises().at(node).get(resource);
  }
  bool promises(const std::string& node) { return books.promises().contains(node); }
};

group::Question question(const std::vector<const group::Member*>& members, uint32_t minimum,
                         const std::string& required = "") {
  group::Question asked;
  asked.key = kGroup;
  asked.spec.min_member = minimum;
  asked.spec.topology_required = required;
  asked.members = members;
  for (std::size_t i = 0; i < members.size(); ++i) asked.ranks.push_back(static_cast<int64_t>(i));
  return asked;
}

}  // namespace

TEST_CASE_METHOD(Ledger, "A reservation that is seen bound where it was promised is no gain of room") {
  REQUIRE(reserve("a", "n1", 5));
  REQUIRE(reserve("b", "n1", 2));
  const uint64_t epoch = books.room_epoch();
  const uint64_t promises_version = books.promises_version();
  see(bound_to(make_member("a", "g", 1, 5), "n1"));
  CHECK(books.room_epoch() == epoch);
  CHECK(books.promises_version() != promises_version);
  CHECK(books.reservation_count() == 1);
  CHECK(promised("n1") == 1);
  see(bound_to(make_member("b", "g", 1, 2), "n2"));  // elsewhere than promised
  CHECK(books.room_epoch() != epoch);
  CHECK(books.reservation_count() == 0);
  CHECK_FALSE(promises("n1"));
}

TEST_CASE_METHOD(Ledger, "A reservation takes room once and gives it back whole") {
  CHECK(reserve("a", "n1", 5));
  CHECK(promised("n1") == 3);
  CHECK_FALSE(reserve("a", "n2", 1));  // one reservation a pod
  CHECK_FALSE(reserve("b", "n1", 4));
  CHECK(reserve("b", "n1", 3));
  CHECK(promised("n1") == 0);
  CHECK(books.reservation_count() == 2);
  books.unreserve("uid-a");
  CHECK(promised("n1") == 5);
  books.unreserve("uid-a");
  books.unreserve("uid-b");
  CHECK_FALSE(promises("n1"));
  CHECK(books.reservation_count() == 0);
  CHECK(reserve("c", "n1", 8));
}

TEST_CASE_METHOD(Ledger, "No room is reserved on a node that is unknown, unfit or full") {
  CHECK_FALSE(reserve("a", "n9"));
  SECTION("cordoned") {
    kube::Node node = make_node("n1", "b1", "r1");
    node.unschedulable = true;
    books.upsert_node(node);
    CHECK_FALSE(reserve("a", "n1"));
    node.unschedulable = false;
    books.upsert_node(node);
    CHECK(reserve("a", "n1"));
  }
  SECTION("not ready") {
    kube::Node node = make_node("n1", "b1", "r1");
    node.ready = false;
    books.upsert_node(node);
    CHECK_FALSE(reserve("a", "n1"));
  }
  SECTION("tainted, and tolerated by another member") {
    kube::Node node = make_node("n1", "b1", "r1");
    node.taints = {{"gpu", "yes", "NoSchedule"}};
    books.upsert_node(node);
    CHECK_FALSE(reserve("a", "n1"));
    group::Member& tolerant = member("t");
    kube::NodeSet set;
    set.tolerations = {{"gpu", "Exists", "", ""}};
    tolerant.node_set = books.intern_node_set(set);
    CHECK(books.reserve(kGroup, tolerant, "n1"));
  }
  SECTION("full by a pod of no group") {
    see(bound_to(make_pod("x", 1), "n1"));
    CHECK_FALSE(reserve("a", "n1"));
    CHECK(reserve("a", "n1", 7));
  }
}

TEST_CASE_METHOD(Ledger,
                 "A pod seen bound is charged what the API says, where it says, and its reservation ends") {
  REQUIRE(reserve("a", "n1", 4));
  SECTION("as planned") {
    see(bound_to(make_member("a", "g", 1, 4), "n1"));
    CHECK(books.reservation_count() == 0);
    CHECK_FALSE(reserve("b", "n1", 5));
    CHECK(reserve("b", "n1", 4));
  }
  SECTION("elsewhere") {
    see(bound_to(make_member("a", "g", 1, 4), "n2"));
    CHECK(reserve("b", "n1", 8));
    CHECK_FALSE(reserve("c", "n2", 5));
  }
  SECTION("asking for more") {
    see(bound_to(make_member("a", "g", 1, 6), "n1"));
    CHECK_FALSE(reserve("b", "n1", 3));
    CHECK(reserve("b", "n1", 2));
  }
  CHECK(books.balanced());
}

TEST_CASE_METHOD(Ledger, "An unbound pod keeps its reservation, one that has ended or gone holds nothing") {
  REQUIRE(reserve("a", "n1"));
  kube::Pod pod = make_member("a", "g", 1);
  see(pod);
  CHECK(books.reservation_count() == 1);
  SECTION("failed") {
    pod.phase = kube::PodPhase::kFailed;
    see(pod);
  }
  SECTION("gone") { books.remove_pod(pod.uid); }
  CHECK(books.reservation_count() == 0);
  CHECK(reserve("b", "n1"));
}

TEST_CASE_METHOD(Ledger, "Bound pods hold their room until they have ended, also while they terminate") {
  kube::Pod pod = bound_to(make_pod("x"), "n1");
  see(pod);
  pod.terminating = true;
  see(pod);
  CHECK_FALSE(reserve("a", "n1"));
  pod.phase = kube::PodPhase::kSucceeded;
  see(pod);
  CHECK(reserve("a", "n1"));
  see(pod);
  CHECK(books.reservation_count() == 1);
}

TEST_CASE_METHOD(Ledger, "A pod whose demand is resized in place is charged the new demand") {
  see(bound_to(make_pod("x", 2), "n1"));
  CHECK_FALSE(reserve("a", "n1", 7));
  see(bound_to(make_pod("x", 1), "n1"));
  CHECK(reserve("a", "n1", 7));
}

TEST_CASE_METHOD(Ledger, "Charges and reservations survive nodes that come, go and change their labels") {
  see(bound_to(make_pod("x", 3), "n1"));
  REQUIRE(reserve("a", "n2", 5));
  SECTION("a node comes") { books.upsert_node(make_node("n4", "b2", "r1")); }
  SECTION("a node goes") { books.remove_node("n3"); }
  SECTION("a label changes") { books.upsert_node(make_node("n3", "b1", "r3")); }
  SECTION("all nodes are listed again") {
    books.replace_nodes({make_node("n2", "b1", "r1"), make_node("n1", "b1", "r1")});
    CHECK(books.node_count() == 2);
  }
  CHECK(promised("n2") == 3);
  CHECK_FALSE(reserve("b", "n1", 6));
  CHECK(reserve("b", "n1", 5));
  CHECK_FALSE(reserve("c", "n2", 4));
  CHECK(books.balanced());
}

TEST_CASE_METHOD(Ledger, "A node that comes back has the pods that were on it") {
  see(bound_to(make_pod("x", 3), "n1"));
  books.remove_node("n1");
  CHECK_FALSE(reserve("a", "n1", 1));
  books.upsert_node(make_node("n1", "b1", "r1"));
  CHECK_FALSE(reserve("a", "n1", 6));
  CHECK(reserve("a", "n1", 5));
}

TEST_CASE_METHOD(Ledger, "A pod on a node that is not known yet counts when the node comes") {
  see(bound_to(make_pod("x", 8), "n7"));
  books.upsert_node(make_node("n7", "b1", "r1"));
  CHECK_FALSE(reserve("a", "n7", 1));
}

TEST_CASE_METHOD(Ledger, "A reservation is broken when its node goes, is unfit, or is filled by others") {
  REQUIRE(reserve("a", "n1", 4));
  REQUIRE(reserve("b", "n1", 2));
  CHECK(books.broken_reservations("n1").empty());
  CHECK(books.broken_reservations("n2").empty());
  const std::vector<std::string> both{"uid-a", "uid-b"};
  SECTION("gone") {
    books.remove_node("n1");
    CHECK(books.broken_reservations("n1") == both);
  }
  SECTION("cordoned") {
    kube::Node node = make_node("n1", "b1", "r1");
    node.unschedulable = true;
    books.upsert_node(node);
    CHECK(books.broken_reservations("n1") == both);
  }
  SECTION("filled") {
    see(bound_to(make_pod("x", 3), "n1"));
    CHECK(books.broken_reservations("n1") == both);
    books.unreserve("uid-b");
    CHECK(books.broken_reservations("n1").empty());
  }
  SECTION("shrunk") {
    books.upsert_node(make_node("n1", "b1", "r1", 5));
    CHECK(books.broken_reservations("n1") == both);
  }
  CHECK(books.balanced() == books.broken_reservations("n1").empty());
}

TEST_CASE_METHOD(Ledger,
                 "A resource that is overcommitted without the member's doing breaks only who asks for it") {
  kube::Pod hog = bound_to(make_pod("hog", 0), "n1");
  hog.requests.set(kMemory, int64_t{600} << 30);
  see(hog);
  group::Member& thin = member("thin");
  thin.demand = {};
  thin.demand.set(kGpu, 1);
  CHECK(books.reserve(kGroup, thin, "n1"));
  CHECK(books.broken_reservations("n1").empty());
  CHECK_FALSE(reserve("a", "n1", 1));  // it asks for memory
}

TEST_CASE_METHOD(Ledger, "Promises name what is left for pods of no group, on reserved nodes only") {
  CHECK(books.promises().empty());
  see(bound_to(make_pod("x", 1), "n1"));
  REQUIRE(reserve("a", "n1", 4));
  const ResourceList rest = books.promises().at("n1");
  CHECK(rest.get(kGpu) == 3);
  CHECK(rest.get(kCpu) == 62'000);
  CHECK(rest.get(kPods) == 108);
  CHECK(books.promises().size() == 1);

  see(bound_to(make_pod("y", 5), "n1"));  // more than is there
  CHECK(promised("n1") == 0);
}

TEST_CASE_METHOD(Ledger, "A resource that nobody in a group asks for is offered as it is") {
  kube::Node node = make_node("n1", "b1", "r1");
  node.allocatable.set("example.com/fpga", 2);
  books.upsert_node(node);
  REQUIRE(reserve("a", "n1", 4));
  CHECK(promised("n1", "example.com/fpga") == 2);
}

TEST_CASE_METHOD(Ledger, "What is bound counts against a resource that is first asked for afterwards") {
  constexpr const char* kFpga = "example.com/fpga";
  kube::Node node = make_node("n1", "b1", "r1");
  node.allocatable.set(kFpga, 4);
  books.upsert_node(node);
  kube::Pod pod = bound_to(make_pod("x", 1), "n1");
  pod.requests.set(kFpga, 3);
  see(pod);
  REQUIRE(reserve("a", "n1", 4));  // the books are made, without a look at the resource
  group::Member& two = member("two", 1);
  two.demand.set(kFpga, 2);
  CHECK_FALSE(books.reserve(kGroup, two, "n1"));
  group::Member& one = member("one", 1);
  one.demand.set(kFpga, 1);
  CHECK(books.reserve(kGroup, one, "n1"));
  CHECK(promised("n1", kFpga) == 0);
  CHECK(promised("n1") == 2);
  books.remove_pod("uid-x");
  CHECK(promised("n1", kFpga) == 3);
  CHECK(promised("n1") == 3);
}

TEST_CASE_METHOD(Ledger, "The promises' version moves when they may have changed, and only then") {
  uint64_t version = books.promises_version();
  const auto moved = [&] { return std::exchange(version, books.promises_version()) != version; };
  see(bound_to(make_pod("x", 1), "n1"));
  CHECK_FALSE(moved());
  REQUIRE(reserve("a", "n1", 4));
  CHECK(moved());
  see(bound_to(make_pod("y", 1), "n1"));
  CHECK(moved());
  see(bound_to(make_pod("z", 1), "n2"));
  CHECK_FALSE(moved());
  books.remove_pod("uid-y");
  CHECK(moved());
  books.upsert_node(make_node("n1", "b1", "r1", 7));
  CHECK(moved());
  see(bound_to(make_member("a", "g", 1, 4), "n1"));
  CHECK(moved());
  CHECK(books.promises().empty());
}

TEST_CASE_METHOD(Ledger, "The room epoch grows with room, and not with what takes it or leaves it as it is") {
  REQUIRE(reserve("warm", "n3", 1));
  uint64_t epoch = books.room_epoch();
  const auto gained = [&] { return std::exchange(epoch, books.room_epoch()) != epoch; };
  see(bound_to(make_pod("x", 1), "n1"));
  CHECK_FALSE(gained());
  REQUIRE(reserve("a", "n1", 4));
  CHECK_FALSE(gained());
  CHECK_FALSE(gained());
  books.unreserve("uid-a");
  CHECK(gained());
  books.remove_pod("uid-x");
  CHECK(gained());
  books.upsert_node(make_node("n4", "b1", "r2"));
  CHECK(gained());
  REQUIRE(reserve("b", "n4", 1));
  books.upsert_node(make_node("n4", "b1", "r2", 9));
  CHECK(gained());
  kube::Node node = make_node("n4", "b1", "r2", 9);
  node.unschedulable = true;
  books.upsert_node(node);
  CHECK_FALSE(gained());
  node.unschedulable = false;
  books.upsert_node(node);
  CHECK(gained());
}

TEST_CASE_METHOD(Ledger,
                 "A question answered or refused leaves the room epoch and the reservations as they are") {
  const group::Member& a = member("a");
  const group::Member& b = member("b");
  const group::Member& c = member("c", 9);
  static_cast<void>(books.solve(question({&a, &b}, 2)));
  const uint64_t epoch = books.room_epoch();
  for (int i = 0; i < 3; ++i) {
    CHECK(std::holds_alternative<group::Fits>(books.solve(question({&a, &b}, 2, "rack"))));
    CHECK(std::holds_alternative<group::DoesNotFit>(books.solve(question({&a, &b, &c}, 3))));
    CHECK(std::holds_alternative<group::BadRequest>(books.solve(question({&a}, 1, "rakc"))));
  }
  CHECK(books.room_epoch() == epoch);
  CHECK(books.reservation_count() == 0);
}

TEST_CASE_METHOD(Ledger, "An answer keeps a required level and goes around refused nodes") {
  const group::Member& a = member("a");
  const group::Member& b = member("b");
  group::Question asked = question({&a, &b}, 2, "rack");
  const auto fits = std::get<group::Fits>(books.solve(asked));
  REQUIRE(fits.placed.size() == 2);
  CHECK(std::set<std::string>{fits.placed[0].node, fits.placed[1].node} == std::set<std::string>{"n1", "n2"});

  asked.exclusions["uid-a"] = {"n1", "n2"};
  const group::Answer refused = books.solve(asked);
  REQUIRE(std::holds_alternative<group::DoesNotFit>(refused));

  const auto bad = books.solve(question({&a}, 1, "rakc"));
  REQUIRE(std::holds_alternative<group::BadRequest>(bad));
  CHECK(std::get<group::BadRequest>(bad).message.find("rakc") != std::string::npos);
}

TEST_CASE_METHOD(Ledger, "Members that stay fix the domain, those on lost nodes only count") {
  const group::Member& a = member("a");
  group::Question asked = question({&a}, 2, "rack");
  see(bound_to(make_member("z", "g", 2), "n3"));
  asked.fixed.push_back({{"uid-z", "n3"}, "", 1});
  CHECK(std::holds_alternative<group::DoesNotFit>(books.solve(asked)));  // rack r2 has one node
  books.upsert_node(make_node("n4", "b1", "r2"));
  const auto fits = std::get<group::Fits>(books.solve(asked));
  CHECK(fits.placed.at(0).node == "n4");

  books.remove_node("n3");
  CHECK(std::holds_alternative<group::Fits>(books.solve(asked)));
}

TEST_CASE_METHOD(Ledger, "A plan is valid while its nodes keep it and its constraints hold") {
  const group::Member& a = member("a");
  const group::Member& b = member("b");
  const group::Question asked = question({&a, &b}, 2, "rack");
  CHECK(books.valid(asked, {{"uid-a", "n1"}, {"uid-b", "n2"}}));
  CHECK(books.valid(asked, {{"uid-b", "n1"}, {"uid-a", "n2"}}));
  CHECK_FALSE(books.valid(asked, {{"uid-a", "n1"}, {"uid-b", "n3"}}));  // two racks
  CHECK_FALSE(books.valid(asked, {{"uid-a", "n1"}, {"uid-b", "n1"}}));  // 16 on 8
  CHECK_FALSE(books.valid(asked, {{"uid-a", "n1"}}));                   // one of two
  CHECK_FALSE(books.valid(asked, {{"uid-a", "n1"}, {"uid-b", "n9"}}));
  CHECK_FALSE(books.valid(asked, {{"uid-a", "n1"}, {"uid-x", "n2"}}));
  see(bound_to(make_pod("x", 1), "n2"));
  CHECK_FALSE(books.valid(asked, {{"uid-a", "n1"}, {"uid-b", "n2"}}));
}

TEST_CASE_METHOD(Ledger, "More different resources than there are columns are refused") {
  group::Member& greedy = member("greedy");
  for (int i = 0; i < 300; ++i) greedy.demand.set("example.com/r" + std::to_string(i), 1);
  const auto answer = books.solve(question({&greedy}, 1));
  REQUIRE(std::holds_alternative<group::BadRequest>(answer));
  CHECK(std::get<group::BadRequest>(answer).message ==
        "the members ask for too many different resources, more than 200");
  CHECK_FALSE(books.reserve(kGroup, greedy, "n1"));
}

TEST_CASE_METHOD(Ledger, "Resources that somebody asked for in vain leave no lack of columns to others") {
  REQUIRE(reserve("held", "n1", 5));
  for (int round = 0; round < 4; ++round) {
    group::Member& odd = member("odd" + std::to_string(round));
    for (int i = 0; i < 150; ++i)
      odd.demand.set("example.com/r" + std::to_string(round) + "-" + std::to_string(i), 1);
    CHECK(std::holds_alternative<group::DoesNotFit>(books.solve(question({&odd}, 1))));
  }
  const group::Member& a = member("a", 4);
  const group::Member& b = member("b", 4);
  const auto fits = std::get<group::Fits>(books.solve(question({&a, &b}, 2)));
  CHECK(fits.placed.size() == 2);
  CHECK(promised("n1") == 3);
  CHECK_FALSE(reserve("c", "n1", 4));
}

TEST_CASE_METHOD(Ledger, "Amounts beyond all measure are refused, never fit and never wrap around") {
  group::Member& giant = member("giant");
  giant.demand.set(kMemory, INT64_MAX);
  const auto answer = books.solve(question({&giant}, 1));
  REQUIRE(std::holds_alternative<group::BadRequest>(answer));
  CHECK(std::get<group::BadRequest>(answer).message.find("giant") != std::string::npos);
  CHECK_FALSE(books.reserve(kGroup, giant, "n1"));
  kube::Pod monster = bound_to(make_pod("monster", INT64_MAX), "n1");
  see(monster);
  see(bound_to(make_pod("monster2", INT64_MAX), "n1"));
  CHECK_FALSE(reserve("a", "n1", 1));
  books.remove_pod(monster.uid);
  books.remove_pod("uid-monster2");
  CHECK(reserve("a", "n1", 8));
}

TEST_CASE_METHOD(Ledger, "The domain of a node is named level by level") {
  CHECK(reserve("a", "n3"));
  CHECK(books.domain_of("n3") == "block=b1,rack=b1/r2");
  CHECK(books.domain_of("n9").empty());
  books.upsert_node(make_node("bare", "", ""));
  CHECK(reserve("b", "bare"));
  CHECK(books.domain_of("bare").empty());
}

TEST_CASE_METHOD(Ledger, "A group that is gone is another owner when it comes back") {
  see(bound_to(make_member("a", "g", 1), "n1"));
  books.remove_pod("uid-a");
  books.forget_group(kGroup);
  see(bound_to(make_member("b", "h", 1), "n1"));
  see(bound_to(make_member("c", "g", 1), "n2"));
  books.remove_pod("uid-b");
  books.remove_pod("uid-c");
  CHECK(reserve("d", "n1"));
  CHECK(reserve("e", "n2"));
}

TEST_CASE_METHOD(Ledger, "A small group leaves room that the members there are can use") {
  const auto appears = [&](const std::string& name, int64_t gpus) {
    books.upsert_member(kGroup, member(name, gpus));
  };
  see(bound_to(make_pod("a", 4), "n1"));
  see(bound_to(make_pod("b", 3), "n2"));
  const auto node_of_one = [&] {
    const group::Answer answer = books.solve(question({&member("new", 1)}, 1));
    return std::get<group::Fits>(answer).placed.front().node;
  };
  appears("small", 1);
  CHECK(node_of_one() == "n1");  // the tightest, as long as all members are like it
  for (int i = 0; i < 8; ++i) appears("four-" + std::to_string(i), 4);
  CHECK(node_of_one() == "n2");  // where four are still free afterwards
  for (int i = 0; i < 8; ++i) books.remove_pod(make_member("four-" + std::to_string(i), "g", 1, 4).uid);
  CHECK(node_of_one() == "n1");
}
