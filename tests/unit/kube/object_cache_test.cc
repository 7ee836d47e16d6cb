#include "kube/object_cache.h"

#include <catch2/catch.hpp>

namespace muster::kube {
namespace {

Node node(const std::string& name, const std::string& uid, const std::string& version,
          const std::string& rack = "r1") {
  Node result;
  result.name = name;
  result.uid = uid;
  result.resource_version = version;
  result.labels = {{"rack", rack}};
  return result;
}

struct Consumer {
  std::vector<DeltaBatch<Node>> batches;
  ObjectCache<Node> cache{[this](DeltaBatch<Node> batch) { batches.push_back(std::move(batch)); }};

  void list(const std::vector<Node>& items) {
    cache.begin_list();
    for (const auto& item : items) cache.listed(item);
    cache.end_list();
  }
  DeltaBatch<Node> taken() {
    cache.flush();
    DeltaBatch<Node> all;
    for (auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
    batches.clear();
    return all;
  }
};

TEST_CASE("the first list is a Replace, also when it is empty") {
  Consumer c;
  c.list({});
  const auto deltas = c.taken();
  REQUIRE(deltas.size() == 1);
  CHECK(std::get<Replace<Node>>(deltas[0]).items.empty());
}

TEST_CASE("a later list is reported as what differs") {
  Consumer c;
  c.list(
      {node("same", "1", "5"), node("changed", "2", "5"), node("gone", "3", "5"), node("again", "4", "5")});
  c.taken();
  c.list({node("same", "1", "9"), node("changed", "2", "9", "r2"), node("new", "5", "9"),
          node("again", "6", "9")});
  std::map<std::string, int> words;
  std::vector<std::string> again;
  for (const auto& delta : c.taken()) {
    if (const auto* upsert = std::get_if<Upsert<Node>>(&delta)) {
      ++words["upsert " + upsert->item.name];
      if (upsert->item.name == "again") again.push_back("upsert");
    } else {
      const Node& last = std::get<Remove<Node>>(delta).last;
      ++words["remove " + last.name];
      if (last.name == "again") again.push_back("remove " + last.uid);
    }
  }
  CHECK(words == std::map<std::string, int>{{"upsert changed", 1},
                                            {"upsert new", 1},
                                            {"upsert again", 1},
                                            {"remove gone", 1},
                                            {"remove again", 1}});
  CHECK(again == std::vector<std::string>{"remove 4", "upsert"});
  CHECK(c.cache.size() == 4);
  CHECK(c.cache.unchanged() == 1);
}

TEST_CASE("a list that did not end changes nothing") {
  Consumer c;
  c.list({node("a", "1", "5")});
  c.taken();
  c.cache.begin_list();
  c.cache.listed(node("b", "2", "6"));
  c.list({node("a", "1", "7")});
  CHECK(c.taken().empty());
}

TEST_CASE("a removed object is reported in its last state and is unknown afterwards") {
  Consumer c;
  c.list({node("a", "1", "5")});
  c.taken();
  c.cache.remove(node("a", "1", "6", "r9"));
  c.cache.remove(node("a", "1", "7"));
  const auto deltas = c.taken();
  REQUIRE(deltas.size() == 1);
  CHECK(std::get<Remove<Node>>(deltas[0]).last.labels.at("rack") == "r9");
  CHECK(c.cache.size() == 0);
}

TEST_CASE("batches hold at most a thousand changes, in order") {
  Consumer c;
  c.list({});
  c.batches.clear();
  for (int i = 0; i < 2500; ++i) c.cache.upsert(node(std::to_string(i), "u", "1"));
  CHECK(c.batches.size() == 2);
  const auto deltas = c.taken();
  REQUIRE(deltas.size() == 2500);
  for (int i = 0; i < 2500; ++i)
    CHECK(std::get<Upsert<Node>>(deltas[static_cast<std::size_t>(i)]).item.name == std::to_string(i));
}

TEST_CASE("pods of the same name in two namespaces are two objects") {
  int deltas = 0;
  ObjectCache<Pod> cache([&](const DeltaBatch<Pod>& batch) { deltas += static_cast<int>(batch.size()); });
  cache.begin_list();
  cache.end_list();
  Pod pod;
  pod.name = "p";
  pod.ns = "a";
  cache.upsert(pod);
  pod.ns = "b";
  cache.upsert(pod);
  cache.flush();
  CHECK(deltas == 3);
  CHECK(cache.size() == 2);
}

TEST_CASE("an object that stands on two pages of a list is taken once, as it was last") {
  Consumer c;
  c.list({node("a", "1", "5", "r1"), node("b", "1", "5"), node("a", "1", "6", "r2")});
  const auto first = c.taken();
  REQUIRE(first.size() == 1);
  const auto& items = std::get<Replace<Node>>(first[0]).items;
  REQUIRE(items.size() == 2);
  CHECK(items[0].labels.at("rack") == "r2");
  c.list({node("a", "1", "7", "r3"), node("a", "1", "8", "r4")});
  const auto second = c.taken();
  REQUIRE(second.size() == 2);
  CHECK(std::get<Remove<Node>>(second[0]).last.name == "b");
  CHECK(std::get<Upsert<Node>>(second[1]).item.labels.at("rack") == "r4");
}

TEST_CASE("what a later list changes is one batch, however much it is") {
  Consumer c;
  c.list({});
  c.taken();
  std::vector<Node> many;
  for (int i = 0; i < 2'500; ++i) many.push_back(node("n" + std::to_string(i), "1", "5"));
  c.list(many);
  REQUIRE(c.batches.size() == 1);
  CHECK(c.batches[0].size() == 2'500);
}

TEST_CASE("an object that a later list shows unreadable stays as it was, unless it is another one") {
  Consumer c;
  c.list({node("a", "1", "5")});
  c.taken();
  const auto list_unreadable = [&](const std::string& uid) {
    c.cache.begin_list();
    c.cache.listed_unreadable("a", uid);
    c.cache.end_list();
  };
  list_unreadable("1");
  CHECK(c.taken().empty());
  c.list({node("a", "1", "9")});
  CHECK(c.taken().empty());
  list_unreadable("2");
  const auto told = c.taken();
  REQUIRE(told.size() == 1);
  CHECK(std::get<Remove<Node>>(told[0]).last.uid == "1");
}

TEST_CASE(
    "an object that stands twice in a later list, the second time as it was known, is told as it was last") {
  Consumer c;
  c.list({node("a", "1", "5", "r1")});
  c.taken();
  c.list({node("a", "1", "7", "r2"), node("a", "1", "8", "r1")});
  const auto told = c.taken();
  REQUIRE_FALSE(told.empty());
  CHECK(std::get<Upsert<Node>>(told.back()).item.labels.at("rack") == "r1");
  c.list({node("a", "1", "9", "r1")});
  CHECK(c.taken().empty());
}

TEST_CASE("an object that a later list shows made again, and then as it was known, is not told as gone") {
  Consumer c;
  c.list({node("a", "1", "5")});
  c.taken();
  c.list({node("a", "2", "7"), node("a", "1", "8")});
  for (const auto& delta : c.taken()) CHECK(std::get<Upsert<Node>>(delta).item.uid == "1");
}

TEST_CASE("what a list does not tell is removed by its name, namespace and uid") {
  DeltaBatch<Pod> all;
  ObjectCache<Pod> cache(
      [&](const DeltaBatch<Pod>& batch) { all.insert(all.end(), batch.begin(), batch.end()); });
  Pod pod;
  pod.ns = "team";
  pod.name = "p";
  pod.uid = "u";
  cache.begin_list();
  cache.listed(pod);
  cache.end_list();
  cache.begin_list();
  cache.end_list();
  REQUIRE(all.size() == 2);
  const Pod& last = std::get<Remove<Pod>>(all[1]).last;
  CHECK((last.ns == "team" && last.name == "p" && last.uid == "u"));
}

}  // namespace
}  // namespace muster::kube
