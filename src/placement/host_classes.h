// Hosts that are the same to every kind wanted, and as busy, are one class. A packer that counts hosts of
// classes does not care how many hosts there are.
//
// Rooms of resources that are no devices are compared rounded: down to what demands can add up to, and no
// more than the members a host has room for could use. Nothing that fits is lost, and hosts that differ in
// some millicores are alike.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "placement/local_hosts.h"
#include "placement/problem.h"

namespace muster::placement {

class HostClasses {
 public:
  // The kinds that are wanted at all are numbered anew, from 0.
  HostClasses(Problem& problem, const Wanted& wanted);

  static constexpr uint32_t kUseless = UINT32_MAX;
  // The host's class, which may be new; kUseless when it can take no member wanted. O(kinds × resources).
  [[nodiscard]] uint32_t of(HostIndex host);

  [[nodiscard]] std::size_t size() const { return hash_.size(); }
  [[nodiscard]] std::size_t kinds() const { return kinds_.size(); }
  [[nodiscard]] std::size_t resources() const { return resources_.size(); }
  [[nodiscard]] uint32_t kind(std::size_t k) const { return kinds_[k]; }         // index into Problem::kinds
  [[nodiscard]] const std::vector<uint32_t>& wanted() const { return wanted_; }  // by kind
  [[nodiscard]] const KindRooms& rooms(std::size_t k) const { return *rooms_[k]; }
  [[nodiscard]] const int64_t* demand(std::size_t k) const { return demand_.data() + k * resources(); }
  [[nodiscard]] bool device(std::size_t resource) const { return device_[resource] != 0; }

  [[nodiscard]] const int64_t* free(uint32_t c) const { return rows_.data() + c * width_ + flags_; }
  // Members of a kind that a host of the class can take, each kind alone.
  [[nodiscard]] uint32_t room(uint32_t c, std::size_t k) const { return room_[c * kinds() + k]; }
  [[nodiscard]] bool busy(uint32_t c) const { return rows_[c * width_ + flags_ - 1] != 0; }
  // Members of the kind that fit into `free`, at most `most`.
  [[nodiscard]] uint32_t room_in(const int64_t* free, std::size_t k, uint32_t most) const;

 private:
  void add_kind(const Problem& problem, std::size_t k);
  void round(HostIndex host);
  [[nodiscard]] uint32_t find();
  [[nodiscard]] bool same_row(const int64_t* a, const int64_t* b) const;
  void grow();

  const ClusterState& state_;
  std::vector<uint32_t> kinds_;
  std::vector<uint32_t> wanted_;
  std::vector<const KindRooms*> rooms_;
  std::vector<const int32_t*> room_columns_;
  std::vector<ResourceId> resources_;
  std::vector<const int64_t*> columns_;
  std::vector<uint8_t> device_;
  std::vector<int64_t> unit_;    // per resource: greatest common divisor of the demands
  std::vector<int64_t> demand_;  // [kind][resource]
  std::size_t flags_ = 0;        // words of a row before the room: which kinds may use the host, then busy
  std::size_t width_ = 0;        // of a row
  std::vector<int64_t> rows_;    // [class][width]
  std::vector<uint32_t> room_;   // [class][kind]
  std::vector<uint64_t> hash_;   // [class]: of its row
  int shift_ = 56;
  std::vector<uint32_t> table_;  // open addressing: class, or kUseless
  static constexpr int kRecentBits = 10;
  std::unique_ptr<int64_t[]> recent_;   // rows as they were seen, by hash; newer ones replace older ones
  std::vector<uint32_t> recent_class_;  // kUseless: no row was written there
  std::vector<int64_t> seen_;           // of the host looked at, before rounding
  std::vector<int64_t> row_;            // and after
  std::vector<int64_t> usable_;
  std::vector<uint32_t> room_here_;
};

}  // namespace muster::placement
