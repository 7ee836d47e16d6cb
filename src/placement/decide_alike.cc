// Subgroups that are all alike (T2 over mixes): a domain holds as many as its hosts have room for together,
// and these numbers add up. They are first bounded from above by counts; only where the packing wants to use
// them are they made exact, by a quick packer or, where that falls short, by the frontier.
#include <algorithm>
#include <optional>

#include "placement/alike_subgroups.h"
#include "placement/class_packer.h"
#include "placement/decision.h"
#include "placement/frontier.h"
#include "placement/sizes.h"

namespace muster::placement {
namespace {

class AlikeDecision {
 public:
  AlikeDecision(Search& search, AlikeSubGroups groups)
      : search_(search),
        problem_(search.problem),
        groups_(std::move(groups)),
        units_(groups_.nodes.size() / groups_.nodes_each),
        classes_(problem_, all_members(problem_)),
        packer_(classes_),
        bounds_(upper_bounds()),
        known_(bounds_.size(), 0),
        rooms_(problem_, groups_.tiers, bounds_) {}

  Outcome run() {
    Outcome outcome;
    outcome.code = NoCode::kSubGroups;
    for (const LevelId level : problem_.ladder) {
      for (;;) {
        const BestDomain best = best_in(level);
        if (best.domain == kNoDomain) break;
        const Answer answer = try_on(rooms_.innermost(best.packing.units, search_.quality), outcome.slots);
        if (answer == Answer::kNo) continue;  // counts were corrected
        outcome.answer = answer;
        outcome.domain = best.domain;
        return outcome;
      }
    }
    if (inexact_) outcome.answer = Answer::kOpen;
    return outcome;
  }

 private:
  static Wanted all_members(const Problem& problem) {
    Wanted wanted;
    for (const Kind& kind : problem.kinds) wanted.count.push_back(kind.count);
    return wanted;
  }

  BestDomain best_in(LevelId level) {
    const Units outer = rooms_.outer();
    std::vector<DomainId> domains = candidates(problem_, level);
    std::erase_if(domains, [&](DomainId domain) { return outer.room(domain) < groups_.outer; });
    if (domains.empty()) return {};
    return best_domain(problem_, outer, domains, groups_.outer, search_.quality);
  }

  // Innermost units that each domain of their level holds at most.
  std::vector<int64_t> upper_bounds() {
    const DomainRange range = problem_.topology.domains(groups_.tiers.back().level);
    const std::optional<Sizes> sizes = Sizes::of(problem_);
    std::vector<int64_t> bounds(range.last, 0);
    for (uint32_t i = range.first; i < range.last; ++i) {
      const auto domain = static_cast<DomainId>(i);
      int64_t bound = static_cast<int64_t>(units_);
      for (std::size_t k = 0; k < classes_.kinds() && bound > 0; ++k)
        bound = std::min(bound, classes_.rooms(k).domain(domain) / groups_.need[classes_.kind(k)]);
      if (sizes && bound > 0) bound = std::min(bound, sizes->shares(domain, static_cast<int64_t>(units_)));
      bounds[i] = bound;
    }
    return bounds;
  }

  // The packing on real hosts. kNo: some domain holds less than it was thought to, which is known now.
  Answer try_on(const std::vector<UnitCount>& used, std::vector<Slot>& slots) {
    constexpr int kRounds = 16;
    if (!search_.budget.spend(used.size())) return Answer::kOpen;
    slots.clear();
    slots.reserve(problem_.pending);
    const std::vector<UnitCount> domains = one_each(used);
    // At first the bounds are trusted; once they were wrong, all that is used is looked at before anything is
    // written; and when that takes too long, all there is.
    ++rounds_;
    if (rounds_ > 1 && !settle(rounds_ > kRounds ? everything() : domains)) return Answer::kNo;
    std::size_t unit = 0;
    for (const UnitCount& it : domains) {
      if (!take(it.domain, it.count)) return settle(domains) ? Answer::kOpen : Answer::kNo;
      share_out(it.count, unit, slots);
      unit += it.count;
    }
    return Answer::kFits;
  }

  // A domain may be named several times, for several outer units.
  static std::vector<UnitCount> one_each(const std::vector<UnitCount>& used) {
    std::vector<UnitCount> domains;
    for (const UnitCount& it : used) {
      if (!domains.empty() && domains.back().domain == it.domain)
        domains.back().count += it.count;
      else
        domains.push_back(it);
    }
    return domains;
  }

  [[nodiscard]] std::vector<UnitCount> everything() const {
    std::vector<UnitCount> domains;
    for (uint32_t i = problem_.topology.domains(groups_.tiers.back().level).first; i < bounds_.size(); ++i)
      if (bounds_[i] > 0) domains.push_back({static_cast<DomainId>(i), static_cast<uint32_t>(bounds_[i])});
    return domains;
  }

