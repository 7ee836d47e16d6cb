// Membership, the derived state and what is told of it. The plan's life is in group_plan.cc.
#include "group/group.h"

#include <algorithm>
#include <limits>

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

Group::Group(GroupKey key, const Settings& settings, TimePoint now)
    : key_(std::move(key)), settings_(settings), gathering_since_(now) {}

State Group::state() const {
  if (plan_ && plan_->open) return State::kBinding;
  if (plan_)
    return live_ > 0 && live_ + completed() < spec_.min_member ? State::kRepairing : State::kReserved;
  if (!rejection_.empty()) return State::kRejected;
  if (live_ > 0) return live_ + completed() >= spec_.min_member ? State::kBound : State::kRepairing;
  return complete() ? State::kPending : State::kGathering;
}

void Group::count(const Member& member, int sign) {
  available_ += static_cast<uint32_t>(sign * member.available());
  live_ += static_cast<uint32_t>(sign * member.live());
  succeeded_ += static_cast<uint32_t>(sign * (member.succeeded && !history_.contains(member.pod.uid)));
}

void Group::forget_the_past() {
  if (live_ > 0 || plan_) return;
  for (const auto& [uid, member] : members_) {
    if (!member.ended() || history_.contains(uid)) continue;
    count(member, -1);
    history_.insert(uid);
  }
}

void Group::upsert(Member member, const Context& context) {
  const std::string uid = member.pod.uid;
  const auto found = members_.find(uid);
  std::string message_seen;
  if (found != members_.end()) {
    message_seen = found->second.unschedulable_message;
    count(found->second, -1);
    found->second = std::move(member);
  } else {
    if (available_ == 0 && live_ == 0) gathering_since_ = context.now, gathering_told_ = false;
    members_.emplace(uid, std::move(member));
  }
  const Member& current = members_.at(uid);
  count(current, +1);
  last_no_epoch_.reset();
  ++version_;
  if (!agrees(current)) check_specs();
  forget_the_past();
  if (!rejection_.empty() && !plan_) tell_rejection(context);
  if (!plan_ || !plan_->assignments.contains(uid)) return;

  if (current.bound()) {
    proceed(context);
  } else if (!current.available()) {
    drop(uid, "it is ending", context);
  } else if (current.unschedulable_message != message_seen) {
    const Assignment& assignment = plan_->assignments.at(uid);
    const bool ours = current.unschedulable_message.find("muster:") != std::string::npos;
    const bool asked = assignment.nominated && !current.held_by_gate && !assignment.call;
    if (asked && !ours && !current.unschedulable_message.empty())
      node_refused(uid, std::string(assignment.node), context);
  } else {
    proceed(context);
  }
}

void Group::remove(const std::string& uid, const Context& context) {
  const auto found = members_.find(uid);
  if (found == members_.end()) return;
  const bool planned = plan_ && plan_->assignments.contains(uid);
  count(found->second, -1);
  members_.erase(found);
  history_.erase(uid);
  exclusions_.erase(uid);
  last_no_epoch_.reset();
  ++version_;
  if (uid == reference_ || !rejection_.empty()) check_specs();
  forget_the_past();
  if (planned) drop(uid, "it was deleted", context);
}

// The reference is the first member seen; every other one is compared with it alone, so that a change costs
// one comparison. Members that have ended or are going do not speak for a new gathering.
bool Group::agrees(const Member& member) const {
  const bool others_agree = rejection_.empty() && !reference_.empty() && member.pod.uid != reference_;
  return others_agree && !member.ended() && !member.terminating && member.spec && *member.spec == spec_;
}

void Group::check_specs() {
  const auto speaks = [](const Member& m) { return !m.ended() && !m.terminating; };
  const auto reference = members_.find(reference_);
  const bool lost = reference == members_.end() || !speaks(reference->second) || !reference->second.spec ||
                    *reference->second.spec != spec_;
  if (lost) {
    reference_.clear();
    for (const auto& [uid, member] : members_) {
      if (!speaks(member) || !member.spec) continue;
      reference_ = uid;
      spec_ = *member.spec;
      break;
    }
  }
  rejection_.clear();
  for (const auto& [uid, member] : members_) {
    if (!speaks(member)) continue;
    if (!member.spec) {
      rejection_ = "pod " + member.pod.name + ": " + member.spec.error().message;
      return;
    }
    if (uid == reference_ || *member.spec == spec_) continue;
    rejection_ = "the members disagree: pod " + member.pod.name + ": " + difference(*member.spec, spec_) +
                 " (pod " + members_.at(reference_).pod.name + ")";
    return;
  }
}

void Group::tell_rejection(const Context& context) {
  if (last_told_ == rejection_) return;
  last_told_ = rejection_;
  for (const auto& [uid, member] : members_) {
    if (member.available()) context.out.push_back(Tell{member.pod, "Rejected", rejection_, true});
  }
}

void Group::tell(const Context& context, const std::string& reason, std::string message, bool warning) {
  if (last_told_ == message) return;
  last_told_ = message;
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
  if (exclusions_expire_ <= context.now) exclusions_.clear();
  if (state() == State::kGathering && !gathering_told_ && context.now >= gathering_since_ + hold_timeout()) {
    gathering_told_ = true;
    tell(context, "Gathering", reason(), true);
  }
}

std::optional<TimePoint> Group::next_timer() const {
  std::optional<TimePoint> next;
  const auto earliest = [&](TimePoint t) { next = next ? std::min(*next, t) : t; };
  if (plan_ && !plan_->open) earliest(plan_->deadline);
  if (!plan_ && retry_at_ && available_ > 0) earliest(*retry_at_);
  if (!gathering_told_ && state() == State::kGathering) earliest(gathering_since_ + hold_timeout());
  return next;
}

int32_t Group::priority() const {
  int32_t highest = std::numeric_limits<int32_t>::min();
  for (const auto& [uid, member] : members_) highest = std::max(highest, member.priority);
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
      return name + " is rejected: " + rejection_;
    case State::kGathering:
      return name + " is gathering: " + std::to_string(available_) + " of " +
             std::to_string(spec_.min_member) + " members exist";
    case State::kPending:
      return name + (last_no_.empty() ? " waits for its turn" : " waits for room: " + last_no_);
    case State::kReserved:
    case State::kBinding:
      return name + " is planned; this member's node is being promised";
    case State::kBound:
      return name + " is bound" + (last_no_.empty() ? "" : "; no room for more members: " + last_no_);
    case State::kRepairing:
      return name + " lacks " +
             std::to_string(spec_.min_member - std::min(spec_.min_member, live_ + completed())) + " members" +
             (last_no_.empty() ? "" : ": " + last_no_);
  }
  return name;
}

int64_t Group::spare() const { return int64_t{live_} + completed() - int64_t{spec_.min_member}; }

}  // namespace muster::group
