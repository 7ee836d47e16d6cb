// What a group asks for, as a constraint tree: subgroup 0 is the group itself, the others hang below it.
//
// Level names are resolved against the topology by validate() and solve(), so that a request outlives a
// rebuilt topology; HostIndex, NodeSetId and ResourceId do not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "muster/cluster.h"
#include "muster/ids.h"
#include "muster/topology.h"

namespace muster {

// Members of equal demand and node set.
struct Role {
  Demand demand;
  NodeSetId node_set = kEveryHost;
};

// Members are cut, in rank order, into slices of `size` that stay in one domain of `level` each.
struct Slice {
  uint32_t size = 1;
  std::string level;
};

enum class Strategy : uint8_t {
  kPack,    // as few domains as possible
  kSpread,  // evenly over the domains of the next level below the one its members are held to
};

struct SubGroup {
  std::string name;     // one step of the path, e.g. "prefill"; empty for the group itself
  uint32_t parent = 0;  // index of an earlier subgroup; ignored for the group itself

  std::string required;   // level name: all members in one domain of it; empty: none
  std::string preferred;  // level name: tried first, then climbed, never above `required`

  // Members (placed and bound, those of subgroups below included) without which nothing is placed. Absent:
  // for the group itself all members; for a subgroup none of its own. A subgroup with a minimum holds that
  // many or nothing. 0: members that are elsewhere reach it already. May be above the members only where the
  // subgroup above has min_subgroups and so may do without this one.
  std::optional<uint32_t> minimum;
  // Of the subgroups directly below, so many have to stand (reach their minimum, or all of their members
  // where they have none; one without members does not stand); the others may hold nothing. Absent: all that
  // have a minimum have to stand.
  std::optional<uint32_t> min_subgroups;

  // Coarse to fine, each size divides the one before. A member belongs to slice rank / size where ranks
  // differ, else to slice position / size.
  std::vector<Slice> slices;
  // Level name: no member of another owner in the domains of that level this subgroup uses; other subgroups
  // of the same group count as others. Empty: shared.
  std::string exclusive;
  Strategy placement = Strategy::kPack;
  // Whose charges count as this subgroup's own. kNoOwner: as the parent's.
  OwnerId owner = kNoOwner;
  // Some of its own members are elsewhere, such as those that have completed: what is left need not come in
  // whole slices, as where a member is bound.
  bool begun = false;
};

struct Member {
  uint32_t role = 0;
  uint32_t subgroup = 0;
  int64_t rank = 0;           // order among the members; ties by index
  HostIndex bound = kNoHost;  // an existing member: charged already, stays, and fixes domains
};

// A host kube-scheduler refused for a member.
struct Refusal {
  uint32_t member = 0;
  HostIndex host = kNoHost;
};

struct PlacementRequest {
  std::vector<SubGroup> subgroups = std::vector<SubGroup>(1);
  std::vector<Role> roles;
  std::vector<Member> members;
  std::vector<Refusal> refusals;
};

inline constexpr std::size_t kMaxMembers = 100'000;
inline constexpr std::size_t kMaxSubGroups = 20'000;
inline constexpr std::size_t kMaxDepth = 8;

// kInvalid with the path of the offending key and its value, e.g.
//   subgroups.prefill.topologyRequired: unknown level "rakc" (levels: block, rack, host)
//   slices: 12 does not divide 16
//   minMember: 9 is more than the 8 members
// Checked: levels are known; a level below is not coarser than the one above; preferred is not above
// required; sizes divide and are ≥ 1, their levels get finer; minima are reachable; indexes are in range;
// limits above; amounts are not negative. O(members + subgroups).
[[nodiscard]] Result<void> validate(const PlacementRequest& request, const ClusterState& state);

// Whether a subgroup is the other one or below it. O(depth).
[[nodiscard]] bool is_within(const PlacementRequest& request, uint32_t subgroup, uint32_t ancestor);

// "subgroups.prefill.subgroups.replica-0", as a key of the tree; empty for the group itself.
[[nodiscard]] std::string subgroup_path(const PlacementRequest& request, uint32_t subgroup);
// "prefill/replica-0", as members name it; empty for the group itself.
[[nodiscard]] std::string subgroup_name(const PlacementRequest& request, uint32_t subgroup);

}  // namespace muster
