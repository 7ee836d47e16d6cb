// Exclusive use leaves nothing behind.
#include <catch2/catch.hpp>

#include "desk.h"

using namespace muster;
using namespace muster::group;
using muster::test::bound_to;
using muster::test::Desk;
using muster::test::make_member;
using muster::test::make_node;

namespace {

struct Tenants : Desk {
  Tenants() {
    std::vector<kube::Node> nodes;
    for (int i = 0; i < 4; ++i) nodes.push_back(make_node(fmt::format("r1-{}", i), "b1", "r1"));
    list_nodes(nodes);
  }
  static kube::Pod bound(const std::string& name, const std::string& group, const std::string& node,
                         const std::string& spec) {
    kube::Pod pod = bound_to(make_member(name, group, 1), node);
    pod.annotations["muster.dev/group-spec"] = spec;
    return pod;
  }
  void see_bound(const std::string& name, const std::string& node, const std::string& spec) {
    see(bound(name, "g", node, spec));
    settle();
  }
  // Whether another group finds room; it stays for the next question.
  bool is_shared() {
    see(make_member("other", "h", 1));
    settle();
    return !planned("other").empty();
  }
  std::size_t claims() { return coordinator.books().cluster().claims().size(); }
};

constexpr const char* kAlone = R"({"exclusive":"rack"})";

}  // namespace

TEST_CASE_METHOD(Tenants,
                 "A claim of exclusive use ends with its members, and groups that come and go leave none") {
  list_pods({});
  for (int i = 0; i < 3; ++i) {
    const std::string name = "a" + std::to_string(i);
    const kube::Pod pod = bound(name, name, "r1-0", kAlone);
    see(pod);
    settle();
    CHECK(claims() == 1);
    gone(pod);
    settle();
    CHECK(claims() == 0);
  }
  see_bound("a", "r1-0", kAlone);
  REQUIRE_FALSE(is_shared());
  kube::Pod done = api.pod("a");
  done.phase = kube::PodPhase::kSucceeded;
  see(done);
  CHECK(is_shared());
  CHECK(claims() == 0);
}
