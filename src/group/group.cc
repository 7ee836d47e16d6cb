// Membership, the derived state and what is told of it. The plan's life is in group_plan.cc.
#include "group/group.h"

#include <algorithm>
#include <limits>

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
    case State::kRejected:
      return "Rejected";
  }
  return "Unknown";
}

namespace {

bool asks_the_same(const Member& a, const Member& b) {
  const bool same_spec = a.spec.has_value() == b.spec.has_value() && (!a.spec || *a.spec == *b.spec);
  return same_spec && a.demand == b.demand && a.node_set == b.node_set && a.index == b.index &&
         a.subgroup == b.subgroup;
}

// The numbers in a reason change with every pod that comes and goes; an event of the same reason is told once
// in so long.
constexpr Duration kQuiet{10'000};

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
  if (plan_) return live_ > 0 && !standing ? State::kRepairing : State::kReserved;
  if (!rejection().empty()) return State::kRejected;
  if (live_ > 0) return standing ? State::kBound : State::kRepairing;
  if (available_ == 0) return standing ? State::kBound : State::kGathering;
  return complete() ? State::kPending : State::kGathering;
}

const std::string& Group::rejection() const {
  return agreement_.dissent().empty() ? bad_request_ : agreement_.dissent();
}

std::optional<std::string> Group::lack(With with) const {
  const uint32_t promised = with == With::kPlanned && plan_ ? plan_->unbound : 0;
  const uint32_t waiting = with == With::kAvailable ? available_ : 0;
  const uint32_t have = live_ + completed() + promised + waiting;
  if (have < spec().min_member) {
    return std::to_string(have) + " of " + std::to_string(spec().min_member) + " members";
  }
  if (spec().subgroups.empty()) return std::nullopt;

  Tally tally;
  for (const auto& [uid, member] : members_) {
    const bool done = member.succeeded && !history_.contains(uid);
    const bool counts = member.live() || done || (with == With::kAvailable && member.available()) ||
                        (with == With::kPlanned && plan_ && plan_->assignments.contains(uid));
    tally.have[member.subgroup] += counts;
    tally.exist[member.subgroup] += done || (!member.ended() && !member.terminating);
  }
  return missing(spec(), tally);
}

void Group::count(const Member& member, int sign) {
  const auto add = [&](uint32_t& number, bool counts) { number += static_cast<uint32_t>(sign * counts); };
  const bool ended = member.ended() && !history_.contains(member.pod.uid);
  add(available_, member.available());
  add(live_, member.live());
  add(ended_, ended);
  add(succeeded_, ended && member.succeeded);
  if (member.controller_uid.empty() || !(ended || member.available())) return;
  Generation& pods = by_controller_[member.controller_uid];
  add(pods.ended, ended);
  add(pods.available, member.available());
  if (pods.ended == 0 && pods.available == 0) by_controller_.erase(member.controller_uid);
}

// A controller that replaces what has ended goes on with the same life.
bool Group::goes_on() const {
  return std::any_of(by_controller_.begin(), by_controller_.end(),
                     [](const auto& entry) { return entry.second.ended > 0 && entry.second.available > 0; });
}

// A new gathering begins when members wait, none is live, and who waits is no replacement: those that ended
// before have no part in it.
void Group::forget_the_past() {
  if (!resumed_ || plan_ || live_ > 0 || available_ == 0 || ended_ == 0 || goes_on()) return;
  for (const auto& [uid, member] : members_) {
    if (!member.ended() || history_.contains(uid)) continue;
    count(member, -1);
    history_.insert(uid);
  }
}

void Group::question_changed() {
  last_no_epoch_.reset();
  bad_request_.clear();
}

void Group::upsert(Member member, const Context& context) {
  const std::string uid = member.pod.uid;
  const auto [place, is_new] = members_.try_emplace(uid);
  Member& current = place->second;
  if (is_new && available_ == 0 && live_ == 0) gathering_since_ = context.now, gathering_told_ = false;
  if (!is_new) count(current, -1);
  const Member before = std::exchange(current, std::move(member));
  count(current, +1);
  ++version_;
  agreement_.heard(members_, uid);
  if (is_new || !asks_the_same(before, current) || !stands_the_same(before, current)) question_changed();
  forget_the_past();
  const bool planned = find_assignment(uid) != nullptr;
  if (planned) follow_planned(before, current, context);
  end_plan_that_cannot_stand(context);
  proceed(context);
  tell_rejection(is_new ? uid : "", context);
  if (!planned) withdraw_stray(current, context);
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
  const auto found = members_.find(uid);
  if (found == members_.end()) return;
  count(found->second, -1);
  members_.erase(found);
  history_.erase(uid);
  exclusions_.erase(uid);
  ++version_;
  agreement_.heard(members_, uid);
  question_changed();
  forget_the_past();
  if (find_assignment(uid)) drop(uid, "it was deleted", context);
  end_plan_that_cannot_stand(context);
  tell_rejection("", context);
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
    if (member.available()) context.out.push_back(Tell{member.pod, "Rejected", why, true});
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

void Group::tell(const Context& context, const std::string& reason, std::string message, bool warning) {
  const bool again = reason == last_told_reason_ && context.now < told_at_ + kQuiet;
  if (last_told_ == message || again) return;
  last_told_ = message;
  last_told_reason_ = reason;
  told_at_ = context.now;
  for (const auto& [uid, member] : members_) {
    if (member.ended() || member.terminating) continue;
    context.out.push_back(Tell{member.pod, reason, std::move(message), warning});
    return;
  }
}

void Group::tick(const Context& context) {
  if (plan_ && !plan_->open && context.now >= plan_->deadline) {
    end_plan("not every member was asked to be bound within the hold timeout", context);
    back_off(context);
  }
  if (!exclusions_.empty() && context.now >= exclusions_expire_) {
    exclusions_.clear();
    question_changed();
  }
  if (retry_at_ && context.now >= *retry_at_) retry_at_.reset();
  if (available_ > 0 && state() == State::kGathering && !gathering_told_ &&
      context.now >= gathering_since_ + hold_timeout()) {
    gathering_told_ = true;
    tell(context, "Gathering", reason(), true);
  }
}

std::optional<TimePoint> Group::next_timer() const {
  std::optional<TimePoint> next;
  const auto earliest = [&](TimePoint t) { next = next ? std::min(*next, t) : t; };
  if (plan_ && !plan_->open) earliest(plan_->deadline);
  if (retry_at_) earliest(*retry_at_);
  if (!exclusions_.empty()) earliest(exclusions_expire_);
  if (available_ > 0 && !gathering_told_ && state() == State::kGathering)
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
  }
  return name;
}

int64_t Group::spare() const {
  const int64_t spare = int64_t{live_} + completed() - int64_t{spec().min_member};
  return spec().subgroups.empty() ? spare : std::min<int64_t>(spare, 0);
}

}  // namespace muster::group
