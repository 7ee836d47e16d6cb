// One group's life as a state machine: events go in, commands come out, and nothing is called from here but
// the books (Room), which hold the room that a plan promises.
//
// The state is derived from the members and the plan, never stored, so that it cannot contradict them:
//
//   Gathering ──last needed member──▶ Pending ──plan──▶ Reserved ──barrier──▶ Binding ──seen bound──▶ Bound
//                                        ▲                  │ deadline, lost member, node refused twice
//                                        └──────────────────┘
//   Bound ──lost member──▶ Repairing ──replaced──▶ Bound
//     │ failure-policy Restart   │ grace over
//     ▼                          ▼
//   Restarting / Unwinding ──nothing held──▶ Gathering      (Stuck, where it may not let go)
//
// Letting go is decided once and stands in the API before it begins: each member is marked, and when all are,
// each is evicted. A restart of Muster finds the marks and goes on. (group_failure.cc)
//
// A plan passes through these steps, each only when the one before is true for all its members:
//   nominate (node and plan id stand in the API) → release (gate removed, filter answers the node)
//   → every member's bind call is here: the barrier opens → all bindings are posted → seen bound.
// A member that has no gate (any more) is released by its nomination: filter answers its node from then on,
// and its bind call may be here before all nominations stand. A member that is moved to another node is
// nominated and released again, alone; the others stay released.
//
// Promises kept here: 1 (barrier), 2 (end_plan() frees all in one step), 3 (resume()), 5 (rejection).
//
// Thread rule: one thread; the engine's. Complexity: an event of one member costs O(log n), amortized over
// the steps that the group takes as a whole; those, and planning, cost O(n log n) plus the solver.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "group/agreement.h"
#include "group/census.h"
#include "group/commands.h"
#include "group/failure.h"
#include "group/member.h"
#include "group/members.h"
#include "group/plan.h"
#include "group/progress.h"
#include "group/rank.h"
#include "group/room.h"

