#include "placement/even_parts.h"

#include <map>

namespace muster::placement {

EvenParts::EvenParts(Problem& problem, const LocalHosts& hosts, HostDomains& domains, const Evenness& even)
    : most_(even.most) {
  std::map<DomainId, uint32_t> dense;
  std::vector<uint64_t> room;
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    const uint32_t part =
        dense.emplace(domains.of(even.level)[h], static_cast<uint32_t>(dense.size())).first->second;
    of_.push_back(part);
    room.resize(dense.size(), 0);
    uint32_t most = 0;
    for (std::size_t kind = 0; kind < hosts.kinds(); ++kind)
      if (hosts.may(h, kind))
        most = std::max(most, hosts.room(hosts.free(h), kind, problem.kinds[kind].count));
    room[part] += most;
  }
  count_.assign(dense.size(), 0);
  for (const Member& member : problem.request.members) {
    if (member.bound == kNoHost || !is_within(problem.request, member.subgroup, even.subgroup)) continue;
    const auto part = dense.find(problem.topology.domain_of(member.bound, even.level));
    if (part != dense.end()) ++count_[part->second];
  }
  for (std::size_t part = 0; part < dense.size(); ++part) {
    const uint64_t possible = room[part] + count_[part];
    least_.push_back(static_cast<uint32_t>(std::min<uint64_t>(even.least, possible)));
    if (count_[part] < least_[part]) owed_ += least_[part] - count_[part];
  }
}

void EvenParts::change(std::size_t h, uint32_t count, bool up) {
  if (of_.empty()) return;
  const uint32_t part = of_[h];
  const auto missing = [&] { return least_[part] > count_[part] ? least_[part] - count_[part] : 0U; };
  owed_ -= missing();
  count_[part] = up ? count_[part] + count : count_[part] - count;
  owed_ += missing();
}

void EvenParts::print(StatePrint& print) const {
  for (std::size_t part = 0; part < count_.size(); ++part)
    print.toggle(uint64_t{5} << 40 | part, count_[part]);
}

void EvenParts::describe(std::size_t h, std::string& key) const {
  if (of_.empty()) return;
  const uint32_t part = of_[h];
  key.append(reinterpret_cast<const char*>(&count_[part]), sizeof(uint32_t));
  key.append(reinterpret_cast<const char*>(&least_[part]), sizeof(uint32_t));
}

}  // namespace muster::placement
