// The ladder inside one domain: certificates, quick packing in few parts, the portfolio, then exact methods,
// the cheapest first.
#include <algorithm>
#include <optional>
#include <utility>

#include "placement/decision.h"
#include "placement/exact.h"
#include "placement/flow.h"
#include "placement/frontier.h"
#include "placement/greedy.h"
#include "placement/narrow.h"
#include "placement/sizes.h"

namespace muster::placement {
namespace {

class MixedDecision {
 public:
  explicit MixedDecision(Search& search)
      : search_(search), problem_(search.problem), sizes_(Sizes::of(search.problem)) {
    for (const Kind& kind : problem_.kinds) wanted_.count.push_back(kind.count);
  }

  Outcome run() {
    bool open = false;
    NoCode code = NoCode::kRole;
    for (const bool all : {true, false}) {
      if (!all && !problem_.elastic()) break;
      wanted_.least = all ? problem_.pending : problem_.needed;
      open = false;
      for (const LevelId level : problem_.ladder) {
        for (const DomainId domain : hopeful(level, code)) {
          Outcome outcome = decide_in(domain);
          if (outcome.answer == Answer::kFits) return outcome;
          if (outcome.answer == Answer::kOpen) open = true;
          code = outcome.code;
        }
      }
    }
    Outcome outcome;
    outcome.answer = open ? Answer::kOpen : Answer::kNo;
    outcome.code = code;
    return outcome;
  }

 private:
  [[nodiscard]] bool all() const { return wanted_.least == problem_.pending; }

  // Domains no cheap certificate rules out, tightest first.
  std::vector<DomainId> hopeful(LevelId level, NoCode& code) {
    std::vector<DomainId> domains = candidates(problem_, level);
    std::vector<const KindRooms*> rooms;
    for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind) rooms.push_back(&problem_.rooms(kind));
    std::erase_if(domains, [&](DomainId domain) {
      int64_t missing = 0;
      for (std::size_t kind = 0; kind < rooms.size(); ++kind)
        missing += std::max<int64_t>(0, wanted_.count[kind] - rooms[kind]->domain(domain));
      return missing > static_cast<int64_t>(problem_.pending - wanted_.least);
    });
    if (all() && sizes_) {
      const auto violated = [&](DomainId domain) { return sizes_->violated(domain).has_value(); };
      if (std::erase_if(domains, violated) > 0 && domains.empty()) code = NoCode::kSizes;
    }
    const KindRooms& key = *rooms[largest_kind()];
    std::stable_sort(domains.begin(), domains.end(),
                     [&](DomainId a, DomainId b) { return key.domain(a) < key.domain(b); });
    return domains;
  }

  // The kind that needs most devices in all, or most of anything.
  [[nodiscard]] std::size_t largest_kind() const {
    std::size_t largest = 0;
    double most = -1;
    for (std::size_t kind = 0; kind < problem_.kinds.size(); ++kind) {
      double volume = 0;
      for (const ResourceAmount& need : problem_.demand(problem_.kinds[kind]))
        if (problem_.state.is_device(need.resource)) volume += static_cast<double>(need.amount);
      volume = volume * wanted_.count[kind] + 1e-6 * wanted_.count[kind];
      if (volume <= most) continue;
      most = volume;
      largest = kind;
    }
    return largest;
  }

  Outcome decide_in(DomainId domain) {
    Outcome outcome;
    outcome.domain = domain;
    if (all()) {
      if (!narrowing_) narrowing_.emplace(problem_, wanted_, search_.budget);
      if (auto slots = narrowing_->pack(domain)) {
        outcome.answer = Answer::kFits;
        outcome.slots = std::move(*slots);
        return outcome;
      }
    }
    const LocalHosts hosts(problem_, problem_.topology.hosts(domain), wanted_);
    Takes takes;
    outcome.answer = decide_on(hosts, takes, outcome.code);
    if (outcome.answer == Answer::kFits)
      for (const Take& it : takes) outcome.slots.push_back({0, it.kind, hosts.host(it.host), it.count});
    return outcome;
  }

  Answer decide_on(const LocalHosts& hosts, Takes& takes, NoCode& code) {
    if (hosts.size() == 0) {
      code = NoCode::kRole;
      return Answer::kNo;
    }
    Budget& budget = search_.budget;
    if (equal_demands(hosts, wanted_)) {
      code = NoCode::kNodeSets;
      return decide_by_flow(hosts, wanted_, takes);
    }
    code = NoCode::kResource;
    if (all() && over_asked(hosts)) return Answer::kNo;
    if (all()) {
      if (auto found = pack_greedily(hosts, wanted_, budget)) {
        takes = std::move(*found);
        return Answer::kFits;
      }
    }
    code = NoCode::kCombination;
    Answer answer = decide_by_frontier(hosts, wanted_, budget, takes);
    if (answer != Answer::kOpen) return answer;
    if (!all()) {
      if (auto found = pack_greedily(hosts, wanted_, budget)) {
        takes = std::move(*found);
        return Answer::kFits;
      }
    }
    takes.clear();
    return decide_by_search(hosts, wanted_, budget, takes);
  }

  // More of a resource is asked for than there is.
  [[nodiscard]] bool over_asked(const LocalHosts& hosts) const {
    for (std::size_t r = 0; r < hosts.resources(); ++r) {
      __int128 free = 0;
      __int128 asked = 0;
      for (std::size_t h = 0; h < hosts.size(); ++h) free += hosts.free(h)[r];
      for (std::size_t kind = 0; kind < hosts.kinds(); ++kind)
        asked += static_cast<__int128>(hosts.demand(kind)[r]) * wanted_.count[kind];
      if (asked > free) return true;
    }
    return false;
  }

  Search& search_;
  Problem& problem_;
  std::optional<Sizes> sizes_;
  Wanted wanted_;
  std::optional<Narrowing> narrowing_;
};

}  // namespace

Outcome decide_mixed(Search& search) { return MixedDecision(search).run(); }

}  // namespace muster::placement
