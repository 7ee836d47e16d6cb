#include "placement/narrow.h"

#include <algorithm>

#include "placement/greedy.h"
#include "placement/subdomains.h"

namespace muster::placement {
namespace {

struct Part {
  DomainId domain = kNoDomain;
  double use = 0;  // share of what is wanted that it can hold, over the kinds
  bool busy = false;
};

class Narrowing {
 public:
  Narrowing(Problem& problem, std::size_t tree, const Wanted& wanted, Budget& budget)
      : problem_(problem), tree_(tree), wanted_(wanted), budget_(budget) {
    for (uint32_t kind = 0; kind < problem.kinds.size(); ++kind)
      if (wanted.count[kind] > 0) kinds_.push_back(kind);
    for (const uint32_t kind : kinds_) rooms_.push_back(&problem.rooms(kind));
  }

  std::optional<NarrowPacking> run(DomainId domain) {
    std::vector<DomainId> chosen{domain};
    std::optional<NarrowPacking> best;
    for (;;) {
      std::vector<Part> parts;
      bool split_any = false;
      for (const DomainId it : chosen) split_any = split(it, parts) || split_any;
      if (best && !split_any) return best;
      auto found = fewest(parts, chosen);
      if (!found) return best;
      best = std::move(found);
    }
  }

 private:
  // Adds the domain's useful parts; false for a host, which has none but itself.
  bool split(DomainId domain, std::vector<Part>& parts) const {
    if (problem_.topology.level_of(domain) == problem_.topology.host_level()) {
      add(domain, parts);
      return false;
    }
    const Parts below = parts_of(problem_.topology, domain, tree_);
    for (const DomainId inner : below.domains) add(inner, parts);
    for (const HostIndex host : below.hosts) add(problem_.topology.host_domain(host), parts);
    return true;
  }

  void add(DomainId domain, std::vector<Part>& parts) const {
    Part part{domain, 0, problem_.state.busy_hosts(domain) > 0};
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      const int64_t room = rooms_[k]->domain(domain);
      if (room > 0) part.use += std::min(static_cast<double>(room) / wanted_.count[kinds_[k]], 1.0);
    }
    if (part.use > 0) parts.push_back(part);
  }

  // The least number of parts whose rooms suffice kind by kind.
  [[nodiscard]] std::size_t least_prefix(const std::vector<Part>& parts) const {
    std::vector<int64_t> missing;
    for (const uint32_t kind : kinds_) missing.push_back(wanted_.count[kind]);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      bool enough = true;
      for (std::size_t k = 0; k < kinds_.size(); ++k) {
        missing[k] -= rooms_[k]->domain(parts[i].domain);
        enough = enough && missing[k] <= 0;
      }
      if (enough) return i + 1;
    }
    return parts.size() + 1;
  }

  // Where the kinds compete for the same room, the least prefix fails. With many parts, tries are costly, so
  // the first one is made where the kinds' shares of the room add up to one.
  [[nodiscard]] std::size_t first_try(const std::vector<Part>& parts) const {
    constexpr std::size_t kFewParts = 64;
    const std::size_t least = least_prefix(parts);
    if (least > parts.size() || parts.size() <= kFewParts) return least;
    std::vector<double> room(kinds_.size(), 0);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      double shares = 0;
      for (std::size_t k = 0; k < kinds_.size(); ++k) {
        room[k] += static_cast<double>(rooms_[k]->domain(parts[i].domain));
        shares += static_cast<double>(wanted_.count[kinds_[k]]) / std::max(room[k], 1e-9);
      }
      if (shares <= 1) return std::max(least, i + 1);
    }
    return parts.size();
  }

  std::optional<NarrowPacking> fewest(std::vector<Part>& parts, std::vector<DomainId>& chosen) {
    std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
      return a.use != b.use ? a.use > b.use : a.busy > b.busy;
    });
    std::size_t count = first_try(parts);
    while (count <= parts.size() && budget_.left(1)) {
      auto found = try_on(parts, count);
      if (found) {
        chosen.clear();
        for (std::size_t i = 0; i < count; ++i) chosen.push_back(parts[i].domain);
        std::sort(chosen.begin(), chosen.end());
        return found;
      }
      if (count == parts.size()) break;
      count = std::min(parts.size(), count + 1 + count / 4);
    }
    return std::nullopt;
  }

  std::optional<NarrowPacking> try_on(const std::vector<Part>& parts, std::size_t count) {
    NarrowPacking packing;
    std::vector<DomainId> domains;
    for (std::size_t i = 0; i < count; ++i) domains.push_back(parts[i].domain);
    std::sort(domains.begin(), domains.end());  // depth-first
    for (const DomainId domain : domains) {
      const auto hosts = problem_.topology.hosts(domain);
      packing.hosts.insert(packing.hosts.end(), hosts.begin(), hosts.end());
    }
    const LocalHosts local(problem_, packing.hosts, wanted_);
    auto takes = pack_quickly(local, wanted_, budget_);
    if (!takes) return std::nullopt;
    packing.takes = std::move(*takes);
    for (std::size_t h = 0; h < local.size(); ++h) packing.hosts[h] = local.host(h);
    packing.hosts.resize(local.size());
    return packing;
  }

  Problem& problem_;
  std::size_t tree_;
  const Wanted& wanted_;
  Budget& budget_;
  std::vector<uint32_t> kinds_;
  std::vector<const KindRooms*> rooms_;  // of kinds_
};

}  // namespace

std::optional<NarrowPacking> pack_narrowly(Problem& problem, DomainId domain, const Wanted& wanted,
                                           Budget& budget) {
  return Narrowing(problem, tree_of(problem.topology, domain), wanted, budget).run(domain);
}

}  // namespace muster::placement
