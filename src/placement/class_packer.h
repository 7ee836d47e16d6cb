// A greedy packer over classes of hosts: kinds by device demand, hosts that strand least first. Its work
// depends on the number of classes, not of hosts. A failure proves nothing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "placement/host_classes.h"
#include "placement/slots.h"

namespace muster::placement {

class ClassPacker {
 public:
  explicit ClassPacker(const HostClasses& classes) : classes_(classes) {}

  // Whether so many hosts of each class (by class; missing ones are 0) hold so many members of each kind (as
  // HostClasses counts them).
  [[nodiscard]] bool pack(const std::vector<uint32_t>& hosts, const std::vector<uint32_t>& wanted);
  [[nodiscard]] uint64_t effort() const { return classes_.kinds() * (classes_.size() * 2 + 8); }

  // For the packing found last: hosts come one after another, each with its class, and get their share; one
  // that is not needed gets nothing. REQUIRES: pack() returned true and so many hosts come.
  void start_writing();
  void write(HostIndex host, uint32_t c, std::vector<Slot>& slots);

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  // Hosts of one class that have taken the same.
  struct Pile {
    uint32_t of = 0;  // class
    uint32_t hosts = 0;
    uint32_t from = kNone;  // the pile before the last taking
    uint32_t kind = 0;      // of the last taking, as HostClasses counts them
    uint32_t count = 0;
    uint32_t next = kNone;  // pile of the same class, while writing
  };

  void order_kinds();
  bool place(std::size_t kind, uint32_t left);
  void split(uint32_t pile, std::size_t kind, uint32_t hosts, uint32_t count);
  [[nodiscard]] double key(std::size_t kind, uint32_t pile, uint32_t room) const;
  [[nodiscard]] int64_t* row(uint32_t pile) { return rows_.data() + pile * classes_.resources(); }
  [[nodiscard]] const int64_t* row(uint32_t pile) const { return rows_.data() + pile * classes_.resources(); }

  const HostClasses& classes_;
  std::vector<std::size_t> order_;  // kinds
  std::vector<Pile> piles_;
  std::vector<int64_t> rows_;  // free room, per pile
  struct Ranked {
    double key = 0;
    uint32_t pile = 0;
    uint32_t room = 0;
  };
  std::vector<Ranked> ranked_;
  std::vector<double> total_;
  std::vector<std::pair<double, std::size_t>> sizes_;
  std::vector<uint32_t> first_pile_;  // per class, while writing
};

}  // namespace muster::placement
