#include "engine/answers.h"

#include <mutex>
#include <utility>

namespace muster::engine {

void Answers::set_group(const group::GroupKey& key, std::string reason, int64_t spare) {
  const std::unique_lock lock(mutex_);
  auto& words = groups_[key];
  if (!words) words = std::make_shared<GroupWords>();
  words->reason = std::move(reason);
  words->spare = spare;
}

void Answers::erase_group(const group::GroupKey& key) {
  const std::unique_lock lock(mutex_);
  groups_.erase(key);
}

void Answers::set_member(const std::string& uid, const group::GroupKey& key) {
  const std::unique_lock lock(mutex_);
  members_[uid].group = groups_.at(key);
}

void Answers::set_node(const std::string& uid, const std::string* node) {
  const std::unique_lock lock(mutex_);
  const auto found = members_.find(uid);
  if (found != members_.end()) found->second.node = node ? *node : std::string();
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

extender::FilterDecision Answers::member(const std::string& uid) const {
  const std::shared_lock lock(mutex_);
  const auto found = members_.find(uid);
  if (found == members_.end()) return extender::Held{"muster: this pod has not been seen yet"};
  const Entry& entry = found->second;
  if (entry.node.empty()) return extender::Held{"muster: " + entry.group->reason};
  return extender::Planned{entry.node};
}

std::shared_ptr<const extender::Promises> Answers::promises() const {
  const std::shared_lock lock(mutex_);
  return promises_;
}

bool Answers::expendable(const std::vector<std::string>& uids) const {
  const std::shared_lock lock(mutex_);
  std::unordered_map<const GroupWords*, int64_t> lost;
  for (const std::string& uid : uids) {
    const auto found = members_.find(uid);
    if (found == members_.end()) continue;
    const GroupWords* words = found->second.group.get();
    if (++lost[words] > words->spare) return false;
  }
  return true;
}

}  // namespace muster::engine
