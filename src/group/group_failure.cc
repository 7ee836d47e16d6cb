// What happens to a group that has held nodes and loses members: who is lost, how long it may last, and how
// the group lets go of all it holds. docs/failure-domain.md tells the same as a table.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "group/group.h"

namespace muster::group {
namespace {

std::string how_lost(const Member& before, const Member* now) {
  const std::string pod = "pod " + before.pod.name;
  if (!now) return pod + " was deleted";
  if (now->failed) return pod + " has failed";
  if (now->fate == NodeFate::kGone) return pod + " was on node " + now->node + ", which is gone";
  if (now->fate == NodeFate::kLost) return pod + " was on node " + now->node + ", which is not ready";
  return pod + " is being deleted";
}

}  // namespace

// --- losses -----------------------------------------------------------------------------------------------

// A controller that the group did not have when it let go begins anew.
void Group::note_new(const Member& member) {
  const bool known = failure_.controllers.empty() || failure_.controllers.contains(member.controller_uid);
  if (known || member.controller_uid.empty() || failure_.letting_go) return;
  failure_.restarts = 0;
  failure_.exhausted = false;
  failure_.stuck.clear();
  failure_.let_go_at.reset();
  failure_.controllers.clear();
  retry_at_.reset();
}

void Group::note_change(const Member& before, const Member* now, const Context& context) {
  const std::string& uid = before.pod.uid;
  if (!now) {
    failure_.evicting.erase(uid);
    ready_asked_.erase(uid);
    marked(uid, {}, context);
  } else if (!now->lost() && !failure_.letting_go) {
    failure_.evicting.erase(uid);
  }
  const bool lost = before.live() && !(now && (now->live() || now->succeeded));
  if (!lost || !failure_.stood || failure_.letting_go) return;
  failure_.loss = how_lost(before, now);
  // Members that have completed show a group that is finishing: it is never restarted.
  const bool restarts = spec().failure_policy == FailurePolicy::kRestart && completed() == 0;
  if (restarts && !failure_.lost_at) failure_.lost_at = context.now;
}

void Group::node_fared(const std::string& uid, NodeFate fate, const Context& context) {
  const auto found = members_.find(uid);
  if (found == members_.end() || found->second.fate == fate) return;
  Member member = found->second;
  member.fate = fate;
  upsert(std::move(member), context);
}

// --- when to let go ---------------------------------------------------------------------------------------

void Group::follow_standing(TimePoint now) {
  Failure& f = failure_;
  if (live() == 0) {
    if (f.letting_go) return;
    f.stood = false;
    f.whole_since.reset();
    f.broken_at.reset();
    f.lost_at.reset();
    if (!f.exhausted) f.stuck.clear();
    return;
  }
  if (!lack(With::kNothing)) {
    f.stood = true;
    f.broken_at.reset();
    if (!std::exchange(f.stuck, "").empty()) ++version_;
    if (!f.whole_since) f.whole_since = now;
    return;
  }
  // Bindings under way may still make it whole; what they leave undone counts from their end.
  if (!f.broken_at && !(plan_ && plan_->open)) f.broken_at = now;
  if (f.whole_since && now - *f.whole_since >= settings_.restart_window) f.restarts = 0;
  f.whole_since.reset();
}

// Nothing while it may not, does not have to, or bindings under way may still mend it. A plan before its
// barrier may mend it too, and has one hold timeout for that: kube-scheduler may never ask for its members.
std::optional<TimePoint> Group::let_go_due() const {
  const Failure& f = failure_;
  const bool restarts = spec().failure_policy == FailurePolicy::kRestart && f.stood;
  const bool ignores = spec().failure_policy == FailurePolicy::kIgnore && f.stood;
  if (f.letting_go || ignores || !f.stuck.empty() || (plan_ && plan_->open)) return std::nullopt;
  std::optional<TimePoint> due;
  const Duration restart_grace = spec().failure_grace.value_or(settings_.restart_grace);
  if (f.lost_at) due = *f.lost_at + restart_grace;
  if (!f.broken_at) return due;
  const bool at_once = restarts && completed() == 0;
  const Duration grace = at_once ? restart_grace : spec().failure_grace.value_or(settings_.failure_grace);
  const TimePoint broken_too_long = *f.broken_at + grace + (plan_ ? hold_timeout() : Duration(0));
  return due ? std::min(*due, broken_too_long) : broken_too_long;
}

void Group::react(const Context& context) {
  if (!resumed_) {
    failure_.seen_whole = live() > 0 && (failure_.seen_whole || !lack(With::kNothing));
    return;
  }
  follow_standing(context.now);
  if (failure_.letting_go) {
    if (census_.evictable() > 0) return;
    failure_.letting_go = false;
    ++version_;
    follow_standing(context.now);
  }
  const auto due = let_go_due();
  const bool stuck = !failure_.stuck.empty() && lacks() && !plan_;
  if (stuck || (due && context.now >= *due)) let_go(context);
}

std::string Group::why_it_lets_go() const {
  if (failure_.restarting) return "its group is restarted as a whole: " + failure_.loss;
  return "its group lets go of all it holds, it cannot reach its minimum";
}

std::string Group::why_not_to_let_go() const {
  if (completed() > 0) {
    return std::to_string(completed()) + " of its members have completed" +
           (census_.unseen() > 0 ? " or were gone when Muster began" : "") +
           ", so the others are left to end";
  }
  if (census_.bare() > 0) {
    const auto bare = std::find_if(members_.begin(), members_.end(), [](const auto& entry) {
      return entry.second.live() && entry.second.controller_uid.empty();
    });
    return "pod " + bare->second.pod.name + " has no controller that would make it again, so none is evicted";
  }
  if (!lacks() && failure_.restarts >= settings_.max_restarts) {
    return "it was restarted " + std::to_string(failure_.restarts) + " times in a row and is not any more";
  }
  return {};
}

// --- letting go -------------------------------------------------------------------------------------------

void Group::let_go(const Context& context) {
  Failure& f = failure_;
  f.lost_at.reset();
  const bool broken = lacks();
  if (f.whole_since && context.now - *f.whole_since >= settings_.restart_window) f.restarts = 0;
  if (const std::string why_not = why_not_to_let_go(); !why_not.empty()) {
    const std::string words = "group " + key_.text() + (broken ? " is stuck, " : " is not restarted, ") +
                              lack(With::kNothing).value_or("enough of its members") + " run: " + why_not;
    if (!broken) return tell(context, EventReason::kNotRestarted, words, true);
    if (std::exchange(f.stuck, why_not) == why_not) return;
    ++version_;
    return tell(context, EventReason::kStuck, words, true);
  }
  f.restarting = f.stood && spec().failure_policy == FailurePolicy::kRestart;
  f.letting_go = true;
  f.exhausted = broken && f.restarts >= settings_.max_restarts;
  f.let_go_at = context.now;
  f.broken_at.reset();
  for (const auto& [uid, member] : members_) f.controllers.insert(member.controller_uid);
  const auto factor = int64_t{1} << std::min<uint32_t>(f.restarts++, 20);
  if (plan_) end_plan("the group lets go of all it holds", context);
  retry_at_ = context.now + std::min(settings_.retry_backoff * factor, settings_.retry_backoff_max);
  f.stuck = f.exhausted ? "it has let go " + std::to_string(f.restarts) +
                              " times in a row; it is planned again when another controller makes its pods"
                        : "";
  ++version_;
  const std::string name = "group " + key_.text();
  tell(context, f.restarting ? EventReason::kRestarting : EventReason::kUnwinding,
       f.exhausted ? name + ": " + f.stuck
       : f.restarting
           ? name + " is restarted as a whole: " + f.loss
           : name + " lets go of all it holds: " + lack(With::kNothing).value_or("its members") + " run",
       true);
  send_away(context);
}

// Promise 3: the decision stands in the API, on every member, before the first of them goes.
void Group::send_away(const Context& context) {
  for (const auto& [uid, member] : members_) {
    if (!member.evictable() || !member.mark.empty()) continue;
    failure_.marking.insert(uid);
    context.out.push_back(
        Mark{member.pod, failure_.restarting ? "restart" : "unwind", context.now + hold_timeout()});
  }
  if (failure_.marking.empty()) evict_all(context);
}

void Group::marked(const std::string& uid, const Result<void>& result, const Context& context) {
  if (failure_.marking.erase(uid) == 0) return;
  const auto member = members_.find(uid);
  const bool goes = failure_.letting_go && member != members_.end() && member->second.evictable();
  if (!result && goes && reaction_of(result.error().code) == Reaction::kRetry) {
    failure_.marking.insert(uid);
    context.out.push_back(Mark{member->second.pod, failure_.restarting ? "restart" : "unwind",
                               deadline_after(result.error(), context)});
    return;
  }
  if (failure_.letting_go && failure_.marking.empty()) evict_all(context);
}

void Group::evict_all(const Context& context) {
  for (const auto& [uid, member] : members_) evict_if_due(member, context);
}

// Who is on a lost node has to go before its controller makes another one. Without its grace period only
// where the Node object is gone: nothing there will ever confirm its end.
void Group::evict_if_due(const Member& member, const Context& context) {
  if (!resumed_ || member.controller_uid.empty() || !member.bound() || member.ended()) return;
  const bool at_once = member.fate == NodeFate::kGone;
  const bool lost = member.lost() && spec().failure_policy != FailurePolicy::kIgnore;
  const bool goes = failure_.letting_go && failure_.marking.empty() && member.evictable();
  if (!goes && !(lost && (!member.terminating || at_once))) return;
  const auto [asked, is_new] = failure_.evicting.try_emplace(member.pod.uid, at_once);
  if (!is_new && (asked->second || !at_once)) return;
  asked->second = at_once;
  context.out.push_back(Evict{member.pod, spec().obey_budgets, at_once, context.now + hold_timeout(),
                              member.plan_id(), goes ? why_it_lets_go() : how_lost(member, &member)});
}

void Group::evicted(const Evict& command, const Result<void>& result, const Context& context) {
  const auto asked = failure_.evicting.find(command.pod.uid);
  if (result || asked == failure_.evicting.end() || asked->second != command.at_once) return;
  const Error& error = result.error();
  if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kCancelled) return;
  failure_.evicting.erase(asked);
  const bool passing = reaction_of(error.code) == Reaction::kRetry || error.code == ErrorCode::kConflict;
  const Duration pause =
      passing ? error.retry_after.value_or(settings_.retry_backoff) : settings_.retry_backoff_max;
  const TimePoint again = context.now + std::max(pause, Duration(1));
  failure_.evict_again_at = std::min(failure_.evict_again_at.value_or(again), again);
  tell(context,
       error.code == ErrorCode::kThrottled ? EventReason::kEvictionBlocked : EventReason::kEvictionFailed,
       "pod " + command.pod.name + " could not be evicted yet: " + error.message, true);
}

// --- after a restart of Muster ----------------------------------------------------------------------------

bool Group::forgettable(TimePoint now) const {
  return empty() && (!failure_.let_go_at || now >= *failure_.let_go_at + settings_.restart_window);
}

// A group that lacks members has lost them, unless its first bindings are still to be finished: then some
// member carries their plan.
void Group::resume_failure(const Context& context) {
  Failure& f = failure_;
  bool planned = false;
  for (const auto& [uid, member] : members_) {
    f.restarts = std::max(f.restarts, member.live() ? member.restarts : 0);
    planned = planned || (member.available() && !member.plan.empty());
    if (!member.evictable() || member.mark.empty()) continue;
    f.letting_go = true;
    f.restarting = member.mark == "restart";
    f.loss = "it was being restarted when Muster began";
  }
  f.stood = live() > 0 && (!lack(With::kNothing) || !planned);
  if (f.stood && !f.seen_whole && !f.letting_go) suppose_completed();
  if (f.letting_go) {
    f.let_go_at = context.now;
    ++f.restarts;
    for (const auto& [uid, member] : members_) f.controllers.insert(member.controller_uid);
    send_away(context);
  }
  evict_all(context);
}

}  // namespace muster::group
