#include "placement/quality.h"

#include <algorithm>
#include <map>
#include <set>

#include "placement/scope_search.h"
#include "placement/subdomains.h"

namespace muster::placement {
namespace {

constexpr std::size_t kFewHosts = 10;       // subsets of so many are gone through
constexpr std::size_t kMostSubsets = 8192;  // over all domains
constexpr std::size_t kSmallCluster = 256;  // hosts
constexpr std::size_t kMostMembers = 2000;  // for anything here
constexpr std::size_t kMostHosts = 4000;
constexpr std::size_t kMostDomains = 16;   // of a level, left out one after another
constexpr uint64_t kStepsPerQuality = 20;  // a step of this search is worth less than one of a table

class Quality {
 public:
  explicit Quality(Search& search, Outcome& outcome)
      : problem_(search.problem),
        topology_(search.problem.topology),
        outcome_(outcome),
        levels_(outcome.levels),
        budget_(std::min(search.budget.rest(), search.quality.rest() * kStepsPerQuality)) {
    if (levels_.empty()) {
      for (const Node& node : problem_.nodes) levels_.push_back(node.level);
      levels_[0] = kClusterLevel;
    }
    tree_ = tree_of(topology_, outcome.domain, 0);
    const LevelId own = topology_.level_of(outcome.domain);
    for (const LevelId level : topology_.tree_levels(tree_))
      if (level != own && topology_.nests(own, level)) below_.push_back(level);
    for (const Slot& slot : outcome.slots) placed_ += slot.count;
  }

  [[nodiscard]] bool worthwhile() const {
    return placed_ == problem_.pending && placed_ > 1 && placed_ <= kMostMembers && budget_.left(1) &&
           !below_.empty();
  }

  // False when there are too many sets of hosts to go through.
  bool narrow_exactly() {
    const auto all = usable_hosts();
    if (all.empty()) return false;
    std::size_t subsets = 0;
    for (const auto& [domain, hosts] : all)
      subsets += hosts.size() <= kFewHosts ? std::size_t{1} << hosts.size() : kMostSubsets + 1;
    if (subsets > kMostSubsets) return false;
    try_all(all);
    return true;
  }

  // Level by level: without the domain that has fewest members, as long as that goes.
  void leave_out_domains(uint64_t steps) {
    budget_ = Budget(std::min(budget_.rest(), steps));
    for (const LevelId level : below_) {
      if (level == topology_.host_level()) return;
      for (bool better = true; better;) {
        better = false;
        std::map<DomainId, uint32_t> touched;
        for (const Slot& slot : outcome_.slots) touched[topology_.domain_of(slot.host, level)] += slot.count;
        if (touched.size() < 2 || touched.size() > kMostDomains) break;
        std::vector<std::pair<uint32_t, DomainId>> fewest;
        for (const auto& [domain, count] : touched) fewest.emplace_back(count, domain);
        std::sort(fewest.begin(), fewest.end());
        for (const auto& [count, domain] : fewest) {
          if (!budget_.left(1)) return;
          if (!fits_without(level, touched, domain)) continue;
          better = true;
          break;
        }
      }
    }
  }

  bool spread() {
    const LevelId level = below_.front();
    std::vector<std::pair<int64_t, DomainId>> widest;
    for (const DomainId domain : candidates(problem_, topology_.level_of(outcome_.domain))) {
      int64_t room = 0;
      for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind)
        room += std::min<int64_t>(problem_.rooms(kind).domain(domain), problem_.kinds[kind].count);
      widest.emplace_back(-room, domain);
    }
    std::stable_sort(widest.begin(), widest.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [room, domain] : widest) {
      if (-room < static_cast<int64_t>(problem_.pending)) return false;
      if (topology_.hosts(domain).size() <= kMostHosts && spread_in(domain, level, 0)) return true;
    }
    return false;
  }

