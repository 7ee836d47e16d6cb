// The books: nodes and pods as the API shows them, kept as hosts, charges and reservations of the decision
// core.
//
// Promise 4 is kept here. A pod that is bound is charged what the API says it asks for, where the API says it
// runs; a member that is planned has a reservation, which ends when it is given back or when the pod is seen
// bound.
//
// Adding or removing a node, or changing one of its topology labels, makes the topology be built again at the
// next question (about 50 ms at 100,000 hosts); any other change is applied to the host alone.
//
// Thread rule: one thread; the engine's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/resources.h"
#include "books/member_shapes.h"
#include "books/node_sets.h"
#include "group/room.h"
#include "kube/types.h"
#include "muster/cluster.h"
#include "muster/mix.h"
#include "muster/request.h"
#include "muster/solver.h"
#include "muster/topology.h"
#include "muster/verdict.h"

namespace muster::books {

// A level of a tree with the node labels that may carry its value; the first present one counts.
struct LevelLabels {
  std::string name;
  std::vector<std::string> labels;
};
struct TreeLabels {
  std::string name;
  std::vector<LevelLabels> levels;  // coarse to fine
};

// The level's label keys are its aliases: a constraint may name either.
[[nodiscard]] TopologySpec to_spec(const std::vector<TreeLabels>& trees);

// A question as it was put to the solver, with its verdict; kInvalid when the request was rejected.
struct Decision {
  PlacementRequest request;
  Result<Verdict> verdict;
};

// Columns exist for the resources that members ask for; no group may ask for more different ones.
inline constexpr std::size_t kMaxResources = 200;

// A certificate speaks of what is modelled: " (not looked at: host ports, volumes)", empty where all is.
[[nodiscard]] std::string left_out(const group::Question& question);

class Books final : public group::Room {
 public:
  explicit Books(std::vector<TreeLabels> trees, const SolveOptions& solving = {});
  ~Books() override;

  // --- nodes --------------------------------------------------------------------------------------------
  void replace_nodes(std::vector<kube::Node> nodes);
  void upsert_node(kube::Node node);
  void remove_node(const std::string& name);

  // --- pods ---------------------------------------------------------------------------------------------
  // Bound pods that have not ended are charged; a reservation of the same pod ends.
  void upsert_pod(const kube::Pod& pod);  // of no group
  void upsert_member(const group::GroupKey& key, const group::Member& member);
  void remove_pod(const std::string& uid);
  // REQUIRES: none of its pods is in the books. Another group of this name is another owner.
  void forget_group(const group::GroupKey& key);
  // A set's number stays its own as long as a member holds it: upsert_member() and remove_pod() see to it.
  [[nodiscard]] NodeSetId intern_node_set(const kube::NodeSet& set);
  [[nodiscard]] const NodeSets& node_sets() const { return node_sets_; }

  // Makes the columns and the node set that a decision about this member needs, ahead of the decision.
  void prepare(const group::Member& member);

  // --- Room ---------------------------------------------------------------------------------------------
  [[nodiscard]] group::Answer solve(const group::Question& question) override;
  [[nodiscard]] bool valid(const group::Question& question,
                           const std::vector<group::Placed>& placed) override;
  [[nodiscard]] bool reserve(const group::GroupKey& key, const group::Member& member,
                             const std::string& node) override;
  [[nodiscard]] bool keep(const group::GroupKey& key, const group::Member& member,
                          const std::string& node) override;
  void unreserve(const std::string& uid) override;
  [[nodiscard]] std::string domain_of(const std::string& node) const override;
  [[nodiscard]] bool worth_another_try(const group::GroupKey& key) override;

  // solve() with everything the solver said.
  [[nodiscard]] Decision decide(const group::Question& question) { return decide(question, solving_); }
  [[nodiscard]] Decision decide(const group::Question& question, const SolveOptions& solving);

