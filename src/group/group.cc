// Membership, the derived state and what is told of it. The plan is in group_plan.cc and group_steps.cc.
#include "group/group.h"

#include <algorithm>
#include <limits>

#include "group/limits.h"
#include "group/quorum.h"

namespace muster::group {

std::string_view to_string(State state) {
  switch (state) {
    case State::kGathering:
      return "Gathering";
    case State::kPending:
      return "Pending";
    case State::kReserved:
      return "Reserved";
    case State::kBinding:
      return "Binding";
    case State::kBound:
      return "Bound";
    case State::kRepairing:
      return "Repairing";
    case State::kUnwinding:
      return "Unwinding";
    case State::kRestarting:
      return "Restarting";
    case State::kStuck:
      return "Stuck";
    case State::kRejected:
      return "Rejected";
  }
  return "Unknown";
}

namespace {

bool asks_the_same(const Member& a, const Member& b) {
  return a.spec == b.spec && a.demand == b.demand && a.node_set == b.node_set && a.index == b.index &&
         a.subgroup == b.subgroup;
}

// The numbers in a reason change with every pod that comes and goes; an event of the same reason is told once
// in so long.
constexpr Duration kQuiet{10'000};

// Who was made to go before it had succeeded has completed nothing, however well it ends. Of one that is seen
// only afterwards nobody can say.
bool was_stopped(const Member* before) { return !before || (before->terminating && !before->succeeded); }

bool stands_the_same(const Member& a, const Member& b) {
  return a.node == b.node && a.available() == b.available() && a.live() == b.live() &&
         a.succeeded == b.succeeded && a.failed == b.failed;
}

}  // namespace

Group::Group(GroupKey key, const Settings& settings, TimePoint now)
    : key_(std::move(key)), settings_(settings), gathering_since_(now) {}

State Group::state() const {
  const bool standing = !lack(With::kNothing);
  if (plan_ && plan_->open) return State::kBinding;
  if (failure_.letting_go) return failure_.restarting ? State::kRestarting : State::kUnwinding;
  if (plan_) return live() > 0 && !standing ? State::kRepairing : State::kReserved;
  if (!rejection().empty()) return State::kRejected;
  if (failure_.exhausted && live() == 0) return State::kStuck;
  if (live() > 0 && !standing) return failure_.stuck.empty() ? State::kRepairing : State::kStuck;
  if (live() > 0 || (standing && census_.available() == 0)) return State::kBound;
  return census_.available() > 0 && complete() ? State::kPending : State::kGathering;
}

const std::string& Group::rejection() const {
  if (!agreement_.dissent().empty()) return agreement_.dissent();
  return too_large_.empty() ? bad_request_ : too_large_;
}

void Group::follow_size() {
  const Result<void> fine = check_size(census_.staying(), settings_.most_members);
  too_large_ = fine ? "" : fine.error().message;
}

std::optional<std::string> Group::lack(With with) const {
  const uint32_t promised = with == With::kPlanned && plan_ ? plan_->unbound : 0;
  const uint32_t waiting = with == With::kAvailable ? census_.available() : 0;
  const uint32_t have = live() + completed() + promised + waiting;
  if (have < spec().min_member) {
    return std::to_string(have) + " of " + std::to_string(spec().min_member) + " members";
  }
  if (spec().subgroups.empty()) return std::nullopt;

  const bool stood = has_stood();
  Tally tally = with == With::kAvailable ? census_.standing_or_waiting(stood) : census_.standing(stood);
  if (with == With::kPlanned && plan_) {
    for (const auto& [uid, assignment] : plan_->assignments) {
      const Member& member = members_.at(uid);
      tally.have[member.subgroup] += !member.live() && !member.succeeded;
    }
  }
  return missing(spec(), tally);
}

// A new gathering begins when members wait, none is live, and who waits is no replacement: those that ended
// before have no part in it.
void Group::forget_the_past() {
  const bool begins = live() == 0 && census_.available() > 0 && census_.ended() > 0;
  if (!resumed_ || plan_ || !begins || census_.replaces()) return;
  for (const auto& [uid, member] : members_) {
    if (!member.ended() || history_.contains(uid)) continue;
    census_.take_out(member, false);
    history_.insert(uid);
    census_.add(member, true);
  }
  census_.forget_gone();
}

void Group::question_changed() {
  last_no_epoch_.reset();
  bad_request_.clear();
}

void Group::upsert(std::unique_ptr<Member> member, const Context& context) {
  if (member->succeeded && member->terminating) {
    const auto known = members_.find(member->pod.uid);
    if (was_stopped(known == members_.end() ? nullptr : &known->second)) {
      member->succeeded = false;
      member->failed = true;
    }
  }
  const Member& current = *member;
  const std::string& uid = current.pod.uid;
  const std::unique_ptr<const Member> before = members_.put(std::move(member));
  const bool is_new = !before;
  if (is_new && census_.available() == 0 && live() == 0)
    gathering_since_ = context.now, gathering_told_ = false;
  is_new ? census_.add(current, false) : census_.change(*before, current, history_.contains(uid));
  follow_size();
  ++version_;
  const bool asks_same = before && asks_the_same(*before, current);
  if (!asks_same || !current.spec || speaks(*before) != speaks(current)) agreement_.heard(members_, uid);
  if (!asks_same || !stands_the_same(*before, current)) question_changed();
  forget_the_past();
  if (current.live() && (!before || !before->live())) review_supposed();
  is_new ? note_new(current) : note_change(*before, &current, context);
  follow_found(current, context);
  const bool planned = before && find_assignment(uid);
  if (planned) follow_planned(*before, current, context);
  end_plan_that_cannot_stand(context);
  proceed(context);
  tell_rejection(is_new ? uid : "", context);
  if (!planned) withdraw_stray(current, context);
  evict_if_due(current, context);
  show_readiness(&current, context);
  react(context);
}

// What a change of a planned member means for the plan.
void Group::follow_planned(const Member& before, const Member& member, const Context& context) {
  const std::string& uid = member.pod.uid;
  if (member.bound()) return see_bound(member, context);
  if (!member.available()) return drop(uid, "it is ending", context);
  if (!plan_->open && !(before.demand == member.demand && before.node_set == member.node_set))
    return end_plan("pod " + member.pod.name + " has changed what it asks for", context);
  const Assignment& assignment = *find_assignment(uid);
  const std::string& words = member.unschedulable_message;
  const bool ours = words.find("muster:") != std::string::npos;
  const bool asked = plan_->released && assignment.nominated && !member.held_by_gate && !assignment.call;
  if (asked && !ours && !words.empty() && words != before.unschedulable_message)
    node_refused(uid, assignment.node, context);
}

void Group::remove(const std::string& uid, const Context& context) {
  const std::unique_ptr<const Member> last = members_.take(uid);
  if (!last) return;
  const bool past = history_.contains(uid);
  census_.take_out(*last, past);
  if (last->succeeded && !past) census_.outlive(*last);
  if (members_.empty()) census_.forget_gone();
  follow_size();
  history_.erase(uid);
  exclusions_.erase(uid);
  forget_found(uid, context);
  ++version_;
  agreement_.heard(members_, uid);
  question_changed();
  forget_the_past();
  note_change(*last, nullptr, context);
  if (find_assignment(uid)) drop(uid, "it was deleted", context);
  end_plan_that_cannot_stand(context);
  tell_rejection("", context);
  show_readiness(nullptr, context);
  react(context);
}

// What a plan wrote on a pod and could not take back when it ended is taken back when it is seen again.
void Group::withdraw_stray(const Member& member, const Context& context) {
  if (!resumed_ || !member.available() || find_assignment(member.pod.uid)) return;
  if (!member.plan.empty() || !member.nominated_node.empty()) context.out.push_back(Withdraw{member.pod});
}

// Every member that waits is told once; afterwards newcomers are, and the member that the words speak of.
void Group::tell_rejection(const std::string& newcomer, const Context& context) {
  const std::string& why = rejection();
  if (why.empty() || plan_) return;
  const auto tell_one = [&](const Member& member) {
    if (member.available()) context.out.push_back(Tell{member.pod, EventReason::kRejected, why, true});
  };
  if (rejection_told_.empty()) {
    for (const auto& [uid, member] : members_) tell_one(member);
  } else if (!newcomer.empty()) {
    tell_one(members_.at(newcomer));
  } else if (why != rejection_told_ && !agreement_.dissenter().empty()) {
    tell_one(members_.at(agreement_.dissenter()));
  }
  rejection_told_ = why;
}

void Group::tell(const Context& context, EventReason reason, std::string message, bool warning) {
  const bool again = reason == last_told_reason_ && context.now < told_at_ + kQuiet;
  if (last_told_ == message || again) return;
  last_told_ = message;
  last_told_reason_ = reason;
  told_at_ = context.now;
  for (const auto& [uid, member] : members_) {
    if (member.ended() || member.terminating) continue;
    context.out.push_back(
        Tell{member.pod, reason, std::move(message), warning, plan_ ? plan_->id : std::string()});
    return;
  }
}

void Group::tick(const Context& context) {
  end_plan_if_overdue(context);
  if (!exclusions_.empty() && context.now >= exclusions_expire_) {
    exclusions_.clear();
    question_changed();
  }
  if (retry_at_ && context.now >= *retry_at_) retry_at_.reset();
  withdraw_found_again(context);
  if (failure_.evict_again_at && context.now >= *failure_.evict_again_at) {
    failure_.evict_again_at.reset();
    evict_all(context);
  }
  react(context);
  if (census_.available() > 0 && state() == State::kGathering && !gathering_told_ &&
      context.now >= gathering_since_ + hold_timeout()) {
    gathering_told_ = true;
    tell(context, EventReason::kGathering, reason(), true);
  }
}

std::optional<TimePoint> Group::next_timer() const {
  std::optional<TimePoint> next;
  const auto earliest = [&](TimePoint t) { next = next ? std::min(*next, t) : t; };
  if (plan_ && !plan_->open) earliest(plan_->deadline);
  if (retry_at_) earliest(*retry_at_);
  if (!found_.empty()) earliest(withdraw_again_at_);
  if (!exclusions_.empty()) earliest(exclusions_expire_);
  if (const auto due = let_go_due()) earliest(*due);
  if (failure_.evict_again_at) earliest(*failure_.evict_again_at);
  if (members_.empty() && failure_.let_go_at) earliest(*failure_.let_go_at + settings_.restart_window);
  if (census_.available() > 0 && !gathering_told_ && state() == State::kGathering)
    earliest(gathering_since_ + hold_timeout());
  return next;
}

int32_t Group::priority() const {
  int32_t highest = std::numeric_limits<int32_t>::min();
  for (const auto& [uid, member] : members_) {
    if (!member.ended() && !member.terminating) highest = std::max(highest, member.priority);
  }
  return highest;
}

int64_t Group::creation_seconds() const {
  int64_t oldest = std::numeric_limits<int64_t>::max();
  for (const auto& [uid, member] : members_) {
    if (!member.ended() && !member.terminating) oldest = std::min(oldest, member.creation_seconds);
  }
  return oldest;
}

std::string Group::reason() const {
  const std::string name = "group " + key_.text();
  switch (state()) {
    case State::kRejected:
      return name + " is rejected: " + rejection();
    case State::kGathering:
      return name + " is gathering: " + lack(With::kAvailable).value_or("its") + " exist";
    case State::kPending:
      return name + (last_no_.empty() ? " waits for its turn" : " waits for room: " + last_no_);
    case State::kReserved:
    case State::kBinding:
      return name + " is planned; this member's node is being promised";
    case State::kBound:
      return name + " is bound" + (last_no_.empty() ? "" : "; no room for more members: " + last_no_);
    case State::kRepairing:
      return name + " has lost members, " + lack(With::kNothing).value_or("its") + " run" +
             (last_no_.empty() ? "" : ": " + last_no_);
    case State::kUnwinding:
      return name + " lets go of all it holds, for want of members; it is planned again as a whole";
    case State::kRestarting:
      return name + " is restarted as a whole: " + failure_.loss;
    case State::kStuck:
      return name + " is stuck: " + failure_.stuck;
  }
  return name;
}

int64_t Group::spare() const { return int64_t{live()} + completed() - int64_t{spec().min_member}; }

}  // namespace muster::group
