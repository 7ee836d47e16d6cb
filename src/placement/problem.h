// A request compiled against a state: levels resolved, members gathered into kinds, slices turned into
// subgroups, domains that bound members fix turned into restrictions. What the packers work on.
//
// Lives for one solve(); the state must not change meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cluster/shape_index.h"
#include "muster/cluster.h"
#include "muster/request.h"
#include "muster/topology.h"

namespace muster::placement {

// Counts steps; the only limit of a search.
class Budget {
 public:
  explicit Budget(uint64_t limit) : limit_(limit) {}
  // False when the budget is used up.
  bool spend(uint64_t steps) {
    used_ += steps;
    return used_ <= limit_;
  }
  [[nodiscard]] bool left(uint64_t steps) const { return used_ + steps <= limit_; }
  [[nodiscard]] uint64_t used() const { return used_; }
  [[nodiscard]] uint64_t rest() const { return used_ < limit_ ? limit_ - used_ : 0; }

 private:
  uint64_t limit_;
  uint64_t used_ = 0;
};

// Members that can stand in for each other: same role, same refused hosts, same restriction.
struct Kind {
  uint32_t role = 0;
  uint32_t restriction = 0;
  std::vector<HostIndex> refused;  // sorted
  uint32_t separate = 0;           // node: see Problem::separate_scope()
  uint32_t count = 0;              // members not bound
};

// How many members of a kind hosts and domains can take (each kind alone).
class KindRooms {
 public:
  KindRooms(const Rooms& shared) : rooms_(&shared) {}
  explicit KindRooms(std::unique_ptr<Rooms> own) : own_(std::move(own)), rooms_(own_.get()) {}
  [[nodiscard]] int32_t host(HostIndex host) const { return rooms_->host[at(host)]; }
  [[nodiscard]] const int32_t* hosts() const { return rooms_->host.data(); }  // by HostIndex
  [[nodiscard]] int32_t most() const { return rooms_->most; }                 // no host has more
  [[nodiscard]] int64_t in_use() const { return rooms_->in_use; }             // no more busy hosts have room
  [[nodiscard]] int64_t domain(DomainId domain) const {
    const std::size_t inner = rooms_->domain.size();
    return at(domain) < inner ? rooms_->domain[at(domain)] : rooms_->host[at(domain) - inner];
  }

 private:
  std::unique_ptr<Rooms> own_;
  const Rooms* rooms_;
};

// A subgroup of the request or a slice. Node 0 is the group.
struct Node {
  uint32_t subgroup = 0;  // of the request
  uint32_t parent = 0;
  bool is_slice = false;
  LevelId level = kClusterLevel;      // required; kClusterLevel: none, or fixed by bound members
  LevelId preferred = kClusterLevel;  // kClusterLevel: none
  LevelId exclusive = kClusterLevel;  // kClusterLevel: none
  Strategy strategy = Strategy::kPack;
  std::optional<uint32_t> minimum;  // of the node's members, bound ones included
  std::optional<uint32_t> min_subgroups;
  uint32_t bound = 0;  // bound members in the subtree
  uint32_t total = 0;  // all members in the subtree
  std::vector<uint32_t> children;
  struct Direct {
    uint32_t kind = 0;
    std::vector<uint32_t> members;  // not bound, by rank
  };
  std::vector<Direct> direct;
};

class Problem {
 public:
  Problem(const PlacementRequest& request, ClusterState& state);

  const PlacementRequest& request;
  ClusterState& state;
  const Topology& topology;

  std::vector<Node> nodes;
  std::vector<Kind> kinds;
  std::vector<HostIndex> bound_hosts;
  uint32_t needed = 0;   // members to place at least
  uint32_t pending = 0;  // members that are not bound
  // A subgroup or slice whose bound members contradict its required level.
  std::optional<uint32_t> broken_node;

  // Required level of the group (kClusterLevel: none) and levels to try, finest first.
  LevelId required = kClusterLevel;
  std::vector<LevelId> ladder;

  [[nodiscard]] const Demand& demand(const Kind& kind) const { return request.roles[kind.role].demand; }
  [[nodiscard]] const KindRooms& rooms(uint32_t kind);
  // Why the kind cannot use the host, whatever its room.
  [[nodiscard]] Exclusion exclusion(const Kind& kind, HostIndex host) const;
  // Whether every bound member stands in the domain.
  [[nodiscard]] bool holds_bound(DomainId domain) const;
  // The nearest subgroup, the node itself included, that wants domains for itself on a level finer than the
  // one it is held to: its members must not be counted together with others. 0: none.
  [[nodiscard]] uint32_t separate_scope(uint32_t node) const;
  // A flat request: no subgroup or slice restricts members beyond the group's own level and minimum.
  [[nodiscard]] bool flat() const { return flat_; }
  [[nodiscard]] bool elastic() const { return needed < pending; }
  // One kind in whole slices, nothing bound, no level above narrower than the slices'. All slices are then
  // alike, and none is a node: the members are those of node 0.
  [[nodiscard]] bool plainly_sliced() const { return plainly_sliced_; }

 private:
  void add_subgroups();
  void add_members();
  [[nodiscard]] bool slices_are_alike() const;
  void add_slices();
  void fix_domains();
  void add_restrictions();
  void add_kinds();
  [[nodiscard]] static std::vector<uint32_t>& list_of(Node& node, uint32_t kind);
  [[nodiscard]] std::optional<uint32_t> find_plain_kind(uint32_t role, uint32_t restriction,
                                                        uint32_t separate) const;
  void add_ladder();
  void sum_up();
  [[nodiscard]] LevelId level_named(const std::string& name) const;
  [[nodiscard]] bool within(uint32_t node, uint32_t ancestor) const;
  void mask_restriction(std::vector<Exclusion>& mask, uint32_t node) const;
  void mask_claims(std::vector<Exclusion>& mask, uint32_t node) const;
  void mask_exclusive(std::vector<Exclusion>& mask, uint32_t node) const;
  void close_domain(std::vector<Exclusion>& mask, HostIndex host, LevelId level) const;

  std::vector<OwnerId> owners_;        // effective owner per subgroup
  std::vector<uint32_t> member_node_;  // per member of the request
  std::vector<uint32_t> node_restriction_;
  std::vector<std::optional<DomainId>> fixed_;        // per node: where bound members hold it
  std::vector<std::vector<Exclusion>> restrictions_;  // [0] is empty: none
  std::vector<std::optional<KindRooms>> rooms_;
  bool flat_ = true;
  bool plainly_sliced_ = false;
};

}  // namespace muster::placement
