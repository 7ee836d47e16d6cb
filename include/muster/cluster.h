// What the hosts have, what is charged to them, and who may use them. The books of the decision core.
//
// Columns of int64 per resource: cpu in millicores, everything else in its base unit. Free room is
// allocatable minus charged and may be negative, since the API may report more pods on a host than fit.
//
// Single writer, no locks: one thread owns the object. A copy is a snapshot (at 100,000 hosts and four
// resources about 10 MB).
//
// Undo: after savepoint() every change is journalled; rollback() takes them back in reverse, exactly. There
// is no other undo.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "muster/ids.h"
#include "muster/topology.h"

namespace muster {

// Amounts above are counted as this: larger demands never fit, larger hosts are no larger.
inline constexpr int64_t kMaxAmount = int64_t{1} << 50;

struct ResourceAmount {
  ResourceId resource{};
  int64_t amount = 0;
  friend bool operator==(const ResourceAmount&, const ResourceAmount&) = default;
};
// Any order, each resource at most once; zero amounts ask for nothing.
using Demand = std::vector<ResourceAmount>;

// Why a host is out of the question, whatever its room. The smallest reason that applies is counted.
enum class Exclusion : uint8_t {
  kNone,           // the host may be used
  kNotReady,       //
  kUnschedulable,  // cordoned
  kTainted,        // a taint that is not tolerated
  kSelector,       // node selector or required node affinity
  kRefused,        // kube-scheduler refused the host for this member
  kOwned,          // exclusive use: the host's domain belongs to others, or others are in it
  kOutside,        // outside the domain that members already bound have fixed
};
inline constexpr std::size_t kExclusionCount = 8;
[[nodiscard]] std::string_view to_string(Exclusion exclusion);  // "not ready", "tainted", …

// A point in the journal.
struct Savepoint {
  std::size_t position = 0;
  std::size_t depth = 0;
};

class ShapeIndex;

class ClusterState {
 public:
  explicit ClusterState(Topology topology = {});
  ClusterState(const ClusterState& other);  // a snapshot; open savepoints are not copied
  ClusterState& operator=(const ClusterState& other);
  ClusterState(ClusterState&&) noexcept;
  ClusterState& operator=(ClusterState&&) noexcept;
  ~ClusterState();

  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] std::size_t host_count() const { return topology_.host_count(); }

  // -- resources: names become columns. At most 256; the 257th name aborts, so the caller interns only
  // resources that nodes offer or members ask for.
  [[nodiscard]] ResourceId intern_resource(std::string_view name);
  [[nodiscard]] std::optional<ResourceId> find_resource(std::string_view name) const;
  [[nodiscard]] const std::string& resource_name(ResourceId resource) const {
    return columns_[at(resource)].name;
  }
  [[nodiscard]] std::size_t resource_count() const { return columns_.size(); }
  // Devices and other extended resources (a name with a slash): what placement tries not to strand.
  [[nodiscard]] bool is_device(ResourceId resource) const { return columns_[at(resource)].device; }

  // -- hosts

  // Replaces what the host offers; resources not named become 0. Journalled.
  void set_allocatable(HostIndex host, const Demand& amounts);
  [[nodiscard]] int64_t allocatable(HostIndex host, ResourceId resource) const {
    return columns_[at(resource)].allocatable[at(host)];
  }
  [[nodiscard]] int64_t free(HostIndex host, ResourceId resource) const {
    return columns_[at(resource)].free[at(host)];
  }
  [[nodiscard]] std::span<const int64_t> free_column(ResourceId resource) const {
    return columns_[at(resource)].free;
  }
  // kNone, kNotReady or kUnschedulable: holds for every member. Journalled.
  void set_status(HostIndex host, Exclusion status);
  [[nodiscard]] Exclusion status(HostIndex host) const { return status_[at(host)]; }

  // Room taken (given back) by one pod. `owner` is set for members of groups: it is what exclusive use and
  // "busy" look at. A pod without owner and without devices leaves a host as good as empty. Journalled.
  // REQUIRES for uncharge: a charge of the same demand and owner is there.
  void charge(HostIndex host, const Demand& demand, OwnerId owner = kNoOwner);
  void uncharge(HostIndex host, const Demand& demand, OwnerId owner = kNoOwner);
  // A host is busy when a member or a pod with devices is on it.
  [[nodiscard]] bool busy(HostIndex host) const { return occupants_[at(host)] > 0; }
  [[nodiscard]] uint32_t busy_hosts(DomainId domain) const { return busy_hosts_[at(domain)]; }

