// Exclusive use: what the charges of an owner ask for, shown to the core as one claim.
#include <algorithm>

#include "books/books.h"
#include "group/quorum.h"

namespace muster::books {

bool Books::claims_otherwise(const Pod& pod, const group::GroupKey& key, const group::Member& member) {
  const std::optional<Charge>& charge = pod.second.charge;
  if (!charge || charge->reserved || !member.spec) return false;
  const group::Tenure tenure = group::tenure_of(*member.spec, member.subgroup);
  return charge->exclusive != tenure.level || charge->owner != owner_of(key, tenure.subgroup);
}

void Books::count_claim(const Charge& charge, int sign) {
  if (charge.exclusive.empty()) return;
  auto& levels = claims_[charge.owner];
  uint32_t& charges = levels[charge.exclusive];
  charges += static_cast<uint32_t>(sign);
  if (charges == 0) levels.erase(charge.exclusive);
  if (levels.empty()) claims_.erase(charge.owner);
  show_claim(charge.owner);
}

// While an edit has reached some of the members, the coarsest level of theirs counts: levels are numbered
// from coarse to fine.
void Books::show_claim(OwnerId owner) {
  if (stale_) return;
  LevelId claimed = kClusterLevel;
  if (const auto levels = claims_.find(owner); levels != claims_.end()) {
    for (const auto& [name, charges] : levels->second) {
      const auto level = state_.topology().find_level(name);
      if (level) claimed = claimed == kClusterLevel ? *level : std::min(claimed, *level);
    }
  }
  state_.set_claim(owner, claimed);
}

}  // namespace muster::books