  // In the domain that holds the subgroup; one that is held to none is where the subgroup above it is.
  bool spread(uint32_t subgroup) {
    const auto& subgroups = problem_.request.subgroups;
    uint32_t held = subgroup;
    while (held != 0 && subgroups[held].required.empty()) held = subgroups[held].parent;
    DomainId domain = outcome_.domain;
    if (!subgroups[held].required.empty())
      domain =
          topology_.domain_of(outcome_.slots.front().host, *topology_.find_level(subgroups[held].required));
    if (domain == kNoDomain || topology_.hosts(domain).size() > kMostHosts) return false;
    const LevelId own = topology_.level_of(domain);
    for (const LevelId level : topology_.tree_levels(tree_of(topology_, domain, 0)))
      if (level != own && topology_.nests(own, level)) return spread_in(domain, level, subgroup);
    return false;
  }

 private:
  using Hosts = std::vector<HostIndex>;
  using Key = std::vector<int64_t>;  // less is better, from the front on

  [[nodiscard]] bool usable(HostIndex host) {
    for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind)
      if (problem_.rooms(kind).host(host) > 0) return true;
    return false;
  }

  // Of the domains that the placement could as well be in; in a large cluster of the one it is in, if that is
  // small.
  [[nodiscard]] std::vector<std::pair<DomainId, Hosts>> usable_hosts() {
    std::vector<std::pair<DomainId, Hosts>> all;
    std::vector<DomainId> domains{outcome_.domain};
    if (topology_.host_count() <= kSmallCluster)
      domains = candidates(problem_, topology_.level_of(outcome_.domain));
    else if (topology_.hosts(outcome_.domain).size() > kSmallCluster)
      return all;
    for (const DomainId domain : domains) {
      Hosts hosts;
      for (const HostIndex host : topology_.hosts(domain))
        if (usable(host)) hosts.push_back(host);
      if (!hosts.empty()) all.emplace_back(domain, std::move(hosts));
    }
    return all;
  }

  [[nodiscard]] Key key_of(const Hosts& hosts) const {
    Key key;
    for (const LevelId level : below_) {
      std::set<DomainId> touched;
      for (const HostIndex host : hosts)
        if (const DomainId domain = topology_.domain_of(host, level); domain != kNoDomain)
          touched.insert(domain);
      key.push_back(static_cast<int64_t>(touched.size()));
    }
    int64_t fresh = 0;
    int64_t left_over = 0;
    for (const HostIndex host : hosts) {
      fresh += problem_.state.busy(host) ? 0 : 1;
      for (std::size_t r = 0; r < problem_.state.resource_count(); ++r)
        if (const auto resource = static_cast<ResourceId>(r); problem_.state.is_device(resource))
          left_over += std::max<int64_t>(0, problem_.state.free(host, resource));
    }
    key.push_back(fresh);
    key.push_back(left_over);
    return key;
  }

  [[nodiscard]] Hosts used_hosts() const {
    Hosts hosts;
    for (const Slot& slot : outcome_.slots) hosts.push_back(slot.host);
    std::sort(hosts.begin(), hosts.end());
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    return hosts;
  }

