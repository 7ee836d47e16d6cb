#include "sim/occupancy.h"

#include <catch2/catch.hpp>

using namespace muster;
using namespace muster::sim;

namespace {

// Two blocks of two racks of two hosts with 8 GPUs.
Topology eight_hosts() {
  std::vector<HostSpec> hosts;
  for (int i = 0; i < 8; ++i)
    hosts.push_back({fmt::format("n{}", i), {{fmt::format("b{}", i / 4), fmt::format("r{}", i / 2 % 2)}}});
  return *Topology::build({{{"fabric", {{"block", {}}, {"rack", {}}}}}}, std::move(hosts));
}

Occupancy eight_empty_hosts() { return Occupancy(eight_hosts(), std::vector<int64_t>(8, 8), {4, 8}); }

}  // namespace

TEST_CASE("occupancy: the fewest domains are counted on the room there is now") {
  Occupancy occupancy = eight_empty_hosts();
  const LevelId block = *occupancy.topology().find_level("block");
  const LevelId rack = *occupancy.topology().find_level("rack");
  CHECK(occupancy.fewest(rack, {8, 2}) == 1);
  CHECK(occupancy.fewest(rack, {8, 3}) == 2);
  CHECK(occupancy.fewest(block, {8, 5}) == 2);
  CHECK(occupancy.fewest(rack, {8, 8}) == 4);
  CHECK(occupancy.fewest(rack, {8, 9}) == std::nullopt);

  occupancy.take(HostIndex{0}, 4);  // one host of the first rack is half full
  CHECK(occupancy.fewest(rack, {8, 7}) == 4);
  CHECK(occupancy.fewest(rack, {8, 8}) == std::nullopt);
  CHECK(occupancy.fewest(rack, {4, 3, block}) == 1);
  CHECK(occupancy.fewest(rack, {8, 4, block}) == 2);  // in the other block
  occupancy.take(HostIndex{7}, 8);
  CHECK(occupancy.fewest(rack, {8, 4, block}) == std::nullopt);
  CHECK(occupancy.fewest(rack, {8, 4}) == 2);  // one of each block
}

TEST_CASE("occupancy: room that no whole group can use is waste") {
  Occupancy occupancy = eight_empty_hosts();
  const LevelId rack = *occupancy.topology().find_level("rack");
  CHECK(occupancy.scraps(rack, {8, 2}).waste == 0);
  occupancy.take(HostIndex{0}, 1);
  const Occupancy::Scraps scraps = occupancy.scraps(rack, {8, 2});
  CHECK(scraps.room == 7);
  CHECK(scraps.waste == 1);
  CHECK(occupancy.scraps(rack, {8, 3}).waste == 7);
}

TEST_CASE("occupancy: a host that is neither empty nor full is partly used") {
  Occupancy occupancy(eight_hosts(), {8, 8, 8, 8, 8, 8, 0, 0}, {8});
  CHECK(occupancy.hosts() == 6);
  CHECK(occupancy.capacity() == 48);
  occupancy.take(HostIndex{0}, 3);
  occupancy.take(HostIndex{1}, 8);
  CHECK(occupancy.partly_used() == 1);
  CHECK(occupancy.taken() == 11);
  occupancy.take(HostIndex{0}, 5);
  CHECK(occupancy.partly_used() == 0);
  occupancy.take(HostIndex{0}, -8);
  CHECK(occupancy.partly_used() == 0);
  CHECK(occupancy.taken() == 8);
}
