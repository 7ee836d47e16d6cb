#include "engine/answers.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "group/commands.h"

namespace muster::engine {
namespace {

// Whether the group reaches its minima without so many members of its subgroups.
bool stands_without(const Shield& shield, const std::map<std::string, uint32_t>& lost) {
  int64_t all = 0;
  for (const auto& [subgroup, count] : lost) all += count;
  if (all > shield.spare) return false;
  if (!shield.minima) return true;
  group::Tally left = shield.minima->standing;
  for (const auto& [subgroup, count] : lost) {
    uint32_t& have = left.have[subgroup];
    have -= std::min(have, count);
  }
  return !group::missing(shield.minima->spec, left);
}

}  // namespace

void Answers::set_group(const group::GroupKey& key, std::string reason, Shield shield) {
  const std::unique_lock lock(mutex_);
  auto& words = groups_[key];
  if (!words) words = std::make_shared<GroupWords>();
  words->reason = std::move(reason);
  words->shield = std::move(shield);
}

void Answers::erase_group(const group::GroupKey& key) {
  const std::unique_lock lock(mutex_);
  groups_.erase(key);
}

void Answers::set_member(const std::string& uid, const group::GroupKey& key, const std::string& subgroup) {
  const std::unique_lock lock(mutex_);
  Entry& entry = members_[uid];
  entry.group = groups_.at(key);
  entry.subgroup = subgroup;
}

void Answers::set_node(const std::string& uid, const std::string* node, const std::string& plan) {
  const std::unique_lock lock(mutex_);
  const auto found = members_.find(uid);
  if (found == members_.end()) return;
  found->second.planned = node ? extender::Planned{*node, plan} : extender::Planned{};
}

void Answers::erase_member(const std::string& uid) {
  const std::unique_lock lock(mutex_);
  members_.erase(uid);
}

void Answers::set_promises(extender::Promises promises) {
  auto fresh = std::make_shared<const extender::Promises>(std::move(promises));
  const std::unique_lock lock(mutex_);
  promises_ = std::move(fresh);
}

bool Answers::knows(const std::string& uid) const {
  const std::shared_lock lock(mutex_);
  return members_.contains(uid);
}

extender::FilterDecision Answers::member(const std::string& uid, const std::string& carried) const {
  const std::shared_lock lock(mutex_);
  const auto found = members_.find(uid);
  if (found == members_.end()) return extender::Held{"muster: this pod has not been seen yet"};
  const Entry& entry = found->second;
  if (entry.planned.node.empty()) return extender::Held{"muster: " + entry.group->reason};
  extender::Planned planned = entry.planned;
  planned.known = group::is_of_plan(carried, planned.plan);
  return planned;
}

std::shared_ptr<const extender::Promises> Answers::promises() const {
  const std::shared_lock lock(mutex_);
  return promises_;
}

bool Answers::expendable(const std::vector<std::string>& uids, int32_t priority) const {
  const std::shared_lock lock(mutex_);
  std::unordered_map<const GroupWords*, std::map<std::string, uint32_t>> lost;  // by group and subgroup
  for (const std::string& uid : uids) {
    const auto found = members_.find(uid);
    if (found != members_.end()) ++lost[found->second.group.get()][found->second.subgroup];
  }
  return std::all_of(lost.begin(), lost.end(), [&](const auto& entry) {
    const Shield& shield = entry.first->shield;
    return (shield.broken_above && *shield.broken_above < priority) || stands_without(shield, entry.second);
  });
}

}  // namespace muster::engine
