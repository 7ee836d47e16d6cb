// The single writer: takes what happens in the cluster and in kube-scheduler's calls, keeps books and groups,
// and says what is to be done. Everything here is deterministic: the same events at the same times give the
// same commands, which is what tests and simulations rely on.
//
// Use: feed events, then call advance(), then take the commands; repeat. Nothing is planned before both nodes
// and pods have been listed, and plans that stand in the API are taken up before new ones are made. A standby
// keeps books and groups all the same, but plans, writes and answers nothing until lead().
//
// An event costs O(log groups) beside what its group does, and a turn costs that for each group an event or a
// timer has touched; when room was gained, every group that waits for room is looked at.
//
// Thread rule: one thread. answers() may be read by all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "books/annotations.h"
#include "books/books.h"
#include "engine/answers.h"
#include "engine/node_health.h"
#include "engine/plan_queue.h"
#include "engine/timetable.h"
#include "extender/decisions.h"
#include "group/commands.h"
#include "group/group.h"
#include "group/limits.h"
#include "kube/api.h"
#include "muster/solver.h"

namespace muster::engine {

struct CoordinatorOptions {
  std::vector<std::string> scheduler_names{"muster"};
  std::vector<books::TreeLabels> trees;
  group::Settings groups;
  group::Limits limits;
  SolveOptions solving;
  Duration node_grace{10'000};   // members on a node that is not ready for longer are lost
  Duration absent_grace{5'000};  // and on one that does not exist: a list may lag behind
  bool break_groups = false;  // kube-scheduler may break a group all of whose members are of lower priority
  Duration bind_timeout{50'000};  // for pods of no group, whose binding is passed on
  bool leading = true;            // false: a standby, until lead()
};

struct Counts {
  std::map<group::State, std::size_t> groups;
  std::size_t nodes = 0;
  std::size_t reservations = 0;
  uint64_t plans = 0;  // questions put to the solver
  uint64_t steps = 0;  // of the solver
};

class Coordinator {
 public:
  Coordinator(CoordinatorOptions options, std::function<std::string()> new_plan_id, Answers& answers);

  // --- events -------------------------------------------------------------------------------------------
  void nodes_changed(kube::DeltaBatch<kube::Node> batch, TimePoint now);
  void pods_changed(kube::DeltaBatch<kube::Pod> batch, TimePoint now);
  void bind_called(const extender::BindCall& call, uint64_t number, TimePoint now);
  // Nobody waits for the answer to this call any more.
  void bind_abandoned(const std::string& uid, uint64_t number);
  void node_refused(const std::string& uid, const std::string& node, TimePoint now);
  // Another Muster has led so far: what it left in the API is taken up with the next advance().
  void lead() { leading_ = true; }
  // The binder's reports.
  void done(const group::Command& command, const Result<void>& result, TimePoint now);

  // Runs deadlines, plans what can be planned, publishes answers. Afterwards nothing is left to do before
  // next_timer() or the next event.
  void advance(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_timer() const;
  [[nodiscard]] group::Commands take_commands();

  // --- views --------------------------------------------------------------------------------------------
  [[nodiscard]] bool synced() const { return nodes_listed_ && pods_listed_; }
  // What stood in the API has been taken up, and plans are made.
  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] const group::Group* find(const group::GroupKey& key) const;
  [[nodiscard]] books::Books& books() { return books_; }

 private:
  struct Entry {
    group::Group group;
    books::SpecReader specs = {};              // of what its members ask for
    std::optional<uint64_t> published = {};    // the group's version that answers_ shows
    std::optional<group::State> counted = {};  // the state it is counted in
    std::string limit_told = {};               // why it was not planned, as its members know
    bool touched = false;                      // it is among touched_
  };
  // A member whose node set goes beyond the limit, and what it asks for all the same.
  struct Refused {
    kube::NodeSet node_set;
    group::SharedSpec spec;
  };

  [[nodiscard]] group::Context context(TimePoint now);
  void apply(kube::Replace<kube::Pod>&& all, TimePoint now);
  void apply(kube::Upsert<kube::Pod>&& change, TimePoint now);
  void apply(const kube::Remove<kube::Pod>& change, TimePoint now);
  void upsert_pod(kube::Pod&& pod, TimePoint now);
  void remove_pod(const std::string& uid, TimePoint now);
  [[nodiscard]] NodeSetId node_set_of(const group::Member* before, const kube::NodeSet& node_set,
                                      group::Member& member);
  void let_in(const std::string& ns, TimePoint now);
  void forget_refused(const std::string& ns, const std::string& uid);
  void tell_limit(Entry& entry, const std::string& why);
  [[nodiscard]] Entry& entry_of(const group::GroupKey& key, TimePoint now);
  // The group that an event of this pod goes to; nullptr for a pod of no group.
  [[nodiscard]] group::Group* group_of(const std::string& uid);
  void touch(Entry& entry);
  void start(TimePoint now);
  void recheck_touched(TimePoint now);
  void see_node(const std::string& node, TimePoint now);
  void see_all_nodes(TimePoint now);
  void forget_if_left(const std::string& node);
  void tell_fate(const std::string& node, TimePoint now);
  void forget_if_empty(Entry& entry, TimePoint now);
  void report(const group::Bind& command, const Result<void>& result, TimePoint now);
  template <typename Other>
  void report(const Other& command, const Result<void>& result, TimePoint now);
  void act(TimePoint now);
  void plan(TimePoint now);
  void enqueue(group::Group& group, TimePoint now);
  [[nodiscard]] group::Allowance allowance_for(const std::vector<group::Group*>& turns) const;
  void settle(Entry& entry, TimePoint now);
  void count(Entry& entry, std::optional<group::State> state);
  void publish(Entry& entry);
  [[nodiscard]] Shield shield_of(const group::Group& group) const;

  const CoordinatorOptions options_;
  const std::function<std::string()> new_plan_id_;
  Answers& answers_;
  books::Books books_;
  group::Progress progress_;
  std::unordered_map<group::GroupKey, Entry, group::GroupKeyHash> groups_;
  std::unordered_map<std::string, Entry*> member_of_;              // by uid
  std::unordered_map<std::string, uint64_t> foreign_calls_;        // uid → bind call of a pod of no group
  std::map<std::string, std::map<std::string, Refused>> refused_;  // by namespace and uid
  NodeHealth health_;
  std::set<std::string> touched_nodes_;         // whose reservations have to be looked at again
  std::vector<Entry*> touched_;                 // groups to which something has happened since the last turn
  Timetable<group::GroupKey> timers_;           // of the groups that are not touched
  PlanQueue queue_;                             // likewise
  std::map<group::State, std::size_t> states_;  // groups with members
  group::Commands commands_;
  bool leading_;
  bool nodes_listed_ = false;
  bool pods_listed_ = false;
  bool started_ = false;
  uint64_t promises_published_ = 0;
  std::optional<uint64_t> planned_at_;  // the room epoch at which all that wait were looked at
};

}  // namespace muster::engine
