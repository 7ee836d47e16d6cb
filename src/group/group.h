// One group's life as a state machine: events go in, commands come out, and nothing is called from here but
// the books (Room), which hold the room that a plan promises.
//
// The state is derived from the members and the plan, never stored, so that it cannot contradict them:
//
//   Gathering ──last needed member──▶ Pending ──plan──▶ Reserved ──barrier──▶ Binding ──seen bound──▶ Bound
//                                        ▲                  │ deadline, lost member, node refused twice
//                                        └──────────────────┘
//
// A plan passes through these steps, each only when the one before is true for all its members:
//   nominate (node and plan id stand in the API) → release (gate removed, filter answers the node)
//   → every member's bind call is here: the barrier opens → all bindings are posted → seen bound.
// A member that is moved to another node passes through the first two again, alone; the others stay released.
//
// Promises kept here: 1 (barrier), 2 (end_plan() frees all in one step), 3 (resume()), 5 (rejection).
//
// Thread rule: one thread; the engine's. Complexity: an event of one member costs O(log n), amortized over
// the steps that the group takes as a whole; those, and planning, cost O(n log n) plus the solver.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "group/agreement.h"
#include "group/commands.h"
#include "group/member.h"
#include "group/room.h"

namespace muster::group {

enum class State { kGathering, kPending, kReserved, kBinding, kBound, kRepairing, kRejected };
[[nodiscard]] std::string_view to_string(State state);

struct Settings {
  Duration hold_timeout{30'000};
  Duration retry_backoff{1'000};
  Duration retry_backoff_max{60'000};
};

// What an event may use: the time it happens at, the books, the source of plan ids, and where commands go.
struct Context {
  TimePoint now;
  Room& room;
  const std::function<std::string()>& new_plan_id;
  Commands& out;
};

class Group {
 public:
  Group(GroupKey key, const Settings& settings, TimePoint now);

  // --- events -------------------------------------------------------------------------------------------
  void upsert(Member member, const Context& context);
  void remove(const std::string& uid, const Context& context);
  // kube-scheduler asks to bind; the call waits until an AnswerBind with its number.
  void bind_called(const std::string& uid, const std::string& node, uint64_t call, const Context& context);
  // Nobody waits for this call any more: the barrier has to wait for another one.
  void bind_abandoned(const std::string& uid, uint64_t call);
  // kube-scheduler does not accept the planned node for this member, or the node is no longer fit for it.
  void node_refused(const std::string& uid, std::string node, const Context& context);
  void nominated(const std::string& uid, const std::string& plan, const Result<void>& result,
                 const Context& context);
  void released(const std::string& uid, const std::string& plan, const Result<void>& result,
                const Context& context);
  void bind_done(const std::string& uid, const std::string& plan, const Result<void>& result,
                 const Context& context);
  // Deadlines; call when next_timer() has come.
  void tick(const Context& context);
  // REQUIRED once, before anything is planned: when all members that exist after a restart have been given;
  // for a group that appears later, at once. Takes up the plan that the members' annotations and nominations
  // tell of, if it still holds, and withdraws what does not belong to it.
  void resume(const Context& context);

  // --- planning -----------------------------------------------------------------------------------------
  // Whether plan() could change anything: members wait, the minimum can be reached, and since the last «no»
  // either the group has changed or room was gained (room_epoch differs).
  [[nodiscard]] bool wants_plan(TimePoint now, uint64_t room_epoch) const;
  void plan(const Context& context, uint64_t room_epoch);

  // --- views --------------------------------------------------------------------------------------------
  [[nodiscard]] const GroupKey& key() const { return key_; }
  [[nodiscard]] State state() const;
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] const std::map<std::string, Member>& members() const { return members_; }
  [[nodiscard]] uint32_t minimum() const { return spec().min_member; }
  [[nodiscard]] uint32_t live() const { return live_; }
  [[nodiscard]] int32_t priority() const;          // the highest of its members that have not ended; O(n)
  [[nodiscard]] int64_t creation_seconds() const;  // of the oldest of them; O(n)
  // Why its members wait, for filter and for people.
  [[nodiscard]] std::string reason() const;
  // The node that filter answers for this member; nullptr while it has to wait.
  [[nodiscard]] const std::string* planned_node(const std::string& uid) const;
  // Members (some perhaps gone) whose planned_node() may have changed since the last call.
  [[nodiscard]] std::vector<std::string> take_moved() { return std::exchange(moved_, {}); }
  // Members that are promised a node by the plan and are not seen bound.
  [[nodiscard]] uint32_t promised() const { return plan_ ? plan_->unbound : 0; }
  // How many running members it can lose and still reach its minimum; negative when it lacks some already,
  // never positive with subgroups, whose own minima it may break.
  [[nodiscard]] int64_t spare() const;
  // Changes whenever reason(), spare() or a planned_node() may have changed.
  [[nodiscard]] uint64_t version() const { return version_; }
  // When tick() is due next.
  [[nodiscard]] std::optional<TimePoint> next_timer() const;

 private:
  struct Assignment {
    PodId pod;
    std::string node;
    int64_t rank = 0;
    std::string plan;              // the plan's id, with ".k" after the k-th change of this member's node
    bool nominated = false;        // confirmed by the API
    bool bound = false;            // seen bound
    std::optional<uint64_t> call;  // the bind call that waits; none once it is bound
  };
  using Assignments = std::map<std::string, Assignment>;  // by uid
  struct Plan {
    std::string id;
    TimePoint deadline;
    GroupSpec spec;  // what was asked for when it was made
    Assignments assignments;
    uint32_t unconfirmed = 0;  // assignments that do not stand in the API yet
    uint32_t unbound = 0;      // assignments not seen bound
    uint32_t called = 0;       // assignments with a bind call that waits
    uint32_t changes = 0;      // of members' nodes
    bool released = false;     // all stood in the API: kube-scheduler may have them
    bool open = false;         // the barrier: bindings are being posted
    bool failed = false;       // a binding has failed for good
  };
  // Of one controller, the pods that ended in the group's present life and those that wait.
  struct Generation {
    uint32_t ended = 0;
    uint32_t available = 0;
  };

  // membership (group.cc)
  [[nodiscard]] const GroupSpec& spec() const { return agreement_.spec(); }
  [[nodiscard]] const std::string& rejection() const;
  void count(const Member& member, int sign);
  void forget_the_past();
  [[nodiscard]] bool goes_on() const;
  void question_changed();
  void follow_planned(const Member& before, const Member& member, const Context& context);
  void withdraw_stray(const Member& member, const Context& context);
  // Members that have succeeded count towards the minimum, except those of an earlier life of this name.
  [[nodiscard]] uint32_t completed() const { return succeeded_; }
  // What counts towards the minima beside members that run or have succeeded.
  enum class With { kNothing, kPlanned, kAvailable };
  // What the group and its subgroups lack to stand, in words; nothing when they stand. O(1), and O(n) for a
  // group with subgroups. (quorum.h)
  [[nodiscard]] std::optional<std::string> lack(With with) const;
  [[nodiscard]] bool complete() const { return !lack(With::kAvailable); }
  void tell(const Context& context, const std::string& reason, std::string message, bool warning);
  void tell_rejection(const std::string& newcomer, const Context& context);

  // the plan (group_plan.cc)
  [[nodiscard]] Question question(std::vector<const Member*> members) const;
  // False, and nothing is begun, when the group would not stand on these places.
  [[nodiscard]] bool start_plan(const Context& context, const std::vector<Placed>& placed);
  [[nodiscard]] bool take_up(const std::string& id, const std::vector<const Member*>& members,
                             const Context& context);
  void assign(Assignment& assignment, const std::string& node, const Context& context);
  void release(const Assignment& assignment, const Context& context);
  void release_all(const Context& context);
  void proceed(const Context& context);
  void open_barrier(const Context& context);
  void post_binding(const Assignment& assignment, const Context& context);
  void see_bound(const Member& member, const Context& context);
  void answer_call(Assignment& assignment, Result<void> result, const Context& context);
  void end_plan_that_cannot_stand(const Context& context);
  void drop(const std::string& uid, const std::string& why, const Context& context);
  void end_plan(const std::string& why, const Context& context);
  void close_plan();
  void back_off(const Context& context);
  void exclude(const std::string& uid, const std::string& node, const Context& context);
  [[nodiscard]] bool move_member(const std::string& uid, const Context& context);
  void step_failed(const std::string& uid, const char* step, const Error& error, const Context& context);
  // With the plan's members bound, the group reaches its minima.
  [[nodiscard]] bool enough() const { return !lack(With::kPlanned); }
  [[nodiscard]] Assignment* find_assignment(const std::string& uid);
  [[nodiscard]] Assignment* find_assignment(const std::string& uid, const std::string& plan);
  [[nodiscard]] std::map<std::string, int64_t> ranks() const;
  [[nodiscard]] std::vector<const Member*> by_rank(bool (Member::*wanted)() const) const;
  [[nodiscard]] Duration hold_timeout() const { return spec().hold_timeout.value_or(settings_.hold_timeout); }

  GroupKey key_;
  Settings settings_;
  std::map<std::string, Member> members_;  // by uid
  Agreement agreement_;
  std::string bad_request_;  // why the books refuse the question itself; empty when they do not
  bool resumed_ = false;

  uint32_t available_ = 0;
  uint32_t live_ = 0;
  uint32_t ended_ = 0;             // without those of an earlier life
  uint32_t succeeded_ = 0;         // likewise
  std::set<std::string> history_;  // ended members of an earlier life of this name
  std::unordered_map<std::string, Generation> by_controller_;  // by the controller's uid

  std::optional<Plan> plan_;
  std::vector<std::string> moved_;
  Exclusions exclusions_;
  TimePoint exclusions_expire_{};

  TimePoint gathering_since_;
  bool gathering_told_ = false;
  std::string last_no_;                    // the last answer that was not Fits, for people
  std::optional<uint64_t> last_no_epoch_;  // room epoch of that answer; unset when the group changed since
  std::string last_told_;
  std::string last_told_reason_;
  TimePoint told_at_{};
  std::string rejection_told_;  // to every member
  uint32_t failures_ = 0;       // plans given back in a row
  std::optional<TimePoint> retry_at_;
  uint64_t version_ = 0;
};

}  // namespace muster::group
