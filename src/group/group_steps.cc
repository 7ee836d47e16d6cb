// The steps of a plan under way: each member is nominated, released, asked to be bound; then the barrier
// opens and all are bound.
#include <utility>

#include "base/error.h"
#include "base/pod_keys.h"
#include "group/group.h"

namespace muster::group {

void Group::release(Assignment& assignment, const Context& context) {
  if (std::exchange(assignment.shown, true) || assignment.bound) return;
  ++version_;
  moved_.push_back(assignment.pod.uid);
  const bool gated = members_.at(assignment.pod.uid).held_by_gate;
  context.out.push_back(Release{assignment.pod, assignment.node, assignment.plan, gated, plan_->deadline});
}

void Group::release_all(const Context& context) {
  plan_->released = true;
  for (auto& [uid, assignment] : plan_->assignments) release(assignment, context);
}

// Takes the next step that the plan is ready for.
void Group::proceed(const Context& context) {
  if (!plan_) return;
  if (plan_->unbound == 0) {
    failure_.stood = failure_.stood || !lack(With::kNothing);
    if (!plan_->failed) {
      failures_ = 0;
      exclusions_.clear();
    }
    return close_plan();
  }
  if (!plan_->released && plan_->unconfirmed == 0) release_all(context);
  if (!plan_->open && plan_->unconfirmed == 0 && plan_->called == plan_->unbound) open_barrier(context);
}

// Promise 1: every planned member has been asked for, and with those bound already they reach the minimum.
// Promise 3: what is about to be bound stands in the API.
void Group::open_barrier(const Context& context) {
  MUSTER_CHECK(enough());
  plan_->open = true;
  ++version_;
  for (auto& [uid, assignment] : plan_->assignments) {
    if (!assignment.bound) post_binding(assignment, context.now + hold_timeout(), context);
  }
}

void Group::post_binding(const Assignment& assignment, TimePoint deadline, const Context& context) {
  std::map<std::string, std::string> annotations;
  annotations[keys::kPlan] = plan_->id;
  annotations[keys::kRank] = std::to_string(assignment.rank);
  std::string domain = context.room.domain_of(assignment.node);
  if (!domain.empty()) annotations[keys::kDomain] = std::move(domain);
  if (failure_.restarts > 0) annotations[keys::kRestarts] = std::to_string(failure_.restarts);
  const Member& member = members_.at(assignment.pod.uid);
  const bool seen = is_of_plan(member.plan, assignment.plan);
  context.out.push_back(Bind{assignment.pod, assignment.node, assignment.plan, std::move(annotations),
                             deadline, seen ? member.version : ""});
}

void Group::see_bound(const Member& member, const Context& context) {
  Assignment& assignment = *find_assignment(member.pod.uid);
  if (assignment.bound) return;
  if (assignment.call) {
    const bool here = member.node == assignment.node;
    answer_call(assignment, here ? Result<void>() : refused("the pod is bound to " + member.node), context);
  }
  if (!assignment.nominated) --plan_->unconfirmed;
  assignment.nominated = true;
  assignment.bound = true;
  --plan_->unbound;
}

void Group::answer_call(Assignment& assignment, Result<void> result, const Context& context) {
  context.out.push_back(AnswerBind{*assignment.call, std::move(result)});
  assignment.call.reset();
  --plan_->called;
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
  Assignment& assignment = *find_assignment(uid);
  if (assignment.call) answer_call(assignment, refused("a later bind call took this one's place"), context);
  assignment.call = call;
  if (++plan_->called > plan_->most_called) {
    plan_->most_called = plan_->called;
    context.progress.step(plan_->made, context.now);
  }
  proceed(context);
}

void Group::bind_abandoned(const std::string& uid, uint64_t call) {
  Assignment* assignment = find_assignment(uid);
  if (!assignment || assignment->call != call) return;
  assignment->call.reset();
  --plan_->called;
}

void Group::nominated(const std::string& uid, const std::string& plan, const Result<void>& result,
                      const Context& context) {
  Assignment* assignment = find_assignment(uid, plan);
  if (!assignment || assignment->nominated) return;
  if (!result) {
    step_failed(uid, "nominate", result.error(), context);
    return react(context);
  }
  assignment->nominated = true;
  --plan_->unconfirmed;
  if (plan_->released) {
    release(*assignment, context);
  } else {
    context.progress.step(plan_->made, context.now);
  }
  proceed(context);
}

void Group::released(const std::string& uid, const std::string& plan, const Result<void>& result,
                     const Context& context) {
  const Assignment* assignment = find_assignment(uid, plan);
  // Whoever is asked to be bound was released, whatever became of the reply.
  if (!assignment || result || assignment->bound || assignment->call || plan_->open) return;
  step_failed(uid, "release", result.error(), context);
  react(context);
}

void Group::bind_done(const std::string& uid, const std::string& plan, const Result<void>& result,
                      const Context& context) {
  Assignment* assignment = find_assignment(uid, plan);
  if (!assignment || assignment->bound) return;
  if (assignment->call) answer_call(*assignment, result, context);
  if (result) return;  // the watch has the last word
  if (reaction_of(result.error().code) == Reaction::kRetry) {
    // Nobody knows whether it took effect: its room stays promised, and it is posted until somebody does.
    return post_binding(*assignment, deadline_after(result.error(), context), context);
  }
  tell(context, EventReason::kBindFailed,
       "pod " + assignment->pod.name + " could not be bound to " + assignment->node + ": " +
           result.error().message,
       true);
  if (reaction_of(result.error().code) == Reaction::kReject) exclude(uid, assignment->node, context);
  if (!std::exchange(plan_->failed, true)) back_off(context);
  drop(uid, result.error().message, context);
  react(context);
}

Assignment* Group::find_assignment(const std::string& uid) {
  if (!plan_) return nullptr;
  const auto found = plan_->assignments.find(uid);
  return found != plan_->assignments.end() ? &found->second : nullptr;
}

Assignment* Group::find_assignment(const std::string& uid, const std::string& plan) {
  Assignment* found = find_assignment(uid);
  return found && found->plan == plan ? found : nullptr;
}

void Group::step_failed(const std::string& uid, const char* step, const Error& error,
                        const Context& context) {
  if (error.code == ErrorCode::kCancelled) return;  // a later command for this pod took its place
  if (reaction_of(error.code) == Reaction::kReplan) {
    drop(uid, error.message, context);
  } else {
    tell(context, EventReason::kPlanFailed,
         std::string("cannot ") + step + " pod " + members_.at(uid).pod.name + ": " + error.message, true);
    end_plan(error.message, context);
  }
  if (!plan_) back_off(context);
}

}  // namespace muster::group
