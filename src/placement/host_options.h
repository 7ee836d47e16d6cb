// Which mixes of kinds one host can hold: the maximal count vectors.
#pragma once

#include <memory>
#include <vector>

#include "placement/fold.h"
#include "placement/local_hosts.h"

namespace muster::placement {

class HostOptions {
 public:
  // `kinds`: the dimensions, as kinds of `hosts`; `caps`: counts above are of no interest.
  HostOptions(const LocalHosts& hosts, std::vector<std::size_t> kinds, std::vector<uint32_t> caps);

  // Null when the budget ends or a host has too many mixes. Hosts that are alike share one list. The pointer
  // stays good.
  [[nodiscard]] const Vectors* of(std::size_t host, Budget& budget);

 private:
  bool enumerate(std::size_t host, Vectors& out, Budget& budget) const;

  const LocalHosts& hosts_;
  std::vector<std::size_t> kinds_;
  std::vector<uint32_t> caps_;
  struct Entry {
    std::size_t host = 0;
    std::unique_ptr<Vectors> options;
  };
  std::vector<std::vector<Entry>> buckets_;
};

}  // namespace muster::placement
