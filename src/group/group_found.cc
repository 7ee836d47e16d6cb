// What another Muster has promised and a new leader finds in the API: taken up when the whole of it holds,
// and withdrawn when not.
//
// Until a pod is seen without the promise, the other Muster's binding of it may be on its way, and the API
// server lets it in. So its room stays taken, as that of a plan that was taken up and ends. (tests/model:
// `found`, `taken_up`)
#include <algorithm>
#include <map>
#include <utility>

#include "group/group.h"

namespace muster::group {
namespace {

bool is_claim(const Member& member) {
  return member.available() && !member.plan.empty() && !member.nominated_node.empty();
}

}  // namespace

void Group::find_claims(const Context& context) {
  for (const auto& [uid, member] : members_) {
    if (is_claim(member) && context.room.keep(key_, member, member.nominated_node)) found_.insert(uid);
  }
}

// Promise 3: what stands in the API is enough to go on.
void Group::resume(const Context& context) {
  resumed_ = true;
  forget_the_past();
  resume_failure(context);
  resume_plan(context);
  show_readiness(nullptr, context);
  react(context);
}

void Group::resume_plan(const Context& context) {
  std::map<std::string, std::vector<const Member*>> claims;
  const Ranks ranks = assign_ranks(members_);
  for (const Member* member : by_rank(&Member::available, ranks)) {
    if (is_claim(*member)) {
      claims[member->plan_id()].push_back(member);
    } else if (!member->plan.empty() || !member->nominated_node.empty()) {
      context.out.push_back(Withdraw{member->pod});
    }
  }
  const auto largest = std::max_element(claims.begin(), claims.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  for (const auto& [id, members] : claims) {
    const bool wanted = largest->first == id && rejection().empty() && !failure_.letting_go;
    if (wanted && take_up(id, members, ranks, context)) continue;
    for (const Member* member : members) keep(*member, context);
  }
}

bool Group::take_up(const std::string& id, const std::vector<const Member*>& members, const Ranks& ranks,
                    const Context& context) {
  std::vector<Placed> placed;
  for (const Member* member : members) {
    forget_found(member->pod.uid, context);
    placed.push_back({member->pod.uid, member->nominated_node});
  }
  if (live() + completed() + placed.size() < spec().min_member) return false;
  if (!context.room.valid(question(members, ranks), placed)) return false;

  plan_ = Plan{};
  plan_->id = id;
  plan_->taken_up = true;
  plan_->made = context.now;
  plan_->deadline = context.now + hold_timeout();
  plan_->spec = agreement_.spec();
  const auto leave_it = [&] {
    for (const auto& [taken, assignment] : plan_->assignments) context.room.unreserve(taken);
    plan_.reset();
    return false;
  };
  for (const Member* member : members) {
    const std::string& uid = member->pod.uid;
    if (!context.room.reserve(key_, *member, member->nominated_node)) return leave_it();
    plan_->assignments[uid] = {
        member->pod, member->nominated_node, ranks.at(uid), member->plan, true, false, false, {}};
    ++plan_->unbound;
  }
  if (!enough()) return leave_it();
  proceed(context);
  return true;
}

// Withdraws the promise and keeps its room until that is seen.
void Group::keep(const Member& member, const Context& context) {
  context.room.unreserve(member.pod.uid);
  if (context.room.keep(key_, member, member.nominated_node)) found_.insert(member.pod.uid);
  withdraw_again_at_ = context.now + hold_timeout();
  context.out.push_back(Withdraw{member.pod});
}

// The member has changed. Without the plan it is not bound any more.
void Group::follow_found(const Member& member, const Context& context) {
  if (!member.available() || member.plan.empty()) forget_found(member.pod.uid, context);
}

void Group::forget_found(const std::string& uid, const Context& context) {
  if (found_.erase(uid) > 0) context.room.unreserve(uid);
}

void Group::withdraw_found_again(const Context& context) {
  if (found_.empty() || context.now < withdraw_again_at_) return;
  withdraw_again_at_ = context.now + hold_timeout();
  for (const std::string& uid : found_) context.out.push_back(Withdraw{members_.at(uid).pod});
}

}  // namespace muster::group
