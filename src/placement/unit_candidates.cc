#include "placement/unit_candidates.h"

#include <algorithm>
#include <array>
#include <utility>

#include "placement/decision.h"

namespace muster::placement {
namespace {

constexpr std::size_t kMostOfOneRoom = 64;     // domains with room for as many that are looked at
constexpr std::size_t kRooms = 64;             // more count as this many
constexpr std::size_t kMostPassedOver = 4096;  // then the rest is taken to be like those

class Candidates {
 public:
  Candidates(const Problem& problem, const UnitNeeds& needs) : problem_(problem), needs_(needs) {}

  [[nodiscard]] bool full() const { return passed_over_ > kMostPassedOver; }

  // `room_of`: the unit's room for a kind.
  template <typename RoomOf>
  void consider(DomainId unit, const RoomOf& room_of) {
    for (const uint32_t kind : needs_.order)
      if (room_of(*needs_.rooms[kind]) < int64_t{problem_.kinds[kind].count}) return;
    const int64_t room = std::min<int64_t>(room_of(*needs_.rooms[needs_.order.front()]), kRooms);
    if (of_room_[static_cast<std::size_t>(room)]++ >= kMostOfOneRoom)
      ++passed_over_;
    else
      units_.push_back(unit);
  }

  // Whether there is nothing to be seen in the domain: it has no room, or it only matters how many of its
  // hosts have. That its room says where no host has room for two; as many as are looked at have to be found
  // before.
  [[nodiscard]] bool pass_over(DomainId domain) {
    for (const uint32_t kind : needs_.order)
      if (needs_.rooms[kind]->domain(domain) < int64_t{problem_.kinds[kind].count}) return true;
    const uint32_t kind = needs_.order.front();
    const KindRooms& rooms = *needs_.rooms[kind];
    const bool alike = needs_.order.size() == 1 && problem_.kinds[kind].count == 1 && rooms.most() <= 1;
    if (!alike || of_room_[1] < kMostOfOneRoom) return false;
    passed_over_ += static_cast<std::size_t>(rooms.domain(domain));
    return true;
  }

  [[nodiscard]] std::vector<DomainId> take() { return std::move(units_); }

 private:
  const Problem& problem_;
  const UnitNeeds& needs_;
  std::array<std::size_t, kRooms + 1> of_room_{};
  std::size_t passed_over_ = 0;
  std::vector<DomainId> units_;
};

}  // namespace

std::vector<DomainId> unit_candidates(const Problem& problem, LevelId within, LevelId level,
                                      const UnitNeeds& needs) {
  const Topology& topology = problem.topology;
  Candidates found(problem, needs);
  if (!topology.nests(within, level)) return {};
  const auto consider_hosts = [&](DomainId domain) {
    for (const HostIndex host : topology.hosts(domain)) {
      if (found.full()) return;
      found.consider(topology.host_domain(host),
                     [&](const KindRooms& rooms) { return int64_t{rooms.host(host)}; });
    }
  };
  const auto consider_domains = [&](DomainId domain) {
    const DomainRange range = topology.domains_within(domain, level);
    for (uint32_t i = range.first; i < range.last && !found.full(); ++i) {
      const auto unit = static_cast<DomainId>(i);
      found.consider(unit, [&](const KindRooms& rooms) { return rooms.domain(unit); });
    }
  };
  each_candidate(problem, within, [&](DomainId domain) {
    if (level != topology.host_level())
      consider_domains(domain);
    else if (!found.pass_over(domain))
      consider_hosts(domain);
    return !found.full();
  });
  return found.take();
}

}  // namespace muster::placement
