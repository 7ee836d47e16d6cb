#include "engine/plan_queue.h"

namespace muster::engine {
namespace {

template <typename Turns>
std::vector<group::Group*> groups_of(const Turns& turns) {
  std::vector<group::Group*> groups;
  groups.reserve(turns.size());
  for (const auto& [turn, group] : turns) groups.push_back(group);
  return groups;
}

}  // namespace

void PlanQueue::put(group::Group& group, bool refused) {
  Turn turn{-int64_t{group.priority()}, group.creation_seconds(), group.key()};
  const auto known = places_.find(group.key());
  if (known != places_.end()) {
    if (known->second.turn == turn && known->second.refused == refused) return;
    remove(group.key());
  }
  all_.emplace(turn, &group);
  if (!refused) not_refused_.emplace(turn, &group);
  places_.emplace(group.key(), Place{std::move(turn), refused});
}

void PlanQueue::remove(const group::GroupKey& key) {
  const auto known = places_.find(key);
  if (known == places_.end()) return;
  all_.erase(known->second.turn);
  not_refused_.erase(known->second.turn);
  places_.erase(known);
}

std::vector<group::Group*> PlanQueue::all() const { return groups_of(all_); }

std::vector<group::Group*> PlanQueue::not_refused() const { return groups_of(not_refused_); }

}  // namespace muster::engine