  // -- node sets: the caller computes which hosts a member may use and interns the answer. Not journalled.
  [[nodiscard]] NodeSetId add_node_set(Exclusion initial = Exclusion::kNone);
  void set_eligible(NodeSetId set, HostIndex host, Exclusion exclusion);
  void set_eligible(NodeSetId set, HostIndex host, bool eligible) {
    set_eligible(set, host, eligible ? Exclusion::kNone : Exclusion::kSelector);
  }
  [[nodiscard]] std::size_t node_set_count() const { return node_sets_.size(); }
  // The host's status first, then the node set's word.
  [[nodiscard]] Exclusion exclusion(NodeSetId set, HostIndex host) const {
    const Exclusion own = status_[at(host)];
    return own != Exclusion::kNone ? own : node_sets_[at(set)][at(host)];
  }

  // -- exclusive use

  // From now on the domains of `level` that hold a member charged to `owner` are closed to all other owners.
  // kClusterLevel takes the claim back. Journalled.
  void set_claim(OwnerId owner, LevelId level);
  struct Claim {
    OwnerId owner = kNoOwner;
    LevelId level = kClusterLevel;
  };
  [[nodiscard]] std::span<const Claim> claims() const { return claims_; }
  struct Tenancy {
    OwnerId owner = kNoOwner;
    uint32_t members = 0;
  };
  // Whose members are on the host.
  [[nodiscard]] std::span<const Tenancy> tenants(HostIndex host) const { return tenants_[at(host)]; }

  // -- journal

  [[nodiscard]] Savepoint savepoint();
  // Takes back every change since the savepoint and closes it and those opened after it.
  void rollback(Savepoint to);
  // Keeps the changes since the savepoint and closes it (changes stay undoable by an outer savepoint).
  // Savepoints are closed in the reverse order of their opening.
  void keep(Savepoint from);

  // -- gains: a group that could not be placed is worth another try only where room has grown.

  // Grows with every change that can only help: room given back, a host that became usable.
  [[nodiscard]] uint64_t epoch() const { return epoch_; }
  // The epoch of the last gain inside the domain (0: never).
  [[nodiscard]] uint64_t gained_at(DomainId domain) const { return gained_at_[at(domain)]; }

  // -- derived counts (implementation: src/cluster/shape_index.h). Not part of the observable state.
  [[nodiscard]] ShapeIndex& shapes() { return *shapes_; }

 private:
  struct Column {
    std::string name;
    bool device = false;
    std::vector<int64_t> allocatable;
    std::vector<int64_t> free;
  };
  struct Change {
    enum class Kind : uint8_t { kFree, kAllocatable, kStatus, kOccupants, kTenant, kClaim } kind;
    uint32_t subject = 0;  // host or owner
    uint32_t detail = 0;   // resource, owner, level
    int64_t value = 0;     // before, or the difference
  };
  friend class ShapeIndex;

  void note(Change::Kind kind, uint32_t subject, uint32_t detail, int64_t value);
  void undo(const Change& change);
  void add_free(HostIndex host, ResourceId resource, int64_t difference);
  void add_occupants(HostIndex host, int32_t difference);
  void add_tenant(HostIndex host, OwnerId owner, int32_t difference);
  void put_status(HostIndex host, Exclusion status);
  void put_claim(OwnerId owner, LevelId level);
  void gained(HostIndex host);
  [[nodiscard]] bool is_occupying(const Demand& demand, OwnerId owner) const;

  Topology topology_;
  std::vector<Column> columns_;
  std::vector<Exclusion> status_;
  std::vector<uint32_t> occupants_;  // members and pods with devices
  std::vector<uint32_t> busy_hosts_;
  std::vector<uint64_t> gained_at_;
  std::vector<std::vector<Exclusion>> node_sets_;
  std::vector<std::vector<Tenancy>> tenants_;
  std::vector<Claim> claims_;  // sorted by owner
  std::vector<Change> journal_;
  std::size_t open_savepoints_ = 0;
  uint64_t epoch_ = 1;
  std::unique_ptr<ShapeIndex> shapes_;
};

// A savepoint as a scope: takes everything back at its end unless keep() was called.
class WhatIf {
 public:
  explicit WhatIf(ClusterState& state) : state_(&state), start_(state.savepoint()) {}
  ~WhatIf() {
    if (state_ != nullptr) state_->rollback(start_);
  }
  WhatIf(const WhatIf&) = delete;
  WhatIf& operator=(const WhatIf&) = delete;
  void keep() {
    state_->keep(start_);
    state_ = nullptr;
  }

 private:
  ClusterState* state_;
  Savepoint start_;
};

}  // namespace muster
