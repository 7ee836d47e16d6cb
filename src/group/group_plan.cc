// A plan is made, moved around a refused node, and ended. The steps of one under way are in group_steps.cc.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "group/group.h"

namespace muster::group {

std::vector<const Member*> Group::by_rank(bool (Member::*wanted)() const, const Ranks& ranks) const {
  std::vector<std::pair<int64_t, const Member*>> ranked;
  for (const auto& [uid, member] : members_) {
    if ((member.*wanted)()) ranked.emplace_back(ranks.at(uid), &member);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<const Member*> chosen;
  for (const auto& [rank, member] : ranked) chosen.push_back(member);
  return chosen;
}

Question Group::question(std::vector<const Member*> members, const Ranks& ranks) const {
  Question asked{key_, spec(), std::move(members), {}, {}, census_.completed_by_subgroup(), exclusions_};
  for (const Member* member : asked.members) asked.ranks.push_back(ranks.at(member->pod.uid));
  if (has_slices(spec())) asked.first_ranks = first_ranks(members_, ranks, history_);
  for (const auto& [uid, member] : members_) {
    if (member.live()) asked.fixed.push_back({{uid, member.node}, member.subgroup, ranks.at(uid)});
  }
  return asked;
}

bool Group::waits_for_plan(TimePoint now) const {
  if (plan_ || failure_.letting_go || failure_.exhausted) return false;
  if (!rejection().empty() || !found_.empty() || census_.available() == 0 || !complete()) return false;
  return !retry_at_ || now >= *retry_at_;
}

void Group::plan(const Context& context, uint64_t room_epoch) {
  if (last_no_epoch_ && !context.room.worth_another_try(key_)) {
    last_no_epoch_ = room_epoch;
    return;
  }
  retry_at_.reset();
  ++version_;
  const Ranks ranks = assign_ranks(members_);
  const Answer answer = ask(context, ranks);
  const auto* fits = std::get_if<Fits>(&answer);
  if (fits && !fits->placed.empty() && start_plan(context, fits->placed, ranks)) {
    last_no_.clear();
    last_no_epoch_.reset();
    return;
  }
  last_no_epoch_ = room_epoch;
  if (const auto* bad = std::get_if<BadRequest>(&answer)) {
    bad_request_ = bad->message;
    return tell_rejection("", context);
  }
  const auto* no = std::get_if<DoesNotFit>(&answer);
  const auto* undecided = std::get_if<Undecided>(&answer);
  if (no) last_no_ = no->message;
  if (undecided) last_no_ = undecided->message;
  if (fits) {
    last_no_ = fits->placed.empty() ? "no member can be added now"
                                    : "the members that have room do not make its subgroups stand";
  }
  tell(context, undecided ? EventReason::kUndecided : EventReason::kNoRoom, reason(), true);
}

// A replacement that finds no room in its slice may go elsewhere inside the group's domain: the others stay,
// and it is said. Nothing else is ever loosened.
Answer Group::ask(const Context& context, const Ranks& ranks) {
  Question asked = question(by_rank(&Member::available, ranks), ranks);
  Answer answer = context.room.solve(asked);
  if (!lacks() || !has_slices(spec()) || !std::holds_alternative<DoesNotFit>(answer)) return answer;
  asked.spec = without_slices(spec());
  Answer wider = context.room.solve(asked);
  if (!std::holds_alternative<Fits>(wider)) return answer;
  tell(context, EventReason::kRepairedOutsideSlice,
       "group " + key_.text() + ": no room in the slice of a lost member, so its replacement leaves it: " +
           std::get<DoesNotFit>(answer).message,
       true);
  return wider;
}

bool Group::start_plan(const Context& context, const std::vector<Placed>& placed, const Ranks& ranks) {
  plan_ = Plan{};
  plan_->id = context.new_plan_id();
  plan_->made = context.now;
  plan_->deadline = context.now + hold_timeout();
  plan_->spec = agreement_.spec();
  for (const auto& [uid, node] : placed) {
    Assignment& assignment = plan_->assignments[uid];
    assignment.pod = members_.at(uid).pod;
    assignment.rank = ranks.at(uid);
    assignment.plan = plan_->id;
    ++plan_->unbound;
    ++plan_->unconfirmed;
  }
  if (!enough()) {
    plan_.reset();
    return false;
  }
  rejection_told_.clear();
  for (const auto& [uid, node] : placed) {
    MUSTER_CHECK(context.room.reserve(key_, members_.at(uid), node));
    assign(plan_->assignments.at(uid), node, context);
  }
  tell(context, EventReason::kPlanned,
       "group " + key_.text() + ": plan " + plan_->id + " places " + std::to_string(placed.size()) +
           (placed.size() == 1 ? " member" : " members"),
       false);
  return true;
}

void Group::assign(Assignment& assignment, const std::string& node, const Context& context) {
  const bool shown_before = assignment.shown;
  assignment.node = node;
  if (assignment.nominated) ++plan_->unconfirmed;
  assignment.nominated = false;
  // Without a gate its nomination is the change that makes kube-scheduler try it again: it finds its node
  // then.
  assignment.shown = !members_.at(assignment.pod.uid).held_by_gate;
  if (assignment.shown || shown_before) moved_.push_back(assignment.pod.uid);
  context.out.push_back(Nominate{assignment.pod, node, assignment.plan, plan_->deadline});
}

const std::string* Group::planned_node(const std::string& uid) const {
  if (!plan_) return nullptr;
  const auto found = plan_->assignments.find(uid);
  return found != plan_->assignments.end() && found->second.shown ? &found->second.node : nullptr;
}

std::string Group::plan_of(const std::string& uid) const {
  if (!plan_) return {};
  const auto found = plan_->assignments.find(uid);
  return found != plan_->assignments.end() ? found->second.plan : std::string();
}

// The member leaves the plan. The rest goes on if it still reaches the minimum.
void Group::drop(const std::string& uid, const std::string& why, const Context& context) {
  Assignment& leaving = *find_assignment(uid);
  if (leaving.call) answer_call(leaving, refused(why), context);
  if (!leaving.nominated) --plan_->unconfirmed;
  if (!leaving.bound) --plan_->unbound;
  const std::string name = leaving.pod.name;
  give_back(leaving, context);
  plan_->assignments.erase(uid);
  moved_.push_back(uid);
  ++version_;
  const bool over = plan_->assignments.empty() || (!plan_->open && !enough());
  if (over) return end_plan("pod " + name + " left the plan: " + why, context);
  proceed(context);
}

// A plan that another Muster made keeps its room until it is seen withdrawn: see found().
void Group::give_back(const Assignment& assignment, const Context& context) {
  const auto member = members_.find(assignment.pod.uid);
  const bool waits = member != members_.end() && member->second.available();
  if (waits && plan_->taken_up) {
    keep(member->second, context);
  } else {
    context.room.unreserve(assignment.pod.uid);
    if (waits) context.out.push_back(Withdraw{assignment.pod});
  }
}

// Promise 2: all that the plan held is free when this returns.
void Group::end_plan(const std::string& why, const Context& context) {
  for (auto& [uid, assignment] : plan_->assignments) {
    if (assignment.call) answer_call(assignment, refused("the plan has ended: " + why), context);
    if (!assignment.bound) give_back(assignment, context);
  }
  last_no_epoch_.reset();
  last_no_ = "the last plan has ended: " + why;
  close_plan();
}

// Until its barrier opens: when its members ask for something else by now, or too few of them are left.
void Group::end_plan_that_cannot_stand(const Context& context) {
  if (!plan_ || plan_->open) return;
  if (!rejection().empty()) return end_plan(rejection(), context);
  if (!(plan_->spec == agreement_.spec())) return end_plan("the group's annotations have changed", context);
  if (!enough()) end_plan("the group has too few members left", context);
}

// The hold timeout runs anew with each member that is nominated or asked for, in this plan or in one made
// before it. A plan has so many members, so every plan that does not get on ends.
void Group::end_plan_if_overdue(const Context& context) {
  if (!plan_ || plan_->open || context.now < plan_->deadline) return;
  plan_->deadline = context.progress.last(plan_->made) + hold_timeout();
  if (context.now < plan_->deadline) return;
  end_plan("not every member was asked to be bound within the hold timeout", context);
  back_off(context);
}

void Group::close_plan() {
  for (const auto& [uid, assignment] : plan_->assignments) moved_.push_back(uid);
  plan_.reset();
  ++version_;
}

void Group::back_off(const Context& context) {
  const auto factor = int64_t{1} << std::min<uint32_t>(failures_++, 20);
  retry_at_ = context.now + std::min(settings_.retry_backoff * factor, settings_.retry_backoff_max);
}

void Group::exclude(const std::string& uid, const std::string& node, const Context& context) {
  exclusions_[uid].insert(node);
  exclusions_expire_ = context.now + settings_.retry_backoff_max;
}

// The first time a plan ends of this, the next one is made at once, around the node.
// By value: the caller may have the name from the room, which forgets it here.
void Group::node_refused(const std::string& uid, std::string node, const Context& context) {
  Assignment* assignment = find_assignment(uid);
  if (!assignment || plan_->open || assignment->bound || assignment->node != node) return;
  exclude(uid, node, context);
  if (assignment->call) answer_call(*assignment, refused("node " + node + " is not fit any more"), context);
  ++version_;
  if (move_member(uid, context)) return;
  end_plan("node " + node + " was refused for pod " + members_.at(uid).pod.name, context);
  if (failures_ == 0) {
    failures_ = 1;
  } else {
    back_off(context);
  }
  react(context);
}

// Plans one member again with all others where they are. What another Muster has promised cannot be moved.
bool Group::move_member(const std::string& uid, const Context& context) {
  if (plan_->taken_up) return false;
  context.room.unreserve(uid);
  const Member& member = members_.at(uid);
  Ranks ranks = assign_ranks(members_);
  // The plan's, whoever has come or gone since: slices are cut by them.
  for (const auto& [planned, assignment] : plan_->assignments) ranks[planned] = assignment.rank;
  Question asked = question({&member}, ranks);
  for (const auto& [other, assignment] : plan_->assignments) {
    const Member& stays = members_.at(other);
    if (other == uid || stays.bound()) continue;
    asked.fixed.push_back({{other, assignment.node}, stays.subgroup, assignment.rank});
  }
  const Answer answer = context.room.solve(asked);
  const auto* fits = std::get_if<Fits>(&answer);
  if (!fits || fits->placed.size() != 1) return false;
  Assignment& assignment = plan_->assignments.at(uid);
  MUSTER_CHECK(context.room.reserve(key_, member, fits->placed.front().node));
  assignment.plan = plan_->id + "." + std::to_string(++plan_->changes);
  assign(assignment, fits->placed.front().node, context);
  return true;
}

}  // namespace muster::group
