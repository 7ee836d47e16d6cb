// What the hosts of a search have left while members are put on them and taken back.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/even_parts.h"
#include "placement/host_domains.h"
#include "placement/local_hosts.h"
#include "placement/state_print.h"

namespace muster::placement {

class HostRows {
 public:
  explicit HostRows(const LocalHosts& hosts);

  // Members of the kind that the host can still take, at most `most`.
  [[nodiscard]] uint32_t room(std::size_t h, uint32_t kind, uint32_t most) const {
    return hosts_.room(row(h), kind, most);
  }
  // Free room of all hosts together.
  [[nodiscard]] __int128 free(std::size_t resource) const { return free_[resource]; }
  [[nodiscard]] bool untouched(std::size_t h) const { return puts_[h] == 0; }
  // Stands for what all hosts have left.
  [[nodiscard]] const StatePrint& print() const { return print_; }

  void put(std::size_t h, uint32_t kind, uint32_t count) {
    ++puts_[h];
    change(h, kind, static_cast<int64_t>(count));
  }
  // REQUIRES: it was put there.
  void take_back(std::size_t h, uint32_t kind, uint32_t count) {
    --puts_[h];
    change(h, kind, -static_cast<int64_t>(count));
  }

  // Per host a number; hosts that have the same one are the same to a search over these domains and parts, as
  // long as they are untouched.
  [[nodiscard]] std::vector<uint32_t> classes(const HostDomains& domains, const EvenParts& parts) const;

 private:
  [[nodiscard]] const int64_t* row(std::size_t h) const { return rows_.data() + h * hosts_.resources(); }

  void change(std::size_t h, uint32_t kind, int64_t count) {
    const std::size_t resources = hosts_.resources();
    const int64_t* demand = hosts_.demand(kind);
    int64_t* row = rows_.data() + h * resources;
    StatePrint print = print_;
    for (std::size_t r = 0; r < resources; ++r) {
      if (demand[r] == 0) continue;
      const int64_t amount = demand[r] * count;
      print.toggle(h * resources + r, static_cast<uint64_t>(row[r]) + 1);
      row[r] -= amount;
      free_[r] -= amount;
      print.toggle(h * resources + r, static_cast<uint64_t>(row[r]) + 1);
    }
    print_ = print;
  }

  const LocalHosts& hosts_;
  std::vector<int64_t> rows_;   // [host][resource]
  std::vector<__int128> free_;  // per resource
  std::vector<uint32_t> puts_;  // per host: so many are on it
  StatePrint print_;
};

}  // namespace muster::placement