  // Each kind alone finds room, and there is enough of each resource.
  [[nodiscard]] bool enough(const Hosts& hosts) {
    for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind) {
      int64_t room = 0;
      for (const HostIndex host : hosts) room += problem_.rooms(kind).host(host);
      if (room < static_cast<int64_t>(problem_.kinds[kind].count)) return false;
    }
    for (std::size_t r = 0; r < problem_.state.resource_count(); ++r) {
      const auto resource = static_cast<ResourceId>(r);
      __int128 asked = 0;
      for (const Kind& kind : problem_.kinds)
        for (const ResourceAmount& need : problem_.demand(kind))
          if (need.resource == resource)
            asked += static_cast<__int128>(std::min(need.amount, kMaxAmount)) * kind.count;
      __int128 free = 0;
      for (const HostIndex host : hosts) free += std::max<int64_t>(0, problem_.state.free(host, resource));
      if (asked > free) return false;
    }
    return true;
  }

  bool fits_on(const Hosts& hosts, const std::optional<Evenness>& even, uint64_t steps) {
    std::vector<Slot> slots;
    Budget part(std::min(steps, budget_.rest()));
    const ScopeQuestion question{hosts, &levels_, Leaving::kNobody, false, even};
    const Answer answer = decide_by_scopes(problem_, question, part, slots);
    budget_.spend(hosts.size() * 8 + std::min(part.used(), steps));
    if (answer != Answer::kFits) return false;
    outcome_.slots = std::move(slots);
    outcome_.in_rank_order = false;
    return true;
  }

  // Every subset of hosts that may be enough, the best first.
  void try_all(const std::vector<std::pair<DomainId, Hosts>>& all) {
    struct Subset {
      Key key;
      std::size_t domain;
      uint32_t mask;
    };
    const Key now = key_of(used_hosts());
    std::vector<Subset> subsets;
    const auto members_of = [&](std::size_t domain, uint32_t mask) {
      Hosts hosts;
      for (std::size_t i = 0; i < all[domain].second.size(); ++i)
        if ((mask >> i & 1U) != 0) hosts.push_back(all[domain].second[i]);
      return hosts;
    };
    for (std::size_t domain = 0; domain < all.size(); ++domain) {
      for (uint32_t mask = 1; mask < uint32_t{1} << all[domain].second.size(); ++mask) {
        if (static_cast<std::size_t>(__builtin_popcount(mask)) > placed_) continue;
        const Hosts hosts = members_of(domain, mask);
        if (!budget_.spend(hosts.size() * (8 + problem_.kinds.size()))) return;
        Key key = key_of(hosts);
        if (key < now && enough(hosts)) subsets.push_back({std::move(key), domain, mask});
      }
    }
    std::stable_sort(subsets.begin(), subsets.end(),
                     [](const Subset& a, const Subset& b) { return a.key < b.key; });
    for (const Subset& subset : subsets) {
      if (!budget_.left(1)) return;
      if (!fits_on(members_of(subset.domain, subset.mask), std::nullopt, budget_.rest())) continue;
      outcome_.domain = all[subset.domain].first;
      return;
    }
  }

  bool fits_without(LevelId level, const std::map<DomainId, uint32_t>& touched, DomainId left_out) {
    Hosts hosts;
    for (const HostIndex host : topology_.hosts(outcome_.domain)) {
      const DomainId domain = topology_.domain_of(host, level);
      if (domain != left_out && touched.count(domain) > 0 && usable(host)) hosts.push_back(host);
    }
    budget_.spend(hosts.size() * 4);
    if (hosts.size() > kMostHosts || !enough(hosts)) return false;
    return fits_on(hosts, std::nullopt, budget_.rest() / 4);
  }

  bool spread_in(DomainId domain, LevelId level, uint32_t subgroup) {
    Hosts hosts;
    std::set<DomainId> parts;
    for (const HostIndex host : topology_.hosts(domain)) {
      if (!usable(host)) continue;
      hosts.push_back(host);
      parts.insert(topology_.domain_of(host, level));
    }
    if (parts.size() < 2) return false;
    const auto members = problem_.pending + problem_.nodes[subgroup].bound;
    const auto count = static_cast<uint32_t>(parts.size());
    Evenness even{level, 0, (members + count - 1) / count, subgroup};
    while (even.most < members && !fits_on(hosts, even, budget_.rest() / 8)) ++even.most;
    if (even.most >= members) return false;
    outcome_.domain = domain;
    for (even.least = members / count; even.least > 0; --even.least)
      if (fits_on(hosts, even, budget_.rest() / 4)) break;
    return true;
  }

  Problem& problem_;
  const Topology& topology_;
  Outcome& outcome_;
  std::vector<LevelId> levels_;
  Budget budget_;
  std::size_t tree_ = 0;
  std::vector<LevelId> below_;  // levels below the chosen domain's, coarse to fine
  uint32_t placed_ = 0;
};

}  // namespace

void use_fewer_domains(Search& search, Outcome& outcome, Effort effort) {
  Quality quality(search, outcome);
  if (!quality.worthwhile() || quality.narrow_exactly()) return;
  if (effort == Effort::kFull) quality.leave_out_domains(search.quality.rest());
}

bool spread_evenly(Search& search, Outcome& outcome, uint32_t subgroup) {
  Quality quality(search, outcome);
  return quality.worthwhile() && (subgroup == 0 ? quality.spread() : quality.spread(subgroup));
}

}  // namespace muster::placement