namespace muster::group {

enum class State {
  kGathering,
  kPending,
  kReserved,
  kBinding,
  kBound,
  kRepairing,
  kUnwinding,
  kRestarting,
  kStuck,
  kRejected
};
inline constexpr std::array kStates{
    State::kGathering, State::kPending,   State::kReserved,   State::kBinding, State::kBound,
    State::kRepairing, State::kUnwinding, State::kRestarting, State::kStuck,   State::kRejected};
[[nodiscard]] std::string_view to_string(State state);

struct Settings {
  Duration hold_timeout{30'000};
  Duration retry_backoff{1'000};
  Duration retry_backoff_max{60'000};
  Duration failure_grace{60'000};  // how long a group may lack members before it lets go
  Duration restart_grace{1'000};  // with failure-policy Restart: whoever deletes all members needs no restart
  uint32_t max_restarts = 5;      // lettings-go in a row after which it is not planned again
  Duration restart_window{600'000};  // a group that has stood for so long begins to count anew
  std::size_t most_members = std::numeric_limits<std::size_t>::max();  // with more it is rejected
};

// What an event may use: the time it happens at, the books, how plans come on (of all groups), the source of
// plan ids, and where commands go.
struct Context {
  TimePoint now;
  Room& room;
  Progress& progress;
  const std::function<std::string()>& new_plan_id;
  Commands& out;
};

class Group {
 public:
  Group(GroupKey key, const Settings& settings, TimePoint now);

  // --- events -------------------------------------------------------------------------------------------
  void upsert(std::unique_ptr<Member> member, const Context& context);
  void upsert(Member member, const Context& context) {
    upsert(std::make_unique<Member>(std::move(member)), context);
  }
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
  void marked(const std::string& uid, const Result<void>& result, const Context& context);
  void evicted(const Evict& command, const Result<void>& result, const Context& context);
  void ready_set(const SetReady& command, const Result<void>& result, const Context& context);
  // The node that the member is bound to has fared so.
  void node_fared(const std::string& uid, NodeFate fate, const Context& context);
  // Deadlines; call when next_timer() has come.
  void tick(const Context& context);
  // REQUIRED once of every group, before the first of them resumes: keeps the room of each nomination that
  // stands in the API, whoever made it.
  void find_claims(const Context& context);
  // REQUIRED once, before anything is planned: when all members that exist after a restart have been given;
  // for a group that appears later, at once. Takes up the plan that the members' annotations and nominations
  // tell of, if it still holds, and withdraws what does not belong to it.
  void resume(const Context& context);

  // --- planning -----------------------------------------------------------------------------------------
  // Members wait, the minimum can be reached, and nothing but room keeps them from being planned.
  [[nodiscard]] bool waits_for_plan(TimePoint now) const;
  // Whether plan() could change anything: it waits for a plan, and since the last «no» either the group has
  // changed or room was gained (room_epoch differs).
  [[nodiscard]] bool wants_plan(TimePoint now, uint64_t room_epoch) const {
    return waits_for_plan(now) && last_no_epoch_ != room_epoch;
  }
  void plan(const Context& context, uint64_t room_epoch);

  // --- views --------------------------------------------------------------------------------------------
  [[nodiscard]] const GroupKey& key() const { return key_; }
  [[nodiscard]] State state() const;
  [[nodiscard]] bool empty() const { return members_.empty(); }
  // Without members, and with nothing to remember of those it had.
  [[nodiscard]] bool forgettable(TimePoint now) const;
  [[nodiscard]] const Members& members() const { return members_; }
  [[nodiscard]] uint32_t minimum() const { return spec().min_member; }
  [[nodiscard]] uint32_t live() const { return census_.live(); }
  // Members that can be placed now: plan() would hold room for so many at most.
  [[nodiscard]] uint32_t waiting() const { return census_.available(); }
  // Members that have completed count towards the minimum, their pods deleted or not, until the group begins
  // anew.
  [[nodiscard]] uint32_t completed() const { return census_.completed(); }
  [[nodiscard]] int32_t priority() const;          // the highest of its members that have not ended; O(n)
  [[nodiscard]] int64_t creation_seconds() const;  // of the oldest of them; O(n)
  // Why its members wait, for filter and for people.
  [[nodiscard]] std::string reason() const;
  // The node that filter answers for this member; nullptr while it has to wait.
  [[nodiscard]] const std::string* planned_node(const std::string& uid) const;
  // The plan that has the member in it; empty without one.
  [[nodiscard]] std::string plan_of(const std::string& uid) const;
  // Members (some perhaps gone) whose planned_node() may have changed since the last call.
  [[nodiscard]] std::vector<std::string> take_moved() { return std::exchange(moved_, {}); }
  // Members that are promised a node by the plan and are not seen bound.
  [[nodiscard]] uint32_t promised() const { return plan_ ? plan_->unbound : 0; }
  // Members whose room is kept although no plan of ours promises it: until their nomination, which another
  // Muster made, is seen withdrawn. A binding of that Muster may be on its way until then.
  [[nodiscard]] const std::set<std::string>& found() const { return found_; }
  // How many running members it can lose and still reach its minimum; negative when it lacks some already.
  // The minima of subgroups are not looked at.
  [[nodiscard]] int64_t spare() const;
  // Who stands, by subgroup. O(subgroups).
  [[nodiscard]] Tally standing() const { return census_.standing(has_stood()); }
  [[nodiscard]] const GroupSpec& asks_for() const { return spec(); }
  // How often it has let go in a row.
  [[nodiscard]] uint32_t restarts() const { return failure_.restarts; }
  // Changes whenever reason(), spare() or a planned_node() may have changed.
  [[nodiscard]] uint64_t version() const { return version_; }
  // When tick() is due next.
  [[nodiscard]] std::optional<TimePoint> next_timer() const;

 private:
  // membership (group.cc)
  [[nodiscard]] const GroupSpec& spec() const { return *agreement_.spec(); }
  [[nodiscard]] const std::string& rejection() const;
  void follow_size();
  void forget_the_past();
  void question_changed();
  void follow_planned(const Member& before, const Member& member, const Context& context);
  void withdraw_stray(const Member& member, const Context& context);
  // What counts towards the minima beside members that run or have succeeded.
  enum class With { kNothing, kPlanned, kAvailable };
  // What the group and its subgroups lack to stand, in words; nothing when they stand. O(1), and O(subgroups)
  // for a group with subgroups, O(n) with kPlanned. (quorum.h)
  [[nodiscard]] std::optional<std::string> lack(With with) const;
  [[nodiscard]] bool complete() const { return !lack(With::kAvailable); }
  // It has reached its minimum, or all that its plan promised are bound: who waits has come late.
  [[nodiscard]] bool has_stood() const {
    return failure_.stood || (plan_ && plan_->unbound == 0 && !plan_->failed);
  }
  void tell(const Context& context, EventReason reason, std::string message, bool warning);
  void tell_rejection(const std::string& newcomer, const Context& context);

  // loss and letting go (group_failure.cc)
  void note_change(const Member& before, const Member* now, const Context& context);
  void note_new(const Member& member);
  void react(const Context& context);
  void follow_standing(TimePoint now);
  [[nodiscard]] bool lacks() const { return census_.live() > 0 && lack(With::kNothing).has_value(); }
  [[nodiscard]] std::optional<TimePoint> let_go_due() const;
  [[nodiscard]] std::string why_it_lets_go() const;
  [[nodiscard]] std::string why_not_to_let_go() const;
  void let_go(const Context& context);
  void send_away(const Context& context);
  void evict_all(const Context& context);
  void evict_if_due(const Member& member, const Context& context);
  void resume_failure(const Context& context);
  [[nodiscard]] std::map<std::string, uint32_t> left_open() const;
  void suppose_completed();
  void review_supposed();

  // readiness (group_ready.cc)
  void show_readiness(const Member* changed, const Context& context);
  void show_readiness_of(const Member& member, const Context& context);

  // what another Muster has promised (group_found.cc)
  void resume_plan(const Context& context);
  [[nodiscard]] bool take_up(const std::string& id, const std::vector<const Member*>& members,
                             const Ranks& ranks, const Context& context);
  void keep(const Member& member, const Context& context);
  void follow_found(const Member& member, const Context& context);
  void forget_found(const std::string& uid, const Context& context);
  void withdraw_found_again(const Context& context);

  // the plan (group_plan.cc)
  [[nodiscard]] Answer ask(const Context& context, const Ranks& ranks);
  [[nodiscard]] Question question(std::vector<const Member*> members, const Ranks& ranks) const;
  // False, and nothing is begun, when the group would not stand on these places.
  [[nodiscard]] bool start_plan(const Context& context, const std::vector<Placed>& placed,
                                const Ranks& ranks);
  void assign(Assignment& assignment, const std::string& node, const Context& context);
  void drop(const std::string& uid, const std::string& why, const Context& context);
  void end_plan(const std::string& why, const Context& context);
  void end_plan_that_cannot_stand(const Context& context);
  void end_plan_if_overdue(const Context& context);
  void give_back(const Assignment& assignment, const Context& context);
  void close_plan();
  void back_off(const Context& context);
  void exclude(const std::string& uid, const std::string& node, const Context& context);
  [[nodiscard]] bool move_member(const std::string& uid, const Context& context);
  // With the plan's members bound, the group reaches its minima.
  [[nodiscard]] bool enough() const { return !lack(With::kPlanned); }
  [[nodiscard]] std::vector<const Member*> by_rank(bool (Member::*wanted)() const, const Ranks& ranks) const;
  [[nodiscard]] Duration hold_timeout() const { return spec().hold_timeout.value_or(settings_.hold_timeout); }

  // its steps (group_steps.cc)
  void release(Assignment& assignment, const Context& context);
  void release_all(const Context& context);
  void proceed(const Context& context);
  void open_barrier(const Context& context);
  void post_binding(const Assignment& assignment, TimePoint deadline, const Context& context);
  void see_bound(const Member& member, const Context& context);
  void answer_call(Assignment& assignment, Result<void> result, const Context& context);
  void step_failed(const std::string& uid, const char* step, const Error& error, const Context& context);
  [[nodiscard]] Assignment* find_assignment(const std::string& uid);
  [[nodiscard]] Assignment* find_assignment(const std::string& uid, const std::string& plan);
  // For a command that is given again: what the server asks to wait is inside its time.
  [[nodiscard]] TimePoint deadline_after(const Error& error, const Context& context) const {
    return context.now + std::max(hold_timeout(), error.retry_after.value_or(Duration(0)) * 2);
  }

  GroupKey key_;
  Settings settings_;
  Members members_;
  Agreement agreement_;
  std::string too_large_;    // that it has more members than it may have; empty when not
  std::string bad_request_;  // why the books refuse the question itself; empty when they do not
  bool resumed_ = false;

  Census census_;
  std::set<std::string> history_;  // ended members of an earlier life of this name
  Failure failure_;
  std::map<std::string, bool> ready_;        // by subgroup: what the condition of its members has to say
  std::map<std::string, bool> ready_asked_;  // uid → what its condition is being set to, until it is seen

  std::optional<Plan> plan_;
  std::set<std::string> found_;  // uids
  TimePoint withdraw_again_at_{};
  std::vector<std::string> moved_;
  Exclusions exclusions_;
  TimePoint exclusions_expire_{};

  TimePoint gathering_since_;
  bool gathering_told_ = false;
  std::string last_no_;                    // the last answer that was not Fits, for people
  std::optional<uint64_t> last_no_epoch_;  // room epoch of that answer; unset when the group changed since
  std::string last_told_;
  std::optional<EventReason> last_told_reason_;
  TimePoint told_at_{};
  std::string rejection_told_;  // to every member
  uint32_t failures_ = 0;       // plans given back in a row
  std::optional<TimePoint> retry_at_;
  uint64_t version_ = 0;
};

}  // namespace muster::group
