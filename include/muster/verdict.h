// The three answers of the solver, as data, and their rendering for people.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "muster/cluster.h"
#include "muster/ids.h"
#include "muster/request.h"

namespace muster {

struct Assignment {
  uint32_t member = 0;  // index into PlacementRequest::members
  HostIndex host = kNoHost;
  friend bool operator==(const Assignment&, const Assignment&) = default;
};

// A placement that the checker accepted.
struct Fits {
  // Newly placed members in rank order; bound ones are not repeated. Members left out (more than the minimum
  // exist and not all fit) are missing. Equal members of one subgroup are on hosts in depth-first order.
  std::vector<Assignment> placement;
  DomainId domain = kNoDomain;  // the domain chosen for the whole group; the cluster when unconstrained
  LevelId level = kClusterLevel;
  uint32_t placed = 0;  // placement.size()
  uint32_t bound = 0;   // members that were bound before
  uint32_t wanted = 0;  // all members of the request
  uint64_t steps = 0;
};

// Which inequality or search is the certificate.
enum class NoCode : uint8_t {
  kNoHosts,       // no domain of the required level has a host the members may use
  kMembers,       // each domain holds fewer members than needed (T1)
  kSlices,        // each domain holds fewer slices than needed (T2)
  kRole,          // one role alone does not fit
  kResource,      // the sum of one resource is too small
  kSizes,         // the members of some size and larger need more room than hosts have in units of it (T7)
  kNodeSets,      // a set of roles has too few hosts between them (max-flow)
  kCombination,   // roles fit one by one but not together (frontier or exact search)
  kSubGroups,     // subgroups fit one by one but not together
  kBoundMembers,  // members already bound stand in more than one domain of the required level
};
[[nodiscard]] std::string_view to_string(NoCode code);  // "members", "combination", …

// How close one domain came.
struct Miss {
  LevelId level = kClusterLevel;
  DomainId domain = kNoDomain;
  uint32_t holds = 0;   // members (bound ones included) it can hold; an upper bound for kCombination
  uint32_t wanted = 0;  // members needed there
  uint32_t role = 0;    // the role that is short, where one is
  bool slices = false;  // holds and wanted count slices
  // The resource that binds, if one does.
  std::optional<ResourceId> resource;
  int64_t short_by = 0;      // what would have to become free, at least, in the resource's unit
  uint32_t short_hosts = 0;  // on so many hosts that are there; the rest of it is nowhere
  // Hosts out of the question, by reason (index: Exclusion).
  std::array<uint32_t, kExclusionCount> excluded{};
  uint32_t hosts = 0;  // hosts of the domain
};

// The smallest change found that makes it fit.
struct Remedy {
  enum class Kind : uint8_t {
    kLevel,    // at this coarser level it fits
    kMinimum,  // with this minimum it fits
    kRoom,     // if this host frees that much of the resource
  } kind = Kind::kLevel;
  LevelId level = kClusterLevel;
  uint32_t minimum = 0;
  HostIndex host = kNoHost;
  ResourceId resource{};
  int64_t amount = 0;
};

struct Reason {
  NoCode code = NoCode::kMembers;
  std::string subgroup;           // that is in the way, "prefill/replica-0"; empty: the group itself
  LevelId level = kClusterLevel;  // the loosest level allowed
  uint32_t domains = 0;           // domains of that level that were looked at
  std::vector<Miss> nearest;      // loosest allowed level first; at most one per level
  std::vector<Remedy> remedies;
  uint64_t epoch = 0;  // the state's epoch: see worth_another_try()
};

// Certified: no placement exists in what is modelled (not: volumes, host ports, inter-pod affinity, spread).
struct CertifiedNo {
  Reason reason;
  uint64_t steps = 0;
};

// The step budget ended before an answer. `reason` is the nearest miss of what was decided.
struct Undecided {
  Reason reason;
  uint64_t steps = 0;
  // Not empty: the checker refused what a packer found, a defect of ours to be logged as an error.
  std::string fault;
};

using Verdict = std::variant<Fits, CertifiedNo, Undecided>;

// One sentence for people, e.g.
//   rack b2/r7 holds 14 of 16: nvidia.com/gpu short by 16 on 2 hosts; 3 hosts excluded: tainted (2), not
//   ready (1); it fits at level block
[[nodiscard]] std::string describe(const Verdict& verdict, const PlacementRequest& request,
                                   const ClusterState& state);
[[nodiscard]] std::string describe(const Reason& reason, const PlacementRequest& request,
                                   const ClusterState& state);

}  // namespace muster
