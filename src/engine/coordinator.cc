#include "engine/coordinator.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "books/annotations.h"

namespace muster::engine {

using group::Group;
using group::GroupKey;

namespace {

// A standby's groups see what the leader's see, and would say the same words a second time.
bool is_said_by_the_leader(const group::Command& command) {
  return !std::holds_alternative<group::AnswerBind>(command);
}

}  // namespace

Coordinator::Coordinator(CoordinatorOptions options, std::function<std::string()> new_plan_id,
                         Answers& answers)
    : options_(std::move(options)),
      new_plan_id_(std::move(new_plan_id)),
      answers_(answers),
      books_(options_.trees),
      health_(options_.node_grace, options_.absent_grace),
      leading_(options_.leading) {}

group::Context Coordinator::context(TimePoint now) { return {now, books_, new_plan_id_, commands_}; }

// --- nodes ------------------------------------------------------------------------------------------------

void Coordinator::nodes_changed(kube::DeltaBatch<kube::Node> batch, TimePoint now) {
  for (auto& delta : batch) {
    if (auto* all = std::get_if<kube::Replace<kube::Node>>(&delta)) {
      books_.replace_nodes(std::move(all->items));
      for (const auto& [uid, node] : books_.reservations()) touched_nodes_.insert(node);
      nodes_listed_ = true;
      see_all_nodes(now);
    } else if (auto* change = std::get_if<kube::Upsert<kube::Node>>(&delta)) {
      touched_nodes_.insert(change->item.name);
      const std::string name = change->item.name;
      books_.upsert_node(std::move(change->item));
      see_node(name, now);
    } else if (auto* gone = std::get_if<kube::Remove<kube::Node>>(&delta)) {
      touched_nodes_.insert(gone->last.name);
      books_.remove_node(gone->last.name);
      see_node(gone->last.name, now);
    }
  }
  recheck_touched(now);
}

// A reservation that its node cannot keep is planned again, one at a time: when the first has moved, the
// others may be fine.
void Coordinator::recheck_touched(TimePoint now) {
  if (!synced()) return;
  for (const std::string& node : std::exchange(touched_nodes_, {})) {
    std::set<std::string> seen;
    for (bool again = true; std::exchange(again, false);) {
      for (const std::string& uid : books_.broken_reservations(node)) {
        if (!seen.insert(uid).second) continue;
        if (Group* group = group_of(uid)) group->node_refused(uid, node, context(now));
        again = true;
        break;
      }
    }
  }
}

// What became of the node, and of the members that are bound to it. Nodes that pods were never bound to and
// that are gone are of no interest.
void Coordinator::see_node(const std::string& node, TimePoint now) {
  const kube::Node* known = books_.find_node(node);
  const Sighting sighting = !known         ? Sighting::kAbsent
                            : known->ready ? Sighting::kReady
                                           : Sighting::kNotReady;
  if (health_.saw(node, sighting, now)) tell_fate(node, now);
  if (!known && books_.uids_on(node).empty()) health_.forget(node);
}

void Coordinator::see_all_nodes(TimePoint now) {
  std::set<std::string> names;
  for (const std::string& node : health_.troubled()) names.insert(node);
  for (const std::string& node : books_.used_nodes()) names.insert(node);
  for (const std::string& node : names) see_node(node, now);
}

void Coordinator::tell_fate(const std::string& node, TimePoint now) {
  for (const std::string& uid : books_.uids_on(node)) {
    Group* group = group_of(uid);
    if (!group) continue;
    const auto member = group->members().find(uid);
    if (member != group->members().end() && member->second.node == node)
      group->node_fared(uid, health_.fate(node), context(now));
  }
}

// --- pods -------------------------------------------------------------------------------------------------

void Coordinator::pods_changed(kube::DeltaBatch<kube::Pod> batch, TimePoint now) {
  for (auto& delta : batch) {
    std::visit([&](auto& change) { apply(std::move(change), now); }, delta);
  }
  recheck_touched(now);
}

void Coordinator::apply(kube::Replace<kube::Pod> all, TimePoint now) {
  std::set<std::string> fresh;
  for (const kube::Pod& pod : all.items) fresh.insert(pod.uid);
  std::vector<std::string> known = books_.bound_uids();
  for (const auto& [uid, key] : member_of_) known.push_back(uid);
  for (const std::string& uid : known) {
    if (!fresh.contains(uid)) remove_pod(uid, now);
  }
  for (const kube::Pod& pod : all.items) upsert_pod(pod, now);
  pods_listed_ = true;
}

void Coordinator::apply(kube::Upsert<kube::Pod> change, TimePoint now) { upsert_pod(change.item, now); }

void Coordinator::apply(kube::Remove<kube::Pod> change, TimePoint now) { remove_pod(change.last.uid, now); }

void Coordinator::upsert_pod(const kube::Pod& pod, TimePoint now) {
  const std::optional<GroupKey> key = books::group_of(pod, options_.scheduler_names);
  const auto before = member_of_.find(pod.uid);
  // An annotation was edited: the pod leaves the group it was in.
  if (before != member_of_.end() && (!key || before->second != *key)) remove_pod(pod.uid, now);
  if (!pod.node_name.empty()) touched_nodes_.insert(pod.node_name);
  if (!key) return books_.upsert_pod(pod, key);

  group::Member member = books::member_of(pod);
  keep_limits(*key, pod, member);
  books_.upsert_pod(pod, key, &member);
  if (nodes_listed_ && member.bound()) {
    see_node(member.node, now);
    member.fate = health_.fate(member.node);
  }
  auto found = groups_.find(*key);
  if (found == groups_.end()) {
    found = groups_.emplace(*key, Entry{Group(*key, options_.groups, now), std::nullopt}).first;
    answers_.set_group(*key, "", {});
    if (started_) found->second.group.resume(context(now));
  }
  if (member_of_.insert_or_assign(pod.uid, *key).second) answers_.set_member(pod.uid, *key);
  found->second.group.upsert(std::move(member), context(now));
}

// What goes beyond a limit makes the group a rejected one, with the reason on every member.
void Coordinator::keep_limits(const GroupKey& key, const kube::Pod& pod, group::Member& member) {
  const group::Limits& limits = options_.limits;
  const auto keep = [&](const Result<void>& fine) {
    if (!fine && member.spec) member.spec = tl::unexpected(fine.error());
    return fine.has_value();
  };
  if (member.spec) keep(group::check(*member.spec, limits));
  if (const auto found = groups_.find(key); found != groups_.end()) {
    const auto& members = found->second.group.members();
    keep(group::check_size(members.size() - members.count(pod.uid), limits));
  }
  const books::NodeSets& sets = books_.node_sets();
  if (sets.is_held_by(pod.ns, pod.node_set) || keep(group::check_node_sets(sets.held_by(pod.ns), limits)))
    member.node_set = books_.intern_node_set(pod.node_set);
}

void Coordinator::remove_pod(const std::string& uid, TimePoint now) {
  const auto found = member_of_.find(uid);
  if (found == member_of_.end()) return books_.remove_pod(uid);
  const GroupKey key = std::move(found->second);
  member_of_.erase(found);
  answers_.erase_member(uid);
  Group& group = groups_.at(key).group;
  group.remove(uid, context(now));
  books_.remove_pod(uid);
  if (!group.forgettable(now)) return;
  groups_.erase(key);
  answers_.erase_group(key);
  books_.forget_group(key);
}

// A group whose pods have all gone is remembered for a while when it had let go of them.
void Coordinator::forget_empty(TimePoint now) {
  for (auto entry = groups_.begin(); entry != groups_.end();) {
    const auto next = std::next(entry);
    if (entry->second.group.forgettable(now)) {
      answers_.erase_group(entry->first);
      books_.forget_group(entry->first);
      groups_.erase(entry);
    }
    entry = next;
  }
}

// --- kube-scheduler and the binder ------------------------------------------------------------------------

Group* Coordinator::group_of(const std::string& uid) {
  const auto found = member_of_.find(uid);
  return found == member_of_.end() ? nullptr : &groups_.at(found->second).group;
}

// Promise 1: before the pods are listed a member cannot be told from a pod of no group, and nothing is bound.
void Coordinator::bind_called(const extender::BindCall& call, uint64_t number, TimePoint now) {
  if (!synced() || !leading_) {
    commands_.push_back(group::AnswerBind{
        number, fail(ErrorCode::kUnavailable, "muster: {}",
                     leading_ ? "nodes and pods have not been listed yet" : "this is a standby")});
    return;
  }
  if (Group* group = group_of(call.uid)) return group->bind_called(call.uid, call.node, number, context(now));
  const auto before = foreign_calls_.find(call.uid);
  if (before != foreign_calls_.end()) {
    commands_.push_back(group::AnswerBind{
        before->second, fail(ErrorCode::kConflict, "muster: a later bind call took this one's place")});
  }
  foreign_calls_[call.uid] = number;
  commands_.push_back(
      group::Bind{{call.ns, call.name, call.uid}, call.node, "", {}, now + options_.bind_timeout});
}

void Coordinator::bind_abandoned(const std::string& uid, uint64_t number) {
  if (Group* group = group_of(uid)) group->bind_abandoned(uid, number);
  const auto foreign = foreign_calls_.find(uid);
  if (foreign != foreign_calls_.end() && foreign->second == number) foreign_calls_.erase(foreign);
}

void Coordinator::node_refused(const std::string& uid, const std::string& node, TimePoint now) {
  if (Group* group = group_of(uid)) group->node_refused(uid, node, context(now));
}

void Coordinator::done(const group::Command& command, const Result<void>& result, TimePoint now) {
  std::visit(
      [&](const auto& c) {
        if constexpr (requires { c.pod; }) report(c, result, now);
      },
      command);
}

void Coordinator::report(const group::Bind& bind, const Result<void>& result, TimePoint now) {
  const auto call = foreign_calls_.find(bind.pod.uid);
  if (bind.plan.empty() && call != foreign_calls_.end()) {
    commands_.push_back(group::AnswerBind{call->second, result});
    foreign_calls_.erase(call);
  }
  if (Group* group = group_of(bind.pod.uid)) group->bind_done(bind.pod.uid, bind.plan, result, context(now));
}

template <typename Other>
void Coordinator::report(const Other& command, const Result<void>& result, TimePoint now) {
  Group* group = group_of(command.pod.uid);
  if (!group) return;
  const std::string& uid = command.pod.uid;
  if constexpr (std::is_same_v<Other, group::Nominate>) {
    group->nominated(uid, command.plan, result, context(now));
  } else if constexpr (std::is_same_v<Other, group::Release>) {
    group->released(uid, command.plan, result, context(now));
  } else if constexpr (std::is_same_v<Other, group::Mark>) {
    group->marked(uid, result, context(now));
  } else if constexpr (std::is_same_v<Other, group::Evict>) {
    group->evicted(command, result, context(now));
  } else if constexpr (std::is_same_v<Other, group::SetReady>) {
    group->ready_set(command, result, context(now));
  }
}

// --- time and planning ------------------------------------------------------------------------------------

// Promise 3: first take up what was promised before a restart, then plan.
void Coordinator::start(TimePoint now) {
  started_ = true;
  recheck_touched(now);
  for (auto& [key, entry] : groups_) entry.group.resume(context(now));
}

void Coordinator::advance(TimePoint now) {
  if (!leading_) std::erase_if(commands_, is_said_by_the_leader);
  if (!synced() || !leading_) return;
  if (!started_) start(now);
  for (const std::string& node : health_.take_due(now)) tell_fate(node, now);
  bool emptied = false;
  for (auto& [key, entry] : groups_) {
    const std::optional<TimePoint> due = entry.group.next_timer();
    if (due && *due <= now) entry.group.tick(context(now));
    emptied = emptied || entry.group.forgettable(now);
  }
  if (emptied) forget_empty(now);
  plan(now);
  for (auto& [key, entry] : groups_) publish(key, entry);
  if (promises_published_ != books_.promises_version()) {
    promises_published_ = books_.promises_version();
    answers_.set_promises(books_.promises());
  }
}

// The queue: priority first, then age. A group that does not fit holds nothing, so those behind it may go
// ahead.
void Coordinator::plan(TimePoint now) {
  using Turn = std::tuple<int64_t, int64_t, GroupKey, Group*>;
  std::vector<Turn> queue;
  const uint64_t epoch = books_.room_epoch();
  for (auto& [key, entry] : groups_) {
    Group& group = entry.group;
    if (!group.wants_plan(now, epoch)) continue;
    queue.emplace_back(-int64_t{group.priority()}, group.creation_seconds(), key, &group);
  }
  if (queue.empty()) return;
  std::sort(queue.begin(), queue.end());
  group::Allowance allowance(options_.limits);
  // Counting what each namespace holds takes a look at every member; most of the time the sum is small
  // enough.
  std::size_t at_most = books_.reservation_count();
  for (const Turn& turn : queue) at_most += std::get<Group*>(turn)->members().size();
  if (at_most > options_.limits.held_members) {
    for (const auto& [uid, node] : books_.reservations()) {
      if (const auto found = member_of_.find(uid); found != member_of_.end())
        allowance.holds(found->second.ns, 1);
    }
  }
  for (const Turn& turn : queue) {
    Group& group = *std::get<Group*>(turn);
    const GroupKey& key = std::get<GroupKey>(turn);
    Entry& entry = groups_.at(key);
    const auto why = allowance.refuse(key.ns, group.members().size());
    if (why) {
      tell_limit(entry, *why);
      continue;
    }
    entry.limit_told.clear();
    ++plans_;
    const std::size_t before = books_.reservation_count();
    group.plan(context(now), epoch);
    if (books_.reservation_count() > before) allowance.planned(key.ns, books_.reservation_count() - before);
  }
}

// Once, until it has been planned.
void Coordinator::tell_limit(Entry& entry, const std::string& why) {
  if (!std::exchange(entry.limit_told, why).empty()) return;
  for (const auto& [uid, member] : entry.group.members())
    commands_.push_back(group::Tell{member.pod, "LimitReached", why, true});
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

void Coordinator::publish(const GroupKey& key, Entry& entry) {
  Group& group = entry.group;
  if (entry.published == group.version()) return;
  entry.published = group.version();
  answers_.set_group(key, group.reason(), shield_of(group));
  for (const std::string& uid : group.take_moved()) {
    const auto member = member_of_.find(uid);
    if (member != member_of_.end() && member->second == key) answers_.set_node(uid, group.planned_node(uid));
  }
}

std::optional<TimePoint> Coordinator::next_timer() const {
  std::optional<TimePoint> next;
  if (!started_) return next;
  for (const auto& [key, entry] : groups_) {
    const std::optional<TimePoint> due = entry.group.next_timer();
    if (due && (!next || *due < *next)) next = due;
  }
  const std::optional<TimePoint> node_due = health_.next_timer();
  if (node_due && (!next || *node_due < *next)) next = node_due;
  return next;
}

group::Commands Coordinator::take_commands() { return std::exchange(commands_, {}); }

Counts Coordinator::counts() const {
  Counts counts;
  for (const auto& [key, entry] : groups_) {
    if (!entry.group.empty()) ++counts.groups[entry.group.state()];
  }
  counts.nodes = books_.node_count();
  counts.reservations = books_.reservation_count();
  counts.plans = plans_;
  counts.steps = books_.steps();
  return counts;
}

const Group* Coordinator::find(const GroupKey& key) const {
  const auto found = groups_.find(key);
  return found == groups_.end() ? nullptr : &found->second.group;
}

}  // namespace muster::engine
