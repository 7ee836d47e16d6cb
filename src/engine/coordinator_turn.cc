// The coordinator's turn: what is due is done, what can be planned is planned, and what is so is published.
#include <utility>

#include "engine/coordinator.h"

namespace muster::engine {

using group::Group;
using group::GroupKey;

namespace {

// A standby's groups see what the leader's see, and would say the same words a second time.
bool is_said_by_the_leader(const group::Command& command) {
  return !std::holds_alternative<group::AnswerBind>(command);
}

}  // namespace

void Coordinator::advance(TimePoint now) {
  if (!leading_) std::erase_if(commands_, is_said_by_the_leader);
  if (synced() && leading_) act(now);
  for (Entry* entry : std::exchange(touched_, {})) {
    entry->touched = false;
    settle(*entry, now);
  }
  if (!started_ || promises_published_ == books_.promises_version()) return;
  promises_published_ = books_.promises_version();
  answers_.set_promises(books_.promises());
}

void Coordinator::act(TimePoint now) {
  if (!started_) start(now);
  for (const std::string& node : health_.take_due(now)) tell_fate(node, now);
  for (const Entry* entry : touched_) timers_.set(entry->group.key(), entry->group.next_timer());
  for (const GroupKey& key : timers_.take_due(now)) {
    Entry& entry = groups_.at(key);
    touch(entry);
    entry.group.tick(context(now));
  }
  plan(now);
}

// Promise 3: first take up what was promised before a restart, then plan.
void Coordinator::start(TimePoint now) {
  started_ = true;
  recheck_touched(now);
  std::map<GroupKey, Entry*> by_key;
  for (auto& [key, entry] : groups_) by_key.emplace(key, &entry);
  for (const auto& [key, entry] : by_key) entry->group.find_claims(context(now));
  for (const auto& [key, entry] : by_key) {
    touch(*entry);
    entry->group.resume(context(now));
  }
}

// A group that does not fit holds nothing, so those behind it may go ahead.
void Coordinator::plan(TimePoint now) {
  for (Entry* entry : touched_) enqueue(entry->group, now);
  const uint64_t epoch = books_.room_epoch();
  const bool gained = std::exchange(planned_at_, epoch) != epoch;
  const std::vector<Group*> turns = gained ? queue_.all() : queue_.not_refused();
  group::Allowance allowance = allowance_for(turns);
  for (Group* group : turns) {
    const std::string& ns = group->key().ns;
    Entry& entry = groups_.at(group->key());
    if (const auto why = allowance.refuse(ns, group->waiting())) {
      tell_limit(entry, *why);
      continue;
    }
    entry.limit_told.clear();
    const std::size_t before = books_.reservation_count();
    group->plan(context(now), epoch);
    if (books_.reservation_count() > before) allowance.planned(ns, books_.reservation_count() - before);
    touch(entry);
    enqueue(*group, now);
  }
}

void Coordinator::enqueue(Group& group, TimePoint now) {
  if (!group.waits_for_plan(now)) return queue_.remove(group.key());
  queue_.put(group, !group.wants_plan(now, books_.room_epoch()));
}

// Counting what each namespace holds takes a look at every member; most of the time the sum is small enough.
group::Allowance Coordinator::allowance_for(const std::vector<Group*>& turns) const {
  group::Allowance allowance(options_.limits);
  std::size_t at_most = books_.reservation_count();
  for (const Group* group : turns) at_most += group->waiting();
  if (at_most <= options_.limits.held_members) return allowance;
  for (const auto& [uid, node] : books_.reservations()) {
    if (const auto found = member_of_.find(uid); found != member_of_.end())
      allowance.holds(found->second->group.key().ns, 1);
  }
  return allowance;
}

// Once, until it has been planned.
void Coordinator::tell_limit(Entry& entry, const std::string& why) {
  if (!std::exchange(entry.limit_told, why).empty()) return;
  for (const auto& [uid, member] : entry.group.members())
    commands_.push_back(group::Tell{member.pod, group::EventReason::kLimitReached, why, true});
}

// What follows from the state in which the turn has left a group.
void Coordinator::settle(Entry& entry, TimePoint now) {
  count(entry, entry.group.empty() ? std::nullopt : std::optional(entry.group.state()));
  if (!started_) return;
  timers_.set(entry.group.key(), entry.group.next_timer());
  publish(entry);
  forget_if_empty(entry, now);
}

void Coordinator::count(Entry& entry, std::optional<group::State> state) {
  if (entry.counted == state) return;
  if (entry.counted && --states_.at(*entry.counted) == 0) states_.erase(*entry.counted);
  if (state) ++states_[*state];
  entry.counted = state;
}

Shield Coordinator::shield_of(const Group& group) const {
  Shield shield;
  shield.spare = group.spare();
  const group::GroupSpec& spec = group.asks_for();
  if (!spec.subgroups.empty())
    shield.minima = std::make_shared<const Shield::Minima>(Shield::Minima{spec, group.standing()});
  if (options_.break_groups) shield.broken_above = group.priority();
  return shield;
}

void Coordinator::publish(Entry& entry) {
  Group& group = entry.group;
  if (entry.published == group.version()) return;
  entry.published = group.version();
  answers_.set_group(group.key(), group.reason(), shield_of(group));
  for (const std::string& uid : group.take_moved()) {
    const auto member = member_of_.find(uid);
    if (member == member_of_.end() || member->second != &entry) continue;
    const std::string* node = group.planned_node(uid);
    answers_.set_node(uid, node, node ? group.plan_of(uid) : "");
  }
}

std::optional<TimePoint> Coordinator::next_timer() const {
  std::optional<TimePoint> next = timers_.next();
  const std::optional<TimePoint> node_due = started_ ? health_.next_timer() : std::nullopt;
  if (node_due && (!next || *node_due < *next)) next = node_due;
  return next;
}

// About as many follow in the next turn, and to move them as they grow in number is dear.
group::Commands Coordinator::take_commands() {
  group::Commands taken = std::exchange(commands_, {});
  commands_.reserve(taken.size());
  return taken;
}

Counts Coordinator::counts() const {
  return {states_, books_.node_count(), books_.reservation_count(), books_.questions(), books_.steps()};
}

const Group* Coordinator::find(const GroupKey& key) const {
  const auto found = groups_.find(key);
  return found == groups_.end() ? nullptr : &found->second.group;
}

}  // namespace muster::engine
