// Not Muster: what schedulers do that look at one pod after another and never take a choice back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "muster/cluster.h"
#include "muster/request.h"
#include "muster/verdict.h"

namespace muster::bench {

enum class PerPodRule : uint8_t {
  kFirstFit,  // the first host with room
  kNearest  // the host whose domains hold most members of the group already, on as many levels as there are;
            // then the one with the fewest devices left over; then the first
};

// Members in the order of the request. What has to be in one domain (a group or subgroup with a required
// level, a slice) is held to the domain of its first member. Nothing when a member finds no host: those
// before it stay where they are in a real cluster, here they are dropped. O(members × hosts).
// REQUIRES: slices only in the group itself; minima and exclusive use are not looked at.
class PerPod {
 public:
  explicit PerPod(const ClusterState& state);  // a snapshot of what is free
  [[nodiscard]] std::optional<std::vector<Assignment>> place(const PlacementRequest& request,
                                                             PerPodRule rule);

 private:
  // A set of members that has to be in one domain of the level.
  struct Scope {
    LevelId level = kClusterLevel;
    DomainId domain = kNoDomain;  // kNoDomain: no member is placed yet
  };

  void add_scopes(const PlacementRequest& request);
  [[nodiscard]] bool may(const PlacementRequest& request, const Member& member, HostIndex host,
                         const std::vector<uint32_t>& scopes) const;
  [[nodiscard]] HostIndex choose(const PlacementRequest& request, const Member& member,
                                 const std::vector<uint32_t>& scopes, PerPodRule rule) const;
  [[nodiscard]] int64_t nearness(HostIndex host) const;
  [[nodiscard]] int64_t devices_left(HostIndex host, const Demand& demand) const;
  void take(const Demand& demand, HostIndex host);

  const ClusterState& state_;
  std::vector<std::vector<int64_t>> free_;  // [resource][host]
  std::vector<uint8_t> touched_;            // by DomainId: holds members of the group
  std::vector<Scope> scopes_;
  std::vector<std::vector<uint32_t>> of_member_;  // scopes by member
};

}  // namespace muster::bench
