#include "placement/host_rows.h"

#include <map>
#include <string>
#include <utility>

namespace muster::placement {

HostRows::HostRows(const LocalHosts& hosts)
    : hosts_(hosts), free_(hosts.resources(), 0), puts_(hosts.size(), 0) {
  rows_.reserve(hosts.size() * hosts.resources());
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    rows_.insert(rows_.end(), hosts.free(h), hosts.free(h) + hosts.resources());
    for (std::size_t r = 0; r < hosts.resources(); ++r) free_[r] += row(h)[r];
  }
}

std::vector<uint32_t> HostRows::classes(const HostDomains& domains, const EvenParts& parts) const {
  std::vector<uint32_t> classes;
  std::map<std::string, uint32_t> known;
  for (std::size_t h = 0; h < hosts_.size(); ++h) {
    std::string key(reinterpret_cast<const char*>(row(h)), hosts_.resources() * sizeof(int64_t));
    for (std::size_t kind = 0; kind < hosts_.kinds(); ++kind) key += hosts_.may(h, kind) ? '+' : '-';
    for (const auto& [level, of] : domains.asked_for()) {
      if (level == domains.topology().host_level()) continue;
      key.append(reinterpret_cast<const char*>(&of[h]), sizeof(DomainId));
    }
    parts.describe(h, key);
    classes.push_back(known.emplace(std::move(key), static_cast<uint32_t>(known.size())).first->second);
  }
  return classes;
}

}  // namespace muster::placement
