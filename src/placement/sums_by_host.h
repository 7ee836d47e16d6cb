// A row of sums for every host of a placement, found by a table; where hosts come in order, only the row of
// the last one is kept. For the checker alone, which shares nothing with the packers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "muster/verdict.h"

namespace muster {

class SumsByHost {
 public:
  SumsByHost(const std::vector<Assignment>& placement, std::size_t hosts, std::size_t columns)
      : columns_(columns) {
    const auto by_host = [](const Assignment& a, const Assignment& b) { return a.host < b.host; };
    ordered_ = std::is_sorted(placement.begin(), placement.end(), by_host);
    if (ordered_) {
      sums_.resize(columns);
      return;
    }
    // A large placement has a place for every host there is: neighbours then are neighbours in the table.
    direct_ = placement.size() * 8 >= hosts;
    while (!direct_ && std::size_t{1} << bits_ < placement.size() * 2) ++bits_;
    row_at_.assign(direct_ ? hosts : std::size_t{1} << bits_, kFree);
    sums_.reserve(placement.size() * columns);
  }

  // Good until the next call.
  int64_t* of(HostIndex host) {
    if (host == last_) return sums_.data() + row_ * columns_;
    last_ = host;
    if (ordered_) {
      std::fill(sums_.begin(), sums_.end(), 0);
      return sums_.data();
    }
    std::size_t slot =
        direct_ ? at(host) : static_cast<uint64_t>(host) * 0x9E3779B97F4A7C15ULL >> (64 - bits_);
    while (row_at_[slot] != kFree && hosts_[row_at_[slot]] != host) slot = (slot + 1) & (row_at_.size() - 1);
    if (row_at_[slot] == kFree) {
      row_at_[slot] = static_cast<uint32_t>(hosts_.size());
      hosts_.push_back(host);
      sums_.resize(sums_.size() + columns_, 0);
    }
    row_ = row_at_[slot];
    return sums_.data() + row_ * columns_;
  }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;
  std::size_t columns_;
  bool ordered_ = false;
  bool direct_ = false;
  HostIndex last_ = kNoHost;
  std::size_t row_ = 0;
  int bits_ = 4;
  std::vector<uint32_t> row_at_;
  std::vector<HostIndex> hosts_;  // by row
  std::vector<int64_t> sums_;     // [row][column]
};

}  // namespace muster
