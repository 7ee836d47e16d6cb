// What a Muster that starts makes of a group that lacks members.
//
// Who completes and is cleaned up while nobody looks leaves nothing behind, and neither does who is deleted.
// The members that run are never made to go for want of a pod that nobody has seen, so whoever is neither
// here nor seen lost is taken to have completed. docs/failure-domain.md says what follows from that.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "group/group.h"
#include "group/quorum.h"

namespace muster::group {
namespace {

using Numbers = std::map<std::string, uint32_t>;  // by subgroup

bool is_here(const Member& member) { return member.available() || member.live() || member.succeeded; }

// Of one that has ended and is going nobody can say whether it was stopped.
bool is_lost(const Member& member) {
  const bool leaves = member.failed && member.terminating;
  return member.bound() && !member.live() && !member.succeeded && !leaves;
}

// Ranks below the highest that nobody has: those who had them have left, and none of those that wait, whom a
// rank of their own shows to be others, can be there in their place.
uint32_t vacant_ranks(const Members& members) {
  std::set<int64_t> ranks;
  int64_t without = 0;  // they may have any
  for (const auto& [uid, member] : members) {
    if (!is_here(member) && !is_lost(member)) continue;
    const bool has_own = member.index && ranks.insert(*member.index).second;
    without += !has_own && member.available();
  }
  if (ranks.empty()) return 0;
  const int64_t vacant = *ranks.rbegin() + 1 - static_cast<int64_t>(ranks.size());
  return static_cast<uint32_t>(std::max<int64_t>(vacant - without, 0));
}

}  // namespace

// Members that are lost, and whose rank nobody has taken since.
std::map<std::string, uint32_t> Group::left_open() const {
  std::set<int64_t> taken;
  for (const auto& [uid, member] : members_) {
    if (member.index && is_here(member)) taken.insert(*member.index);
  }
  Numbers open;
  for (const auto& [uid, member] : members_) {
    if (is_lost(member) && member.index && taken.insert(*member.index).second) ++open[member.subgroup];
  }
  return open;
}

// What is lost, or waits to replace it, accounts for what is missing, except where ranks are vacant beside
// theirs.
void Group::suppose_completed() {
  Tally accounted = census_.standing_or_waiting(true);
  for (const auto& [path, count] : left_open()) accounted.have[path] += count;
  Numbers supposed = shortfall(spec(), std::move(accounted));
  uint32_t vacant = vacant_ranks(members_);
  for (const auto& [path, most] : shortfall(spec(), census_.standing(true))) {
    const uint32_t here = std::max(supposed[path], std::min(most, vacant));
    vacant -= std::min(vacant, here);
    supposed[path] = here;
  }
  census_.suppose(supposed);
}

// Somebody is bound. A newcomer shows that one of those was lost and is replaced, or that it is not needed.
void Group::review_supposed() {
  if (census_.unseen() == 0) return;
  Numbers supposed = census_.take_back_supposed();
  const Numbers still = shortfall(spec(), census_.standing(true));
  for (auto& [path, count] : supposed) {
    const auto most = still.find(path);
    count = std::min(count, most == still.end() ? 0 : most->second);
  }
  census_.suppose(supposed);
}

}  // namespace muster::group
