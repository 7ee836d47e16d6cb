#include "engine/coordinator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "group/quorum.h"

namespace muster::engine {

using group::Group;
using group::GroupKey;

namespace {

// What cannot be read claims what it did.
bool claims_the_same(const group::Member& before, const group::Member& member) {
  if (!member.spec || (before.spec == member.spec && before.subgroup == member.subgroup)) return true;
  if (!before.spec) return false;
  const group::Tenure had = group::tenure_of(*before.spec, before.subgroup);
  const group::Tenure has = group::tenure_of(*member.spec, member.subgroup);
  return had.subgroup == has.subgroup && had.level == has.level;
}

CoordinatorOptions with_limits_of_groups(CoordinatorOptions options) {
  options.groups.most_members = options.limits.members_per_group;
  return options;
}

// What the books keep of a member changes with few of its events.
bool stays_in_books(const group::Member& before, const group::Member& member) {
  return before.node == member.node && before.ended() == member.ended() &&
         before.node_set == member.node_set && before.demand == member.demand &&
         claims_the_same(before, member);
}

}  // namespace

Coordinator::Coordinator(CoordinatorOptions options, std::function<std::string()> new_plan_id,
                         Answers& answers)
    : options_(with_limits_of_groups(std::move(options))),
      new_plan_id_(std::move(new_plan_id)),
      answers_(answers),
      books_(options_.trees, options_.solving),
      health_(options_.node_grace, options_.absent_grace),
      leading_(options_.leading) {}

group::Context Coordinator::context(TimePoint now) {
  return {now, books_, progress_, new_plan_id_, commands_};
}

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
    forget_if_left(node);
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
  if (!known) forget_if_left(node);
}

