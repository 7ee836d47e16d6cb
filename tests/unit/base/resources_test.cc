#include "base/resources.h"

#include <catch2/catch.hpp>
#include <limits>

namespace muster {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST_CASE("resources: entries are sorted by name and never zero") {
  ResourceList list;
  list.set("nvidia.com/gpu", 8);
  list.set("cpu", 4000);
  list.set("memory", 0);
  REQUIRE(list.entries().size() == 2);
  CHECK(list.entries()[0] == ResourceList::Entry{"cpu", 4000});
  CHECK(list.entries()[1] == ResourceList::Entry{"nvidia.com/gpu", 8});

  list.set("cpu", 0);
  CHECK(list.entries().size() == 1);
  list.set("nvidia.com/gpu", 0);
  CHECK(list.empty());
}

TEST_CASE("resources: an absent resource counts zero") {
  ResourceList list;
  CHECK(list.get(kCpu) == 0);
  list.set(kPods, 1);
  CHECK(list.get(kCpu) == 0);
  CHECK(list.get(kPods) == 1);
}

TEST_CASE("resources: a sum is taken per resource") {
  ResourceList list;
  list.set(kCpu, 1500);
  ResourceList other;
  other.set(kCpu, 500);
  other.set(kMemory, 1 << 20);
  list.add(other);
  list.add(kMemory, 1);
  CHECK(list.get(kCpu) == 2000);
  CHECK(list.get(kMemory) == (1 << 20) + 1);
}

TEST_CASE("resources: a sum that would overflow stays at the largest amount") {
  ResourceList list;
  list.set(kCpu, kMost - 1);
  list.add(kCpu, 1);
  CHECK(list.get(kCpu) == kMost);
  list.add(kCpu, kMost);
  CHECK(list.get(kCpu) == kMost);
}

TEST_CASE("resources: a maximum is taken per resource") {
  ResourceList list;
  list.set(kCpu, 1000);
  list.set(kPods, 1);
  ResourceList other;
  other.set(kCpu, 500);
  other.set(kMemory, 7);
  list.max_with(other);
  CHECK(list.get(kCpu) == 1000);
  CHECK(list.get(kMemory) == 7);
  CHECK(list.get(kPods) == 1);
}

TEST_CASE("resources: lists are equal when their entries are") {
  ResourceList left;
  ResourceList right;
  left.set(kCpu, 1);
  left.set(kMemory, 2);
  right.set(kMemory, 2);
  CHECK_FALSE(left == right);
  right.set(kCpu, 1);
  CHECK(left == right);
}

TEST_CASE("amounts are written as people write them") {
  CHECK(amount_text("cpu", 2000) == "2");
  CHECK(amount_text("cpu", 1500) == "1500m");
  CHECK(amount_text("memory", int64_t{8} << 30) == "8Gi");
  CHECK(amount_text("memory", 1000) == "1000");
  CHECK(amount_text("hugepages-2Mi", int64_t{2} << 20) == "2Mi");
  CHECK(amount_text("nvidia.com/gpu", 1024) == "1024");
}

}  // namespace
}  // namespace muster
