#include "cmd/muster_demo/places.h"

#include <catch2/catch.hpp>

namespace muster::demo {
namespace {

TEST_CASE("Places are counted and written in the story's words") {
  ClusterView view;
  Json items = Json::array();
  for (const char* rack : {"r1", "r2"}) {
    items.push_back(
        {{"metadata",
          {{"name", std::string("h-") + rack},
           {"labels", {{"topology.muster.dev/block", "b1"}, {"topology.muster.dev/rack", rack}}}}}});
  }
  view.set_hosts(Json{{"items", items}});
  CHECK(listed(racks_of(view, "g")) == "nowhere");

  const auto add = [&](const char* name, const char* host) {
    view.apply(
        {{"type", "ADDED"},
         {"object",
          {{"metadata", {{"name", name}, {"uid", name}, {"annotations", {{"muster.dev/group-name", "g"}}}}},
           {"spec", {{"nodeName", host}}}}}});
  };
  add("a", "h-r1");
  CHECK(listed(racks_of(view, "g")) == "b1/r1");
  add("b", "h-r2");
  add("c", "h-r2");
  add("waiting", "");
  CHECK(listed(racks_of(view, "g")) == "b1/r1: 1, b1/r2: 2");
  CHECK(listed(blocks_of(view, "g")) == "b1");
  CHECK(bound_members(view, "g") == 3);
  CHECK(hosts_of(view, "g").at("c") == "h-r2");
  CHECK(racks_of(view, "other").empty());
}

}  // namespace
}  // namespace muster::demo
