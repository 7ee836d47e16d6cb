#include "kube/labels.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

namespace muster::kube {
namespace {

TEST_CASE("labels are found by their key, in whatever order they were set") {
  Labels labels{{"zone", "a"}, {"arch", "amd64"}, {"rack", ""}};
  labels["zone"] = "b";
  CHECK(labels.size() == 3);
  CHECK(labels.at("zone") == "b");
  CHECK(labels.at("arch") == "amd64");
  CHECK(labels.at("rack").empty());
  CHECK(labels.find("zon") == nullptr);
  CHECK(labels.find("zone2") == nullptr);
  labels.erase("zone");
  labels.erase("nothing");
  CHECK(labels == Labels{{"arch", "amd64"}, {"rack", ""}});
  CHECK_FALSE(labels == Labels{{"arch", "amd64"}, {"rack", "1"}});
}

TEST_CASE("a label that many nodes have is one text in memory, which goes with the last") {
  // What the threads of this program met last stays; so only what is beyond that counts.
  constexpr std::size_t kRemembered = 1'000;
  const std::size_t before = label_count();
  {
    std::vector<Labels> nodes(1'000);
    for (auto& node : nodes) node = Labels{{"test/one", "for all"}};
    CHECK(label_count() <= before + 1);
    CHECK(&nodes[0].at("test/one") == &nodes[999].at("test/one"));
    for (int i = 0; i < 20'000; ++i) nodes[0].set("test/other", std::to_string(i));
    CHECK(label_count() <= before + kRemembered);
    std::vector<Labels> different(20'000);
    for (std::size_t i = 0; i < different.size(); ++i) different[i].set("test/other", std::to_string(i));
    CHECK(label_count() >= different.size());
  }
  CHECK(label_count() <= before + kRemembered);
}

TEST_CASE("threads share labels and let go of them at the same time") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 3'000; ++i) {
        Labels mine{{"test/shared", std::to_string(i % 7)}, {"test/thread", "all"}};
        Labels copy = mine;
        mine = Labels{};
        if (copy.at("test/shared") != std::to_string(i % 7)) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(Labels{{"test/shared", "3"}}.at("test/shared") == "3");
}

}  // namespace
}  // namespace muster::kube
