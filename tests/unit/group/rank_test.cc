// Ranking: what the processes of a collective call each other.
#include "group/rank.h"

#include <catch2/catch.hpp>
#include <set>

using namespace muster;
using namespace muster::group;

namespace {

class Ranking {
 public:
  Member& add(const std::string& uid, std::optional<int64_t> index = std::nullopt,
              const std::string& controller = "") {
    auto made = std::make_unique<Member>();
    Member& member = *made;
    member.pod = {"ns", uid, uid};
    members_.put(std::move(made));
    member.index = index;
    member.controller = controller;
    member.creation_seconds = static_cast<int64_t>(members_.size());
    return member;
  }
  std::map<std::string, int64_t> operator()() const { return assign_ranks(members_); }
  std::map<std::string, int64_t> first(const std::set<std::string>& past = {}) const {
    return first_ranks(members_, assign_ranks(members_), past);
  }

 private:
  Members members_;
};

using Expected = std::map<std::string, int64_t>;

}  // namespace

TEST_CASE("Without indices the ranks follow age, then name") {
  Ranking ranks;
  ranks.add("z").creation_seconds = 1;
  ranks.add("b").creation_seconds = 2;
  ranks.add("a").creation_seconds = 2;
  CHECK(ranks() == Expected{{"z", 0}, {"a", 1}, {"b", 2}});
}

TEST_CASE("An index is the rank, gaps included, and members without one fill the gaps by age") {
  Ranking ranks;
  ranks.add("a", 3);
  ranks.add("b", 0);
  ranks.add("old");
  ranks.add("young");
  ranks.add("c", 5);
  CHECK(ranks() == Expected{{"a", 3}, {"b", 0}, {"old", 1}, {"young", 2}, {"c", 5}});
}

TEST_CASE("When indices repeat the ranks are positions by controller, index and age") {
  Ranking ranks;
  ranks.add("w1", 1, "workers");
  ranks.add("w0", 0, "workers");
  ranks.add("l0", 0, "leader");
  ranks.add("w2", 2, "workers");
  CHECK(ranks() == Expected{{"l0", 0}, {"w0", 1}, {"w1", 2}, {"w2", 3}});
}

TEST_CASE("Members that have ended or are going have no rank and leave their index to the replacement") {
  Ranking ranks;
  ranks.add("a", 0);
  ranks.add("failed", 1).failed = true;
  ranks.add("done", 2).succeeded = true;
  ranks.add("going", 3).terminating = true;
  ranks.add("b", 1);
  CHECK(ranks() == Expected{{"a", 0}, {"b", 1}});
}

// The rank given is written on the pod with its binding and is its index from then on.
TEST_CASE("Bound members keep their ranks when a replacement brings an index that is taken") {
  Ranking ranks;
  ranks.add("l0", 0, "leader").node = "n";
  ranks.add("w0", 1, "workers").node = "n";
  ranks.add("w2", 3, "workers").node = "n";
  ranks.add("w1", 1, "workers");
  CHECK(ranks() == Expected{{"l0", 0}, {"w0", 1}, {"w2", 3}, {"w1", 2}});
}

TEST_CASE("No rank is given twice, whatever the indices") {
  Ranking ranks;
  for (int i = 0; i < 40; ++i)
    ranks.add("p" + std::to_string(i), i % 7, i % 2 == 0 ? "x" : "y").node = i % 3 == 0 ? "n" : "";
  std::set<int64_t> seen;
  for (const auto& [uid, rank] : ranks()) CHECK(seen.insert(rank).second);
  CHECK(*seen.begin() == 0);
}

TEST_CASE("The first rank of a subgroup outlives the member that had it") {
  Ranking ranks;
  const auto bound = [&](const std::string& uid, int64_t index, const std::string& subgroup) -> Member& {
    Member& member = ranks.add(uid, index);
    member.node = "n";
    member.subgroup = subgroup;
    return member;
  };
  Member& first = bound("a2", 2, "a");
  bound("a3", 3, "a");
  bound("b4", 4, "b");
  CHECK(ranks.first() == Expected{{"a", 2}, {"b", 4}});
  first.succeeded = true;
  CHECK(ranks.first() == Expected{{"a", 2}, {"b", 4}});
  CHECK(ranks.first({"a2"}) == Expected{{"a", 3}, {"b", 4}});
  first.subgroup = "b";  // until another one has its rank
  CHECK(ranks.first() == Expected{{"a", 3}, {"b", 2}});
  bound("a2-again", 2, "a");
  CHECK(ranks.first() == Expected{{"a", 2}, {"b", 4}});
  first.node.clear();
  ranks.add("a0", 0).subgroup = "a";
  CHECK(ranks.first() == Expected{{"a", 0}, {"b", 4}});
}

TEST_CASE("An index that was never bound with is no first rank once its pod has ended") {
  Ranking ranks;
  ranks.add("a0", 0).failed = true;
  ranks.add("a1", 1);
  CHECK(ranks.first() == Expected{{"", 1}});
}
