#include "group/agreement.h"

#include <algorithm>

namespace muster::group {
namespace {

const Member* find_speaker(const Members& members, const std::string& uid) {
  const auto found = members.find(uid);
  return found != members.end() && speaks(found->second) ? &found->second : nullptr;
}

// The first from `start` on, around the end, that satisfies `wanted`. Starting behind the last reference
// makes the search short when members go in order.
template <typename Wanted>
const Member* find_around(const Members& members, const std::string& start, const Wanted& wanted) {
  const auto fits = [&](const auto& entry) { return speaks(entry.second) && wanted(entry.second); };
  const auto from = members.upper_bound(start);
  auto found = std::find_if(from, members.end(), fits);
  if (found != members.end()) return &found->second;
  found = std::find_if(members.begin(), from, fits);
  return found != from ? &found->second : nullptr;
}

}  // namespace

bool speaks(const Member& member) { return !member.ended() && !member.terminating; }

bool Agreement::agrees(const Member& member) const {
  return !reference_.empty() && member.spec && member.spec == spec_;
}

void Agreement::listen(const std::string& uid, const Member* speaker) {
  if (speaker && !agrees(*speaker)) {
    dissenters_.insert(uid);
  } else {
    dissenters_.erase(uid);
  }
}

void Agreement::heard(const Members& members, const std::string& uid) {
  const Member* speaker = find_speaker(members, uid);
  const bool lost = uid == reference_ && !(speaker && agrees(*speaker));
  const bool first = reference_.empty() && speaker && speaker->spec;
  if (lost || first) choose_reference(members);
  listen(uid, speaker);
  put_into_words(members);
}

// Somebody who still asks for the same is preferred: then nothing changes for the others.
void Agreement::choose_reference(const Members& members) {
  const auto same = [&](const Member& m) { return agrees(m); };
  const auto any = [](const Member& m) { return m.spec.has_value(); };
  if (const Member* other = find_around(members, reference_, same)) {
    reference_ = other->pod.uid;
    return;
  }
  const Member* other = find_around(members, reference_, any);
  reference_ = other ? other->pod.uid : "";
  if (other) spec_ = other->spec;
  for (const auto& [uid, member] : members) listen(uid, speaks(member) ? &member : nullptr);
}

// The same dissenter is named until it is mended, so that the words do not change with every event.
void Agreement::put_into_words(const Members& members) {
  if (!dissenters_.contains(dissenter_)) dissenter_ = dissenters_.empty() ? "" : *dissenters_.begin();
  dissent_.clear();
  if (dissenter_.empty()) return;
  const Member& member = members.at(dissenter_);
  if (!member.spec) {
    dissent_ = "pod " + member.pod.name + ": " + member.spec.error().message;
    return;
  }
  dissent_ = "the members disagree: pod " + member.pod.name + ": " + difference(*member.spec, *spec_) +
             " (pod " + members.at(reference_).pod.name + ")";
}

}  // namespace muster::group