// A node that is gone, and whose last pod is: what was known of it is not kept for another one of its name.
void Coordinator::forget_if_left(const std::string& node) {
  if (!books_.is_used(node) && !books_.find_node(node)) health_.forget(node);
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

void Coordinator::apply(kube::Replace<kube::Pod>&& all, TimePoint now) {
  std::set<std::string> fresh;
  for (const kube::Pod& pod : all.items) fresh.insert(pod.uid);
  std::vector<std::string> known = books_.bound_uids();
  for (const auto& [uid, entry] : member_of_) known.push_back(uid);
  for (const std::string& uid : known) {
    if (!fresh.contains(uid)) remove_pod(uid, now);
  }
  for (kube::Pod& pod : all.items) upsert_pod(std::move(pod), now);
  pods_listed_ = true;
}

void Coordinator::apply(kube::Upsert<kube::Pod>&& change, TimePoint now) {
  upsert_pod(std::move(change.item), now);
}

void Coordinator::apply(const kube::Remove<kube::Pod>& change, TimePoint now) {
  remove_pod(change.last.uid, now);
}

void Coordinator::upsert_pod(kube::Pod&& pod, TimePoint now) {
  const std::optional<GroupKey> key = books::group_of(pod, options_.scheduler_names);
  const auto before = member_of_.find(pod.uid);
  Entry* entry = before == member_of_.end() ? nullptr : before->second;
  if (entry && (!key || entry->group.key() != *key)) {  // an annotation was edited: it leaves its group
    remove_pod(pod.uid, now);
    entry = nullptr;
  }
  if (!pod.node_name.empty()) touched_nodes_.insert(pod.node_name);
  if (!key) return books_.upsert_pod(pod);

  if (!entry) member_of_[pod.uid] = entry = &entry_of(*key, now);
  touch(*entry);
  Group& group = entry->group;
  group::SharedSpec spec = entry->specs.read(pod.annotations);
  const kube::NodeSet node_set = std::move(pod.node_set);
  std::unique_ptr<group::Member> made(new group::Member(books::member_of(std::move(pod), std::move(spec))));
  group::Member& member = *made;
  const auto found = group.members().find(member.pod.uid);
  const group::Member* known = found == group.members().end() ? nullptr : &found->second;
  if (member.spec) group::reject_unless(group::check(*member.spec, options_.limits), member);
  member.node_set = node_set_of(known, node_set, member);
  if (!known || !stays_in_books(*known, member)) books_.upsert_member(*key, member);
  if (nodes_listed_ && member.bound()) {
    see_node(member.node, now);
    member.fate = health_.fate(member.node);
  }
  if (!known || known->subgroup != member.subgroup)
    answers_.set_member(member.pod.uid, *key, member.subgroup);
  group.upsert(std::move(made), context(now));
  let_in(key->ns, now);
}

Coordinator::Entry& Coordinator::entry_of(const GroupKey& key, TimePoint now) {
  const auto found = groups_.find(key);
  if (found != groups_.end()) return found->second;
  Entry& entry = groups_.emplace(key, Entry{Group(key, options_.groups, now)}).first->second;
  answers_.set_group(key, "", {});
  if (started_) entry.group.resume(context(now));
  return entry;
}

// Most events leave the node set of the member as it was.
NodeSetId Coordinator::node_set_of(const group::Member* before, const kube::NodeSet& node_set,
                                   group::Member& member) {
  const books::NodeSets& sets = books_.node_sets();
  const NodeSetId held = before ? before->node_set : kEveryHost;
  if (held != kEveryHost && sets.at(held) == node_set) return held;
  const std::string& ns = member.pod.ns;
  forget_refused(ns, member.pod.uid);
  if (const NodeSetId known = sets.held_by(ns, node_set); known != kEveryHost) return known;
  const Result<void> fine = group::check_node_sets(sets.held_by(ns), options_.limits);
  if (fine) return books_.intern_node_set(node_set);
  refused_[ns].emplace(member.pod.uid, Refused{node_set, member.spec});
  group::reject_unless(fine, member);
  return kEveryHost;
}

// Members that were refused, as soon as others have left room for their node sets.
void Coordinator::let_in(const std::string& ns, TimePoint now) {
  const auto waiting = refused_.find(ns);
  const books::NodeSets& sets = books_.node_sets();
  const auto full = [&] { return !group::check_node_sets(sets.held_by(ns), options_.limits); };
  if (waiting == refused_.end() || full()) return;
  std::vector<std::string> uids;
  for (const auto& [uid, refused] : waiting->second) uids.push_back(uid);
  for (const std::string& uid : uids) {
    const Refused& refused = refused_.at(ns).at(uid);
    if (full() && sets.held_by(ns, refused.node_set) == kEveryHost) continue;
    Entry& entry = *member_of_.at(uid);
    std::unique_ptr<group::Member> member(new group::Member(entry.group.members().at(uid)));
    member->spec = refused.spec;
    member->node_set = books_.intern_node_set(refused.node_set);
    forget_refused(ns, uid);
    books_.upsert_member(entry.group.key(), *member);
    touch(entry);
    entry.group.upsert(std::move(member), context(now));
  }
}

void Coordinator::forget_refused(const std::string& ns, const std::string& uid) {
  const auto refused = refused_.find(ns);
  if (refused == refused_.end()) return;
  refused->second.erase(uid);
  if (refused->second.empty()) refused_.erase(refused);
}

void Coordinator::remove_pod(const std::string& uid, TimePoint now) {
  if (const std::string node = books_.node_of(uid); !node.empty()) touched_nodes_.insert(node);
  const auto found = member_of_.find(uid);
  if (found == member_of_.end()) return books_.remove_pod(uid);
  Entry& entry = *found->second;
  const std::string ns = entry.group.key().ns;
  forget_refused(ns, uid);
  member_of_.erase(found);
  answers_.erase_member(uid);
  touch(entry);
  entry.group.remove(uid, context(now));
  books_.remove_pod(uid);
  forget_if_empty(entry, now);
  let_in(ns, now);
}

// A group whose pods have all gone is remembered for a while when it had let go of them.
void Coordinator::forget_if_empty(Entry& entry, TimePoint now) {
  if (!entry.group.forgettable(now)) return;
  const GroupKey key = entry.group.key();
  count(entry, std::nullopt);
  timers_.set(key, std::nullopt);
  queue_.remove(key);
  answers_.erase_group(key);
  books_.forget_group(key);
  // It is near the end, where its last pod's event has put it.
  if (entry.touched) touched_.erase(std::prev(std::find(touched_.rbegin(), touched_.rend(), &entry).base()));
  groups_.erase(key);
}

// --- kube-scheduler and the binder ------------------------------------------------------------------------

Group* Coordinator::group_of(const std::string& uid) {
  const auto found = member_of_.find(uid);
  if (found == member_of_.end()) return nullptr;
  touch(*found->second);
  return &found->second->group;
}

void Coordinator::touch(Entry& entry) {
  if (!std::exchange(entry.touched, true)) touched_.push_back(&entry);
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
  commands_.push_back(group::Bind{
      {call.ns, call.name, call.uid}, call.node, "", {}, now + options_.bind_timeout, "", call.caller});
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

}  // namespace muster::engine
