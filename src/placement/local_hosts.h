// A copy of the rows a packer needs: hosts that can take a member of any kind asked for, and the resources
// those kinds need.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "placement/problem.h"

namespace muster::placement {

// How many members of each kind (by index into Problem::kinds) are wanted, and how many of them at least.
struct Wanted {
  std::vector<uint32_t> count;
  uint32_t least = 0;  // over all kinds; the sum of count: all of them

  [[nodiscard]] uint32_t sum() const;
};

class LocalHosts {
 public:
  LocalHosts(Problem& problem, std::span<const HostIndex> hosts, const Wanted& wanted);

  [[nodiscard]] std::size_t size() const { return hosts_.size(); }
  [[nodiscard]] std::size_t kinds() const { return kinds_; }
  [[nodiscard]] std::size_t resources() const { return resources_.size(); }
  [[nodiscard]] HostIndex host(std::size_t h) const { return hosts_[h]; }
  // Free room, never negative, no more than all members together could use.
  [[nodiscard]] const int64_t* free(std::size_t h) const { return free_.data() + h * resources(); }
  [[nodiscard]] const int64_t* demand(std::size_t kind) const { return demand_.data() + kind * resources(); }
  [[nodiscard]] bool may(std::size_t h, std::size_t kind) const { return may_[h * kinds_ + kind] != 0; }
  [[nodiscard]] bool busy(std::size_t h) const { return busy_[h] != 0; }
  [[nodiscard]] bool device(std::size_t resource) const { return device_[resource] != 0; }
  [[nodiscard]] ResourceId resource(std::size_t index) const { return resources_[index]; }
  // Members of the kind that fit into `free`, at most `most`.
  [[nodiscard]] uint32_t room(const int64_t* free, std::size_t kind, uint32_t most) const;
  // What all members wanted ask of a resource.
  [[nodiscard]] int64_t asked(std::size_t resource) const { return asked_[resource]; }
  // Whether two hosts are the same to every kind.
  [[nodiscard]] bool alike(std::size_t a, std::size_t b) const;

 private:
  std::size_t kinds_ = 0;
  std::vector<HostIndex> hosts_;
  std::vector<ResourceId> resources_;
  std::vector<uint8_t> device_;
  std::vector<int64_t> free_;
  std::vector<int64_t> demand_;
  std::vector<int64_t> asked_;
  std::vector<uint8_t> may_;
  std::vector<uint8_t> busy_;
};

// What a packer found: per host (index into LocalHosts) and kind a number.
struct Take {
  uint32_t host = 0;
  uint32_t kind = 0;
  uint32_t count = 0;
};
using Takes = std::vector<Take>;

}  // namespace muster::placement
