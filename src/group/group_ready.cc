// Readiness as one: the condition muster.dev/group-ready of the members that list it as a readiness gate is
// True while the minima of the group and of the member's subgroups are running and ready, and False for all
// of them as soon as that ends. It is written when what it shows is not what is so, and at no other time.
#include <utility>

#include "base/error.h"
#include "group/group.h"

namespace muster::group {

// `changed`: whose condition may be out of date although the group's readiness is what it was; else null.
// O(1), O(subgroups) with subgroups, O(n) when the group's readiness changes.
void Group::show_readiness(const Member* changed, const Context& context) {
  if (!resumed_ || census_.gated() == 0) return;
  std::map<std::string, bool> ready;
  if (spec().subgroups.empty()) {
    ready[""] = census_.ready() + completed() >= spec().min_member;
  } else {
    const Tally tally = census_.ready_or_done(has_stood());
    const bool whole = !missing(spec(), tally);
    for (const auto& [path, have] : tally.have) ready[path] = whole && reaches_minima(spec(), tally, path);
  }
  const bool same = ready == ready_;
  ready_ = std::move(ready);
  if (same) {
    if (changed) show_readiness_of(*changed, context);
    return;
  }
  for (const auto& [uid, member] : members_) show_readiness_of(member, context);
}

void Group::show_readiness_of(const Member& member, const Context& context) {
  if (!member.readiness_gate || !member.bound() || member.ended() || member.terminating) return;
  const std::string& uid = member.pod.uid;
  const auto known = ready_.find(spec().subgroups.empty() ? "" : member.subgroup);
  const bool wanted = known != ready_.end() && known->second;
  const bool shown = member.shown_ready.value_or(false);  // a condition that is absent is not true
  auto asked = ready_asked_.find(uid);
  if (asked != ready_asked_.end() && asked->second == shown) {
    ready_asked_.erase(asked);
    asked = ready_asked_.end();
  }
  if ((asked != ready_asked_.end() ? asked->second : shown) == wanted) return;
  ready_asked_[uid] = wanted;
  context.out.push_back(SetReady{member.pod, wanted, context.now + hold_timeout()});
}

// What was refused for good is not tried again before the group's readiness changes.
void Group::ready_set(const SetReady& command, const Result<void>& result, const Context& context) {
  const auto asked = ready_asked_.find(command.pod.uid);
  if (result || asked == ready_asked_.end() || asked->second != command.ready) return;
  if (reaction_of(result.error().code) != Reaction::kRetry) return;
  context.out.push_back(SetReady{command.pod, command.ready, deadline_after(result.error(), context)});
}

}  // namespace muster::group
