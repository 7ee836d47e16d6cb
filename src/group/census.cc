#include "group/census.h"

#include <algorithm>
#include <utility>

namespace muster::group {
namespace {

bool counts_the_same(const Member& a, const Member& b) {
  return a.available() == b.available() && a.live() == b.live() && a.evictable() == b.evictable() &&
         a.ended() == b.ended() && a.succeeded == b.succeeded && a.ready() == b.ready() &&
         a.terminating == b.terminating && a.readiness_gate == b.readiness_gate && a.subgroup == b.subgroup &&
         a.controller_uid == b.controller_uid;
}

}  // namespace

// Most events of a member change none of the numbers.
void Census::change(const Member& before, const Member& now, bool past) {
  if (counts_the_same(before, now)) return;
  take_out(before, past);
  add(now, past);
}

void Census::count(const Member& member, bool past, int sign) {
  const auto add = [&](uint32_t& number, bool counts) { number += static_cast<uint32_t>(sign * counts); };
  const bool ended = member.ended() && !past;
  const bool done = ended && member.succeeded;
  const bool stays = !member.ended() && !member.terminating;
  add(staying_, stays);
  add(available_, member.available());
  add(live_, member.live());
  add(bare_, member.live() && member.controller_uid.empty());
  add(evictable_, member.evictable());
  add(ended_, ended);
  add(succeeded_, done);
  add(ready_, member.ready());
  add(gated_, member.readiness_gate);

  Place& place = places_[member.subgroup];
  add(place.live, member.live());
  add(place.succeeded, done);
  add(place.waiting, member.available());
  add(place.ready, member.ready());
  add(place.staying, stays);

  if (member.controller_uid.empty() || !(ended || member.available())) return;
  Generation& pods = controllers_[member.controller_uid];
  add(pods.ended, ended);
  add(pods.available, member.available());
  if (pods.ended + pods.gone + pods.available == 0) controllers_.erase(member.controller_uid);
}

void Census::outlive(const Member& member) {
  if (!member.controller_uid.empty()) ++controllers_[member.controller_uid].gone;
  ++places_[member.subgroup].gone;
  ++gone_;
}

void Census::suppose(const std::map<std::string, uint32_t>& unseen) {
  for (const auto& [path, count] : unseen) {
    places_[path].gone += count;
    places_[path].unseen += count;
    gone_ += count;
    unseen_ += count;
  }
}

std::map<std::string, uint32_t> Census::take_back_supposed() {
  std::map<std::string, uint32_t> supposed;
  for (auto& [path, place] : places_) {
    if (place.unseen == 0) continue;
    supposed[path] = place.unseen;
    place.gone -= std::exchange(place.unseen, 0);
  }
  gone_ -= std::exchange(unseen_, 0);
  return supposed;
}

void Census::forget_gone() {
  unseen_ = 0;
  if (std::exchange(gone_, 0) == 0) return;
  for (auto& [path, place] : places_) place.gone = place.unseen = 0;
  for (auto& [uid, pods] : controllers_) pods.gone = 0;
  std::erase_if(controllers_,
                [](const auto& entry) { return entry.second.ended + entry.second.available == 0; });
}

bool Census::replaces() const {
  return std::any_of(controllers_.begin(), controllers_.end(), [](const auto& entry) {
    return entry.second.ended + entry.second.gone > 0 && entry.second.available > 0;
  });
}

std::map<std::string, uint32_t> Census::completed_by_subgroup() const {
  std::map<std::string, uint32_t> completed;
  for (const auto& [path, place] : places_) {
    if (place.completed() > 0) completed[path] = place.completed();
  }
  return completed;
}

Tally Census::tally(uint32_t Place::* have, uint32_t Place::* also, bool has_stood) const {
  Tally tally;
  for (const auto& [path, place] : places_) {
    tally.have[path] = place.*have + (also ? place.*also : 0) + place.completed();
    tally.exist[path] = place.staying + place.completed();
    if (has_stood) tally.late[path] = place.waiting;
  }
  return tally;
}

}  // namespace muster::group