  // --- views --------------------------------------------------------------------------------------------
  // Grows when room is gained anywhere.
  [[nodiscard]] uint64_t room_epoch();
  // Reservations on the node that cannot be kept any more: it has gone, is not eligible, or is overcommitted.
  [[nodiscard]] std::vector<std::string> broken_reservations(const std::string& node);
  // Node → what it still has for pods of no group, for every node with reservations.
  [[nodiscard]] std::unordered_map<std::string, ResourceList> promises();
  // nullptr when there is no such node. O(1) once the topology is built.
  [[nodiscard]] const kube::Node* find_node(const std::string& name) const;
  // Somebody is bound to the node or reserved there. O(1).
  [[nodiscard]] bool is_used(const std::string& node) const { return on_node_.contains(node); }
  // Who is.
  [[nodiscard]] std::vector<std::string> uids_on(const std::string& node) const;
  // Where the pod is bound or reserved; empty: nowhere.
  [[nodiscard]] std::string node_of(const std::string& uid) const;
  // Nodes that somebody is bound to or reserved on, whether they exist or not.
  [[nodiscard]] std::vector<std::string> used_nodes() const;
  [[nodiscard]] std::vector<std::string> bound_uids() const;
  [[nodiscard]] std::map<std::string, std::string> reservations() const;  // uid → node
  // Changes whenever promises() may have changed.
  [[nodiscard]] uint64_t promises_version() const { return promises_version_; }
  [[nodiscard]] const ClusterState& cluster() { return state(); }
  [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
  [[nodiscard]] std::size_t reservation_count() const { return reserved_; }
  // Questions put to the solver, and its steps.
  [[nodiscard]] uint64_t questions() const { return questions_; }
  [[nodiscard]] uint64_t steps() const { return steps_; }
  // Overcommitted in our books: bound + reserved > allocatable with a reservation among them. Promise 4 says
  // never for long; tests look here.
  [[nodiscard]] bool balanced();

 private:
  // Where a pod is or is promised to be, for whom, and what it takes there.
  struct Charge {
    std::string node;
    ResourceList demand;
    OwnerId owner = kNoOwner;
    NodeSetId node_set = kEveryHost;
    bool reserved = false;
    std::string exclusive;  // level whose domains the owner uses alone; empty: shares them
  };
  // All that is kept of a pod. A pod of which there is nothing to keep has none.
  struct Entry {
    std::optional<Charge> charge;
    NodeSets::Use node_set;
    MemberShapes::Use shape;
  };
  using Pods = std::unordered_map<std::string, Entry>;
  using Pod = Pods::value_type;  // uid, entry

  void rebuild();
  ClusterState& state();
  [[nodiscard]] HostSpec host_spec(const kube::Node& node) const;
  void apply_node(const kube::Node& node, HostIndex host);
  void evaluate(NodeSetId set);
  void forget_node_set(NodeSetId set);
  [[nodiscard]] bool want_resources(const ResourceList& demand);
  void add_columns(std::size_t first);
  [[nodiscard]] Demand offer_of(const kube::Node& node) const;
  [[nodiscard]] Demand to_demand(const ResourceList& list) const;
  // Members of a subgroup with exclusive use have an owner of their own, the others their group's.
  [[nodiscard]] OwnerId owner_of(const group::GroupKey& key, const std::string& subgroup = "");
  [[nodiscard]] Charge reservation(const group::GroupKey& key, const group::Member& member,
                                   const std::string& node);
  void charge(const Charge& charge);
  void count_claim(const Charge& charge, int sign);
  void show_claim(OwnerId owner);
  [[nodiscard]] bool wants_charge(Pod& pod, const std::string& node, bool ended, const ResourceList& demand);
  // A bound member's charge is of an owner or a claim that it asks for no more.
  [[nodiscard]] bool claims_otherwise(const Pod& pod, const group::GroupKey& key,
                                      const group::Member& member);
  void charge_bound(Pod& pod, Charge charge);
  void put(Pod& pod, Charge charge);
  void take_away(Pod& pod);
  void end_reservation(const std::string& node);
  void forget_if_blank(Pods::iterator pod);
  [[nodiscard]] std::optional<HostIndex> host_of(const std::string& node) const;
  [[nodiscard]] const Charge* charge_of(const std::string& uid) const;
  [[nodiscard]] std::vector<const Pod*> reserved_pods() const;
  [[nodiscard]] PlacementRequest to_request(const group::Question& question);
  [[nodiscard]] bool want_resources_of(const group::Question& question);
  // Of the members there are, waiting and bound; made again when many have come or gone.
  [[nodiscard]] Mix& mix();
  void touch_promises(const std::string& node);

  const std::vector<TreeLabels> trees_;
  const SolveOptions solving_;
  TopologySpec spec_;

  std::map<std::string, kube::Node> nodes_;
  std::vector<const kube::Node*> node_of_;                            // by host, unless stale_
  Pods pods_;                                                         // by uid
  std::unordered_map<std::string, std::vector<const Pod*>> on_node_;  // node → who is charged there
  std::unordered_map<std::string, uint32_t> reserved_on_;             // node → reservations
  std::size_t reserved_ = 0;                                          // reservations in all
  std::unordered_map<group::GroupKey, std::map<std::string, OwnerId>, group::GroupKeyHash>
      owners_;  // by group, then by subgroup path
  uint32_t next_owner_ = 0;
  // Levels whose domains an owner uses alone → charges that say so. A claim ends with the last of them.
  std::map<OwnerId, std::map<std::string, uint32_t>> claims_;

  NodeSets node_sets_;
  MemberShapes shapes_;
  std::optional<Mix> mix_;              // of the state as it is
  uint64_t mix_made_at_ = 0;            // changes of shapes_ by then
  std::vector<bool> evaluated_;         // index = NodeSetId - 1: the set's eligible hosts are in the state
  std::vector<std::string> resources_;  // that members ask for; only these have columns

  // The last certified «no» to each group that waits, to tell whether asking again could help.
  struct LastNo {
    PlacementRequest request;
    Reason reason;
    uint64_t topology = 0;
  };
  std::map<group::GroupKey, LastNo> last_no_;
  uint64_t topology_ = 0;  // counts rebuilds

  ClusterState state_;
  bool stale_ = true;        // the topology has to be built again
  uint64_t epoch_base_ = 0;  // room epochs go on growing over rebuilds
  uint64_t promises_version_ = 0;
  uint64_t questions_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace muster::books
