// The life of a plan: made, nominated, released, asked to bind, bound; moved around a refused node; ended.
#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "group/group.h"
#include "group/rank.h"

namespace muster::group {
namespace {

// "7f3a.2+" → "7f3a": the plan an annotation belongs to, whichever change of the member's node it is.
std::string plan_of(const std::string& annotation) {
  return annotation.substr(0, annotation.find_first_of(".+"));
}

// "7f3a.2" → 2; 0 without a change or when the text is none of ours.
uint32_t change_of(const std::string& annotation) {
  const auto dot = annotation.find('.');
  return dot == std::string::npos
             ? 0
             : static_cast<uint32_t>(std::strtoul(annotation.c_str() + dot + 1, nullptr, 10));
}

Result<void> refused(std::string message) { return fail(ErrorCode::kConflict, "muster: {}", message); }

}  // namespace

std::map<std::string, int64_t> Group::ranks() const { return assign_ranks(members_); }

std::vector<const Member*> Group::by_rank(bool (Member::*wanted)() const) const {
  const std::map<std::string, int64_t> rank = ranks();
  std::vector<const Member*> chosen;
  for (const auto& [uid, member] : members_) {
    if ((member.*wanted)()) chosen.push_back(&member);
  }
  std::sort(chosen.begin(), chosen.end(),
            [&](const Member* a, const Member* b) { return rank.at(a->pod.uid) < rank.at(b->pod.uid); });
  return chosen;
}

Question Group::question(std::vector<const Member*> members) const {
  Question asked{key_, spec_, std::move(members), {}, completed(), exclusions_};
  for (const auto& [uid, member] : members_) {
    if (member.live()) asked.fixed.push_back({uid, member.node});
  }
  return asked;
}

bool Group::wants_plan(TimePoint now, uint64_t room_epoch) const {
  if (plan_ || !rejection_.empty() || available_ == 0 || !complete()) return false;
  if (retry_at_ && now < *retry_at_) return false;
  return !last_no_epoch_ || *last_no_epoch_ != room_epoch;
}

void Group::plan(const Context& context, uint64_t room_epoch) {
  retry_at_.reset();
  ++version_;
  const Answer answer = context.room.solve(question(by_rank(&Member::available)));
  if (const auto* fits = std::get_if<Fits>(&answer); fits && !fits->placed.empty()) {
    last_no_.clear();
    last_no_epoch_.reset();
    start_plan(context, fits->placed);
    return;
  }
  last_no_epoch_ = room_epoch;
  if (const auto* bad = std::get_if<BadRequest>(&answer)) {
    rejection_ = bad->message;
    tell_rejection(context);
    return;
  }
  const auto* no = std::get_if<DoesNotFit>(&answer);
  const auto* undecided = std::get_if<Undecided>(&answer);
  last_no_ = no ? no->message : undecided ? undecided->message : "no member can be added now";
  tell(context, undecided ? "Undecided" : "NoRoom", reason(), true);
}

void Group::start_plan(const Context& context, const std::vector<Placed>& placed) {
  plan_.emplace(Plan{context.new_plan_id(), context.now + hold_timeout(), 0, 0, false, {}});
  const std::map<std::string, int64_t> rank = ranks();
  for (const auto& [uid, node] : placed) {
    const Member& member = members_.at(uid);
    MUSTER_CHECK(context.room.reserve(key_, member, node));
    Assignment& assignment = plan_->assignments[uid];
    assignment.pod = member.pod;
    ++plan_->unconfirmed;
    assignment.rank = rank.at(uid);
    assignment.plan = plan_->id;
    assign(assignment, node, context);
  }
  tell(context, "Planned",
       "group " + key_.text() + ": plan " + plan_->id + " places " + std::to_string(placed.size()) +
           " members",
       false);
}

void Group::assign(Assignment& assignment, const std::string& node, const Context& context) {
  assignment.node = node;
  if (assignment.nominated) ++plan_->unconfirmed;
  assignment.nominated = false;
  assignment.release_asked = false;
  context.out.push_back(Nominate{assignment.pod, node, assignment.plan, plan_->deadline});
}

const std::string* Group::planned_node(const std::string& uid) const {
  if (!plan_) return nullptr;
  const auto found = plan_->assignments.find(uid);
  if (found == plan_->assignments.end() || plan_->unconfirmed > 0) return nullptr;
  return &found->second.node;
}

std::vector<std::string> Group::planned_members() const {
  std::vector<std::string> uids;
  if (!plan_ || plan_->unconfirmed > 0) return uids;
  for (const auto& [uid, assignment] : plan_->assignments) uids.push_back(uid);
  return uids;
}

void Group::proceed(const Context& context) {
  if (!plan_) return;
  auto& assignments = plan_->assignments;
  const auto bound = [&](const auto& entry) { return members_.at(entry.first).bound(); };
  if (std::all_of(assignments.begin(), assignments.end(), bound)) {
    plan_.reset();
    failures_ = 0;
    exclusions_.clear();
    ++version_;
    return;
  }
  if (plan_->open || plan_->unconfirmed > 0) return;

  bool all_called = true;
  for (auto& [uid, assignment] : assignments) {
    const Member& member = members_.at(uid);
    if (member.bound()) continue;
    if (!assignment.release_asked) {
      assignment.release_asked = true;
      context.out.push_back(
          Release{assignment.pod, assignment.node, assignment.plan, member.held_by_gate, plan_->deadline});
    }
    all_called = all_called && assignment.call;
  }
  if (all_called) open_barrier(context);
}

// Promise 1: every planned member has been asked for, and with those bound already they reach the minimum.
void Group::open_barrier(const Context& context) {
  MUSTER_CHECK(reach() >= spec_.min_member);
  plan_->open = true;
  ++version_;
  for (auto& [uid, assignment] : plan_->assignments) {
    if (members_.at(uid).bound()) continue;
    assignment.bind_posted = true;
    std::map<std::string, std::string> annotations{{"muster.dev/plan", assignment.plan},
                                                   {"muster.dev/rank", std::to_string(assignment.rank)}};
    const std::string domain = context.room.domain_of(assignment.node);
    if (!domain.empty()) annotations["muster.dev/domain"] = domain;
    context.out.push_back(Bind{assignment.pod, assignment.node, assignment.plan, std::move(annotations),
                               context.now + hold_timeout()});
  }
}

// Members that are bound, have succeeded, or are promised a node by the plan.
uint32_t Group::reach() const {
  uint32_t promised = 0;
  for (const auto& [uid, assignment] : plan_->assignments) promised += !members_.at(uid).bound();
  return live_ + completed() + promised;
}

void Group::bind_called(const std::string& uid, const std::string& node, uint64_t call,
                        const Context& context) {
  const auto answer = [&](Result<void> result) {
    context.out.push_back(AnswerBind{call, std::move(result)});
  };
  const auto found = members_.find(uid);
  if (found == members_.end()) return answer(refused("the pod is not known yet"));
  if (found->second.bound()) {
    if (found->second.node == node) return answer({});
    return answer(refused("the pod is bound to " + found->second.node));
  }
  const std::string* planned = planned_node(uid);
  if (!planned) return answer(refused(reason()));
  if (*planned != node) return answer(refused("the pod is planned on " + *planned + ", not on " + node));
  Assignment& assignment = plan_->assignments.at(uid);
  if (assignment.call) {
    context.out.push_back(AnswerBind{*assignment.call, refused("a later bind call took this one's place")});
  }
  assignment.call = call;
  proceed(context);
}

void Group::nominated(const std::string& uid, const std::string& plan, const Result<void>& result,
                      const Context& context) {
  Assignment* assignment = find_assignment(uid, plan);
  if (!assignment) return;
  if (!result) return step_failed(uid, "nominate", result.error(), context);
  if (!assignment->nominated && --plan_->unconfirmed == 0) ++version_;
  assignment->nominated = true;
  proceed(context);
}

void Group::released(const std::string& uid, const std::string& plan, const Result<void>& result,
                     const Context& context) {
  if (!find_assignment(uid, plan) || result) return;
  step_failed(uid, "release", result.error(), context);
}

void Group::bind_done(const std::string& uid, const std::string& plan, const Result<void>& result,
                      const Context& context) {
  Assignment* assignment = find_assignment(uid, plan);
  if (!assignment) return;
  if (assignment->call) context.out.push_back(AnswerBind{*assignment->call, result});
  assignment->call.reset();
  if (result) return proceed(context);  // the watch has the last word
  tell(context, "BindFailed",
       "pod " + assignment->pod.name + " could not be bound to " + assignment->node + ": " +
           result.error().message,
       true);
  exclude(uid, assignment->node, context);
  drop(uid, result.error().message, context);
}

Group::Assignment* Group::find_assignment(const std::string& uid, const std::string& plan) {
  if (!plan_) return nullptr;
  const auto found = plan_->assignments.find(uid);
  return found != plan_->assignments.end() && found->second.plan == plan ? &found->second : nullptr;
}

void Group::step_failed(const std::string& uid, const char* step, const Error& error,
                        const Context& context) {
  if (reaction_of(error.code) == Reaction::kReplan) return drop(uid, error.message, context);
  tell(context, "PlanFailed",
       std::string("cannot ") + step + " pod " + members_.at(uid).pod.name + ": " + error.message, true);
  end_plan(error.message, context);
  back_off(context);
}

// The member leaves the plan. The rest goes on if it still reaches the minimum.
void Group::drop(const std::string& uid, const std::string& why, const Context& context) {
  const auto left = plan_->assignments.extract(uid);
  if (!left.mapped().nominated) --plan_->unconfirmed;
  if (left.mapped().call) context.out.push_back(AnswerBind{*left.mapped().call, refused(why)});
  context.room.unreserve(uid);
  if (const auto member = members_.find(uid); member != members_.end() && member->second.available()) {
    context.out.push_back(Withdraw{member->second.pod});
  }
  ++version_;
  if (!plan_->open && reach() < spec_.min_member) {
    return end_plan("pod " + left.mapped().pod.name + " left the plan: " + why, context);
  }
  proceed(context);
}

// Promise 2: all that the plan held is free when this returns.
void Group::end_plan(const std::string& why, const Context& context) {
  for (auto& [uid, assignment] : plan_->assignments) {
    if (assignment.call)
      context.out.push_back(AnswerBind{*assignment.call, refused("the plan has ended: " + why)});
    const Member& member = members_.at(uid);
    if (member.bound()) continue;
    context.room.unreserve(uid);
    context.out.push_back(Withdraw{member.pod});
  }
  plan_.reset();
  last_no_epoch_.reset();
  last_no_ = "the last plan has ended: " + why;
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

void Group::node_refused(const std::string& uid, const std::string& node, const Context& context) {
  if (!plan_ || plan_->open) return;
  const auto found = plan_->assignments.find(uid);
  if (found == plan_->assignments.end() || found->second.node != node) return;
  exclude(uid, node, context);
  if (found->second.call) {
    context.out.push_back(AnswerBind{*found->second.call, refused("node " + node + " is not fit any more")});
    found->second.call.reset();
  }
  ++version_;
  if (!move_member(uid, context))
    end_plan("node " + node + " was refused for pod " + found->second.pod.name, context);
}

// Plans one member again with all others where they are.
bool Group::move_member(const std::string& uid, const Context& context) {
  context.room.unreserve(uid);
  const Member& member = members_.at(uid);
  Question asked = question({&member});
  for (const auto& [other, assignment] : plan_->assignments) {
    if (other != uid && !members_.at(other).bound()) asked.fixed.push_back({other, assignment.node});
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

// Promise 3: what stands in the API is enough to go on.
void Group::resume(const Context& context) {
  std::map<std::string, std::vector<const Member*>> claims;
  for (const Member* member : by_rank(&Member::available)) {
    if (!member->plan.empty() && !member->nominated_node.empty()) {
      claims[plan_of(member->plan)].push_back(member);
    } else if (!member->plan.empty() || !member->nominated_node.empty()) {
      context.out.push_back(Withdraw{member->pod});
    }
  }
  const auto largest = std::max_element(claims.begin(), claims.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  for (const auto& [id, members] : claims) {
    if (largest->first == id && rejection_.empty() && take_up(id, members, context)) continue;
    for (const Member* member : members) context.out.push_back(Withdraw{member->pod});
  }
}

bool Group::take_up(const std::string& id, const std::vector<const Member*>& members,
                    const Context& context) {
  std::vector<Placed> placed;
  for (const Member* member : members) placed.push_back({member->pod.uid, member->nominated_node});
  if (live_ + completed() + placed.size() < spec_.min_member) return false;
  if (!context.room.valid(question(members), placed)) return false;

  plan_.emplace(Plan{id, context.now + hold_timeout(), 0, 0, false, {}});
  const std::map<std::string, int64_t> rank = ranks();
  for (const Member* member : members) {
    if (!context.room.reserve(key_, *member, member->nominated_node)) {
      for (const Member* taken : members) context.room.unreserve(taken->pod.uid);
      plan_.reset();
      return false;
    }
    plan_->changes = std::max(plan_->changes, change_of(member->plan));
    plan_->assignments[member->pod.uid] = {
        member->pod, member->nominated_node, rank.at(member->pod.uid), member->plan, true, false, false, {}};
  }
  ++version_;
  proceed(context);
  return true;
}

}  // namespace muster::group
