#include "cmd/muster_demo/picture.h"

#include <catch2/catch.hpp>

#include "cmd/muster_demo/cluster_view.h"

namespace muster::demo {
namespace {

Json node(const std::string& block, const std::string& rack, int number) {
  const std::string name = block + "-" + rack + "-h" + std::to_string(number);
  return Json{{"metadata",
               {{"name", name},
                {"labels", {{"topology.muster.dev/block", block}, {"topology.muster.dev/rack", rack}}}}},
              {"status", {{"allocatable", {{kGpu, "8"}}}}}};
}

// Two blocks of two racks of five hosts.
ClusterView small_cluster() {
  Json items = Json::array();
  for (const char* block : {"b2", "b1"}) {
    for (const char* rack : {"r1", "r2"}) {
      for (int i = 1; i <= 5; ++i) items.push_back(node(block, rack, i));
    }
  }
  ClusterView view;
  view.set_hosts(Json{{"items", items}});
  return view;
}

Json pod(const std::string& name, const std::string& group, const std::string& bound,
         const std::string& nominated, int gpus) {
  Json object{{"metadata", {{"name", name}, {"uid", name}, {"namespace", "default"}}},
              {"spec", {{"containers", {{{"resources", {{"requests", {{kGpu, std::to_string(gpus)}}}}}}}}}}};
  if (!group.empty()) object["metadata"]["annotations"]["muster.dev/group-name"] = group;
  if (!bound.empty()) object["spec"]["nodeName"] = bound;
  if (!nominated.empty()) object["status"]["nominatedNodeName"] = nominated;
  return object;
}

void apply(ClusterView& view, const char* type, const Json& object) {
  view.apply(Json{{"type", type}, {"object", object}});
}

const std::vector<GroupMark> kMarks{{"ring", 'A', Ink::kCyan}, {"mesh", 'B', Ink::kMagenta}};

TEST_CASE("The picture shows two blocks beside each other and what every host is used for") {
  ClusterView view = small_cluster();
  apply(view, "ADDED", pod("job", "", "b1-r1-h1", "", 8));
  apply(view, "ADDED", pod("half", "", "b1-r1-h2", "", 4));
  apply(view, "ADDED", pod("ring-0", "ring", "b1-r2-h5", "", 8));
  apply(view, "ADDED", pod("mesh-0", "mesh", "", "b2-r1-h4", 8));
  CHECK(draw(view, kMarks, Style{}) ==
        "  block b1                                block b2\n"
        "  r1  #+.. .   3 free                     r1  ...b .   4 free\n"
        "  r2  .... A   4 free                     r2  .... .   5 free\n");
  CHECK(legend(view, kMarks, Style{}) == "  # busy  + partly used  . free host of 8 GPUs  A ring  B mesh\n");
}

TEST_CASE("Glyphs and colours take no other place than plain characters") {
  ClusterView view = small_cluster();
  apply(view, "ADDED", pod("job", "", "b1-r1-h1", "", 8));
  apply(view, "ADDED", pod("ring-0", "ring", "b1-r1-h2", "", 8));
  const std::string plain = draw(view, kMarks, Style{});
  std::string glyphs = draw(view, kMarks, Style{true, true});
  for (std::size_t at; (at = glyphs.find("\x1b[")) != std::string::npos;) {
    glyphs.erase(at, glyphs.find('m', at) - at + 1);
  }
  const std::pair<std::string, std::string> replacements[] = {{"■", "#"}, {"·", "."}};
  for (const auto& [glyph, character] : replacements) {
    for (std::size_t at; (at = glyphs.find(glyph)) != std::string::npos;)
      glyphs.replace(at, glyph.size(), character);
  }
  CHECK(glyphs == plain);
}

TEST_CASE("Sixteen hosts a rack fit in 80 columns") {
  Json items = Json::array();
  for (const char* block : {"b1", "b2"}) {
    for (int i = 10; i < 26; ++i) items.push_back(node(block, "r1", i));
  }
  ClusterView view;
  view.set_hosts(Json{{"items", items}});
  const std::string picture = draw(view, {}, Style{});
  CHECK(picture.find('\n', picture.find('\n') + 1) - picture.find('\n') - 1 <= 80);
}

TEST_CASE("The view follows pods as they come, move and go") {
  ClusterView view = small_cluster();
  const Host& host = *view.host("b1-r1-h1");
  apply(view, "ADDED", pod("ring-0", "ring", "", "", 8));
  CHECK(view.free_gpus(host) == 8);
  apply(view, "MODIFIED", pod("ring-0", "ring", "", "b1-r1-h1", 8));
  CHECK(view.free_gpus(host) == 0);
  apply(view, "MODIFIED", pod("ring-0", "ring", "b1-r1-h1", "", 8));
  CHECK(view.free_gpus(host) == 0);
  CHECK(view.members("ring").size() == 1);
  CHECK(view.free_hosts("b1", "r1") == 4);
  apply(view, "BOOKMARK", Json::object());
  apply(view, "DELETED", pod("ring-0", "ring", "b1-r1-h1", "", 8));
  CHECK(view.free_gpus(host) == 8);
  CHECK(view.members("ring").empty());
}

TEST_CASE("Long messages are wrapped between words") {
  CHECK(wrapped("one two three", "  ", 9) == "  one two\n  three\n");
  CHECK(wrapped("unbreakable", " ", 4) == " unbreakable\n");
  CHECK(wrapped("", " ", 4).empty());
}

}  // namespace
}  // namespace muster::demo
