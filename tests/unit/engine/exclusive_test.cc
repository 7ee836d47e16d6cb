// Exclusive use follows what bound members ask for now, and leaves nothing behind.
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
  void rebuild() { see(make_node(fmt::format("r1-{}", 10 + ++nodes_), "b1", "r1")); }
  std::size_t claims() { return coordinator.books().cluster().claims().size(); }

 private:
  int nodes_ = 0;
};

constexpr const char* kAlone = R"({"exclusive":"rack"})";
constexpr const char* kShared = "{}";

}  // namespace

TEST_CASE_METHOD(Tenants, "A bound group that asks for exclusive use no more shares its domain") {
  const bool rebuilt = GENERATE(false, true);
  list_pods({bound("a", "g", "r1-0", kAlone)});
  REQUIRE_FALSE(is_shared());
  see_bound("a", "r1-0", kShared);
  if (rebuilt) rebuild();
  CHECK(is_shared());
}

TEST_CASE_METHOD(Tenants, "A bound group that comes to ask for exclusive use has it from then on") {
  const bool rebuilt = GENERATE(false, true);
  list_pods({bound("a", "g", "r1-0", kShared)});
  settle();
  see_bound("a", "r1-0", kAlone);
  if (rebuilt) rebuild();
  CHECK_FALSE(is_shared());
}

TEST_CASE_METHOD(Tenants, "Exclusive use ends when the last bound member has ceased to ask for it") {
  const bool rebuilt = GENERATE(false, true);
  list_pods({bound("a", "g", "r1-0", kAlone), bound("b", "g", "r1-1", kAlone)});
  settle();
  see_bound("a", "r1-0", kShared);
  if (rebuilt) rebuild();
  CHECK_FALSE(is_shared());
  see_bound("b", "r1-1", kShared);
  CHECK(is_shared());
}

TEST_CASE_METHOD(Tenants, "While an edit has reached some members, the coarsest level counts") {
  const bool rebuilt = GENERATE(false, true);
  see(make_node("r2-0", "b1", "r2"));
  list_pods({bound("a", "g", "r1-0", R"({"exclusive":"block"})"), bound("b", "g", "r1-1", kAlone)});
  settle();
  if (rebuilt) rebuild();
  CHECK_FALSE(is_shared());
  see_bound("a", "r1-0", kAlone);
  CHECK(is_shared());
  CHECK(planned("other") == "r2-0");
}

TEST_CASE_METHOD(Tenants,
                 "An annotation that cannot be read takes no exclusive use away, one that can does") {
  list_pods({bound("a", "g", "r1-0", kAlone)});
  settle();
  see_bound("a", "r1-0", "{");
  CHECK_FALSE(is_shared());
  kube::Pod resized = bound("a", "g", "r1-0", "{");
  resized.requests.set(kCpu, 2'000);
  see(resized);
  settle();
  CHECK_FALSE(is_shared());
  see_bound("a", "r1-0", kShared);
  CHECK(is_shared());
}

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
