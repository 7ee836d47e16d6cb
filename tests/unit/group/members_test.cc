// The table of a group's members.
#include "group/members.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

using namespace muster::group;

namespace {

std::unique_ptr<Member> member(const std::string& uid, const std::string& node = "") {
  auto made = std::make_unique<Member>();
  made->pod = {"ns", "pod-" + uid, uid};
  made->node = node;
  return made;
}

std::vector<std::string> uids_of(const Members& members) {
  std::vector<std::string> uids;
  for (const auto& [uid, member] : members) uids.push_back(uid);
  return uids;
}

}  // namespace

TEST_CASE("Members stand in the order of their uids, whatever order they came in") {
  Members members;
  for (const char* uid : {"c", "a", "b"}) CHECK_FALSE(members.put(member(uid)));
  CHECK(uids_of(members) == std::vector<std::string>{"a", "b", "c"});
  CHECK(members.upper_bound("a")->first == "b");
  CHECK(members.upper_bound("aa")->first == "b");
  CHECK(members.upper_bound("c") == members.end());
  CHECK(members.find("bb") == members.end());
  CHECK(members.at("b").pod.name == "pod-b");
}

TEST_CASE("A member that takes another's place leaves the rest where they are, and hands that one back") {
  Members members;
  for (const char* uid : {"a", "c"}) members.put(member(uid));
  const Member* a = &members.at("a");
  const auto before = members.put(member("c", "n1"));
  REQUIRE(before);
  CHECK(before->node.empty());
  CHECK(members.at("c").node == "n1");
  CHECK_FALSE(members.put(member("b")));
  CHECK(&members.at("a") == a);
  CHECK(members.size() == 3);
}

TEST_CASE("A member is taken out once") {
  Members members;
  for (const char* uid : {"a", "b"}) members.put(member(uid));
  REQUIRE(members.take("a"));
  CHECK_FALSE(members.take("a"));
  CHECK(uids_of(members) == std::vector<std::string>{"b"});
}