  // Lowers the count of every domain that holds fewer than this; false when there was one.
  bool settle(const std::vector<UnitCount>& domains) {
    bool settled = true;
    for (const UnitCount& it : domains) {
      int64_t& known = known_[at(it.domain)];
      if (known >= it.count) continue;
      known = most_in(it.domain, it.count);
      if (known == it.count) continue;
      bounds_[at(it.domain)] = known;
      rooms_.lower(it.domain, known);
      settled = false;
    }
    return settled;
  }

  // How many units, at most `count`, the domain holds.
  uint32_t most_in(DomainId domain, uint32_t count) {
    count_hosts(domain);
    uint32_t holds = count;
    while (holds > 0 && !pack(holds)) --holds;
    if (holds == count) return holds;
    const LocalHosts hosts(problem_, problem_.topology.hosts(domain), wanted_for(count));
    for (; holds < count; ++holds) {
      Takes takes;
      const Answer answer = decide_by_frontier(hosts, wanted_for(holds + 1), search_.budget, takes);
      if (answer == Answer::kOpen) inexact_ = true;
      if (answer != Answer::kFits) break;
    }
    return holds;
  }

  // Fills taken_ with what `count` units take of the domain's hosts; false when they do not fit, or it cannot
  // be said.
  bool take(DomainId domain, uint32_t count) {
    count_hosts(domain);
    taken_.clear();
    if (pack(count)) {
      packer_.start_writing();
      std::size_t h = 0;
      for (const HostIndex host : problem_.topology.hosts(domain))
        if (const uint32_t c = class_at_[h++]; c != HostClasses::kUseless) packer_.write(host, c, taken_);
      return true;
    }
    const Wanted wanted = wanted_for(count);
    const LocalHosts hosts(problem_, problem_.topology.hosts(domain), wanted);
    Takes takes;
    if (decide_by_frontier(hosts, wanted, search_.budget, takes) != Answer::kFits) return false;
    for (const Take& it : takes) taken_.push_back({0, it.kind, hosts.host(it.host), it.count});
    return true;
  }

  void count_hosts(DomainId domain) {
    counted_.assign(classes_.size(), 0);
    class_at_.clear();
    for (const HostIndex host : problem_.topology.hosts(domain)) {
      const uint32_t c = classes_.of(host);
      class_at_.push_back(c);
      if (c == HostClasses::kUseless) continue;
      if (c >= counted_.size()) counted_.resize(c + 1, 0);
      ++counted_[c];
    }
  }

  bool pack(uint32_t count) {
    wanted_.clear();
    for (std::size_t k = 0; k < classes_.kinds(); ++k)
      wanted_.push_back(groups_.need[classes_.kind(k)] * count);
    return search_.budget.spend(packer_.effort()) && packer_.pack(counted_, wanted_);
  }

  [[nodiscard]] Wanted wanted_for(uint32_t count) const {
    Wanted wanted;
    for (const uint32_t need : groups_.need) wanted.count.push_back(need * count);
    wanted.least = wanted.sum();
    return wanted;
  }

  // What was taken, kind by kind, to the nodes of `count` units from the given one on: hosts of low numbers
  // to the first ones.
  void share_out(uint32_t count, std::size_t unit, std::vector<Slot>& slots) {
    const std::size_t first = unit * groups_.nodes_each;
    for (std::size_t k = 0; k < classes_.kinds(); ++k) {
      const uint32_t kind = classes_.kind(k);
      const uint32_t each = groups_.need[kind] / groups_.nodes_each;
      std::size_t node = first;
      uint32_t left = each;
      for (Slot it : taken_) {
        if (it.kind != kind) continue;
        while (it.count > 0) {
          const uint32_t here = std::min(it.count, left);
          slots.push_back({groups_.nodes[node], kind, it.host, here});
          it.count -= here;
          left -= here;
          if (left > 0) continue;
          ++node;
          left = each;
        }
      }
      MUSTER_CHECK(node == first + static_cast<std::size_t>(count) * groups_.nodes_each);
    }
  }

  Search& search_;
  Problem& problem_;
  AlikeSubGroups groups_;
  std::size_t units_;  // innermost ones in all
  HostClasses classes_;
  ClassPacker packer_;
  std::vector<int64_t> bounds_;  // innermost units that a domain of their level holds at most
  std::vector<int64_t> known_;   // and that it is known to hold
  NestedRooms rooms_;            // the bounds added up
  bool inexact_ = false;         // some bound may be too low: a «no» proves nothing
  int rounds_ = 0;
  std::vector<uint32_t> counted_;   // hosts of the domain looked at, by class
  std::vector<uint32_t> class_at_;  // of its hosts, in order
  std::vector<uint32_t> wanted_;
  std::vector<Slot> taken_;
};

}  // namespace

std::optional<Outcome> decide_alike(Search& search) {
  auto groups = alike_subgroups(search.problem);
  if (!groups) return std::nullopt;
  Outcome outcome = AlikeDecision(search, std::move(*groups)).run();
  // Without all of them it may still fit.
  if (outcome.answer == Answer::kNo && search.problem.elastic()) return std::nullopt;
  if (outcome.answer == Answer::kOpen) return std::nullopt;
  return outcome;
}

}  // namespace muster::placement
