// Subgroups that spread, against every other way to place them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <optional>

#include "generator.h"
#include "muster/checker.h"
#include "muster/solver.h"

using namespace muster;
using namespace muster::test;

namespace {

// All ways to place the members of one subgroup in a domain, everybody else where the placement has them.
class OtherPlacements {
 public:
  OtherPlacements(const Instance& instance, const std::vector<Assignment>& placement, uint32_t subgroup)
      : request_(instance.request), state_(instance.state), placement_(placement) {
    for (std::size_t i = 0; i < placement_.size(); ++i)
      if (is_within(request_, request_.members[placement_[i].member].subgroup, subgroup)) own_.push_back(i);
    for (const Member& member : request_.members)
      if (member.bound != kNoHost && is_within(request_, member.subgroup, subgroup))
        bound_.push_back(member.bound);
    if (!own_.empty()) find_domain(subgroup);
  }

  // Worth a search, and a short one.
  [[nodiscard]] bool tellable() const { return own_.size() >= 2 && own_.size() <= 5 && below_.has_value(); }

  // Members in the domain right below that has most of them.
  [[nodiscard]] uint32_t fullest() const {
    std::map<DomainId, uint32_t> members;
    for (const HostIndex host : bound_) ++members[part(host)];
    for (const std::size_t i : own_) ++members[part(placement_[i].host)];
    uint32_t most = 0;
    for (const auto& [domain, count] : members) most = std::max(most, count);
    return most;
  }

  // Whether the members can be placed with at most so many in each.
  bool can_be(uint32_t most) {
    std::map<DomainId, uint32_t> members;
    for (const HostIndex host : bound_)
      if (++members[part(host)] > most) return false;
    return place(0, most, members);
  }

 private:
  // The domain that holds the subgroup, and the level right below it.
  void find_domain(uint32_t subgroup) {
    const Topology& topology = state_.topology();
    uint32_t held = subgroup;
    while (held != 0 && request_.subgroups[held].required.empty()) held = request_.subgroups[held].parent;
    const SubGroup& holder = request_.subgroups[held];
    const LevelId own = holder.required.empty() ? kClusterLevel : *topology.find_level(holder.required);
    domain_ = topology.domain_of(placement_[own_.front()].host, own);
    for (const LevelId level : topology.tree_levels(0))
      if (level != own && topology.nests(own, level) && !below_) below_ = level;
  }

  [[nodiscard]] DomainId part(HostIndex host) const { return state_.topology().domain_of(host, *below_); }

  bool place(std::size_t next, uint32_t most, std::map<DomainId, uint32_t>& members) {
    if (next == own_.size()) return check_placement(request_, placement_, state_).has_value();
    for (const HostIndex host : state_.topology().hosts(domain_)) {
      if (members[part(host)] >= most) continue;
      ++members[part(host)];
      placement_[own_[next]].host = host;
      if (place(next + 1, most, members)) return true;
      --members[part(host)];
    }
    return false;
  }

  const PlacementRequest& request_;
  const ClusterState& state_;
  std::vector<Assignment> placement_;
  std::vector<std::size_t> own_;  // of the placement
  std::vector<HostIndex> bound_;
  DomainId domain_ = kNoDomain;
  std::optional<LevelId> below_;
};

// Leaves one subgroup that spreads, the last that wants to, and no level preferred, which speaks against it.
// 0: none spreads.
uint32_t keep_one_spreading(PlacementRequest& request) {
  uint32_t kept = 0;
  for (auto i = static_cast<uint32_t>(request.subgroups.size()); i-- > 0;) {
    SubGroup& it = request.subgroups[i];
    it.preferred.clear();
    if (kept == 0 && it.placement == Strategy::kSpread)
      kept = i;
    else
      it.placement = Strategy::kPack;
  }
  return kept;
}

}  // namespace

TEST_CASE("spread: a subgroup's fullest domain is as empty as can be with all others where they are") {
  uint32_t compared = 0;
  uint32_t apart = 0;
  for (const Shape shape : {Shape::kSubGroups, Shape::kNested, Shape::kExclusive, Shape::kAnything}) {
    for (uint64_t seed = 2'000'000; seed < 2'001'500; ++seed) {
      Instance instance = make_instance(shape, seed);
      const uint32_t subgroup = keep_one_spreading(instance.request);
      if (subgroup == 0) continue;
      const Verdict verdict = solve(instance.request, instance.state);
      const auto* fits = std::get_if<Fits>(&verdict);
      if (fits == nullptr || fits->placed + fits->bound < fits->wanted) continue;
      OtherPlacements others(instance, fits->placement, subgroup);
      if (!others.tellable()) continue;
      const uint32_t fullest = others.fullest();
      INFO(to_string(shape) << " seed " << seed << " subgroup " << subgroup << dump(instance));
      CHECK_FALSE(others.can_be(fullest - 1));
      ++compared;
      if (fullest > 1) ++apart;
    }
  }
  CHECK(compared > 200);
  CHECK(apart > 50);
}
