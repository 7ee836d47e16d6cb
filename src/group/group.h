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
//
// Promises kept here: 1 (barrier), 2 (end_plan() frees all in one step), 3 (resume()), 5 (rejection).
//
// Thread rule: one thread; the engine's. Complexity: an event costs O(n) comparisons of small values,
// planning O(n log n) plus the solver.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
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
  // kube-scheduler does not accept the planned node for this member, or the node is no longer fit for it.
  void node_refused(const std::string& uid, const std::string& node, const Context& context);
  void nominated(const std::string& uid, const std::string& plan, const Result<void>& result,
                 const Context& context);
  void released(const std::string& uid, const std::string& plan, const Result<void>& result,
                const Context& context);
  void bind_done(const std::string& uid, const std::string& plan, const Result<void>& result,
                 const Context& context);
  // Deadlines; call when next_timer() has come.
  void tick(const Context& context);
  // After a restart, before anything is planned: takes up the plan that the members' annotations and
  // nominations tell of, if it still holds, and withdraws what does not belong to it.
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
  [[nodiscard]] uint32_t minimum() const { return spec_.min_member; }
  [[nodiscard]] uint32_t live() const { return live_; }
  [[nodiscard]] int32_t priority() const;          // the highest of its members
  [[nodiscard]] int64_t creation_seconds() const;  // of its oldest member
  // Why its members wait, for filter and for people.
  [[nodiscard]] std::string reason() const;
  // The node that filter answers for this member; nullptr while it has to wait.
  [[nodiscard]] const std::string* planned_node(const std::string& uid) const;
  // The members planned_node() knows a node for, in order of uid. O(n).
  [[nodiscard]] std::vector<std::string> planned_members() const;
  // How many running members it can lose and still reach its minimum; negative when it lacks some already.
  [[nodiscard]] int64_t spare() const;
  // Changes whenever reason() or planned_node() may have changed.
  [[nodiscard]] uint64_t version() const { return version_; }
  // When tick() is due next.
  [[nodiscard]] std::optional<TimePoint> next_timer() const;

 private:
  struct Assignment {
    PodId pod;
    std::string node;
    int64_t rank = 0;
    std::string plan;        // the plan's id, with ".k" after the k-th change of this member's node
    bool nominated = false;  // confirmed by the API
    bool release_asked = false;
    bool bind_posted = false;
    std::optional<uint64_t> call;  // the bind call that waits
  };
  struct Plan {
    std::string id;
    TimePoint deadline;
    uint32_t changes = 0;      // of members' nodes
    uint32_t unconfirmed = 0;  // assignments that do not stand in the API yet
    bool open = false;         // the barrier: bindings are being posted
    std::map<std::string, Assignment> assignments;
  };

  // membership (group.cc)
  void count(const Member& member, int sign);
  void check_specs();
  [[nodiscard]] bool agrees(const Member& member) const;
  void forget_the_past();
  // Members that have succeeded count for a group that is running (its minimum was met with them), never for
  // a new gathering under the same name.
  [[nodiscard]] uint32_t completed() const { return live_ > 0 ? succeeded_ : 0; }
  [[nodiscard]] bool complete() const { return live_ + completed() + available_ >= spec_.min_member; }
  void tell(const Context& context, const std::string& reason, std::string message, bool warning);
  void tell_rejection(const Context& context);

  // the plan (group_plan.cc)
  [[nodiscard]] Question question(std::vector<const Member*> members) const;
  void start_plan(const Context& context, const std::vector<Placed>& placed);
  void proceed(const Context& context);
  void open_barrier(const Context& context);
  [[nodiscard]] uint32_t reach() const;
  [[nodiscard]] Assignment* find_assignment(const std::string& uid, const std::string& plan);
  [[nodiscard]] bool take_up(const std::string& id, const std::vector<const Member*>& members,
                             const Context& context);
  void exclude(const std::string& uid, const std::string& node, const Context& context);
  void drop(const std::string& uid, const std::string& why, const Context& context);
  void end_plan(const std::string& why, const Context& context);
  void back_off(const Context& context);
  [[nodiscard]] bool move_member(const std::string& uid, const Context& context);
  void assign(Assignment& assignment, const std::string& node, const Context& context);
  void step_failed(const std::string& uid, const char* step, const Error& error, const Context& context);
  [[nodiscard]] std::map<std::string, int64_t> ranks() const;
  [[nodiscard]] std::vector<const Member*> by_rank(bool (Member::*wanted)() const) const;
  [[nodiscard]] Duration hold_timeout() const { return spec_.hold_timeout.value_or(settings_.hold_timeout); }

  GroupKey key_;
  Settings settings_;
  std::map<std::string, Member> members_;  // by uid
  std::set<std::string> history_;          // ended members of an earlier life of this name

  GroupSpec spec_;         // of the reference member
  std::string reference_;  // uid
  std::string rejection_;  // why the request is refused; empty when it is not

  uint32_t available_ = 0;
  uint32_t live_ = 0;
  uint32_t succeeded_ = 0;  // without those of an earlier life

  std::optional<Plan> plan_;
  Exclusions exclusions_;
  TimePoint exclusions_expire_{};

  TimePoint gathering_since_;
  bool gathering_told_ = false;
  std::string last_no_;                    // the last answer that was not Fits, for people
  std::optional<uint64_t> last_no_epoch_;  // room epoch of that answer; unset when the group changed since
  std::string last_told_;
  uint32_t failures_ = 0;  // plans given back in a row
  std::optional<TimePoint> retry_at_;
  uint64_t version_ = 0;
};

}  // namespace muster::group
