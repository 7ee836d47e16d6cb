#include "placement/scope_frontier.h"

#include <algorithm>

#include "placement/narrow_fold.h"

namespace muster::placement {

ScopeFrontier::ScopeFrontier(Problem& problem, const Structure& structure,
                             std::vector<const Variant*> targets, Budget& budget)
    : problem_(problem),
      structure_(structure),
      targets_(std::move(targets)),
      budget_(budget),
      width_(structure.dimensions()) {
  for (const Kind& kind : problem.kinds) wanted_.count.push_back(kind.count);
  wanted_.least = problem.pending;
  find_levels();
  find_caps();
}

// Levels at which something is closed or kept apart, finest first.
void ScopeFrontier::find_levels() {
  const auto add = [&](LevelId level) {
    if (level != kClusterLevel && std::find(levels_.begin(), levels_.end(), level) == levels_.end())
      levels_.push_back(level);
  };
  for (const ScopeClass& it : structure_.classes()) add(it.level);
  for (std::size_t node = 1; node < problem_.nodes.size(); ++node) add(problem_.nodes[node].exclusive);
  std::sort(levels_.begin(), levels_.end(),
            [&](LevelId a, LevelId b) { return a != b && problem_.topology.nests(b, a); });
  for (const LevelId level : levels_)
    if (level != problem_.topology.host_level()) tree_ = problem_.topology.tree(level);
  // Without any, the coarsest level keeps the work in pieces.
  if (levels_.empty()) levels_.push_back(problem_.topology.tree_levels(0)[1]);
}

// caps_[s][d]: how many of dimension d can be of use once levels_[0..s-1] are closed.
void ScopeFrontier::find_caps() {
  caps_.assign(levels_.size() + 1, std::vector<uint32_t>(width_, 0));
  const auto raise = [](uint32_t& cap, uint64_t by) {
    cap = static_cast<uint32_t>(std::min<uint64_t>(cap + by, UINT32_MAX / 2));
  };
  std::vector<uint32_t> of_whole(width_, 0);
  for (const Variant* whole : targets_)
    for (const auto& [dimension, count] : whole->need)
      of_whole[dimension] = std::max(of_whole[dimension], count);
  // Ways of filling a scope that no target uses, directly or inside another scope, need not be looked at.
  used_.assign(width_, false);
  for (auto d = static_cast<uint32_t>(width_); d-- > 0;) {
    used_[d] = used_[d] || of_whole[d] > 0;
    const uint32_t counted = structure_.class_of(d);
    if (!used_[d] || counted == UINT32_MAX) continue;
    for (const auto& [dimension, count] : structure_.classes()[counted].needs[structure_.way_of(d)])
      used_[dimension] = true;
  }
  for (std::size_t stage = 0; stage <= levels_.size(); ++stage) {
    auto& caps = caps_[stage];
    caps = of_whole;
    for (const ScopeClass& it : structure_.classes()) {
      const auto level =
          static_cast<std::size_t>(std::find(levels_.begin(), levels_.end(), it.level) - levels_.begin());
      if (level < stage) continue;
      std::vector<uint32_t> most(width_, 0);
      for (std::size_t way = 0; way < it.needs.size(); ++way) {
        if (!used_[it.dimensions[way]]) continue;
        for (const auto& [dimension, count] : it.needs[way])
          most[dimension] = std::max(most[dimension], count);
      }
      for (std::size_t d = 0; d < width_; ++d)
        raise(caps[d], static_cast<uint64_t>(most[d]) * it.nodes.size());
    }
    for (uint32_t d = 0; d < width_; ++d) {
      const uint32_t counted = structure_.class_of(d);
      caps[d] = std::min<uint32_t>(
          caps[d], counted == UINT32_MAX ? problem_.kinds[d].count
                                         : static_cast<uint32_t>(structure_.classes()[counted].nodes.size()));
      // Not born yet.
      if (counted != UINT32_MAX) {
        const auto level = static_cast<std::size_t>(
            std::find(levels_.begin(), levels_.end(), structure_.classes()[counted].level) - levels_.begin());
        if (level >= stage) caps[d] = 0;
      }
      if (!used_[d]) caps[d] = 0;
    }
  }
}

// The parts of a domain at the coarsest level, the most useful first.
std::vector<ScopeFrontier::TopPart> ScopeFrontier::top_parts(DomainId domain) const {
  const Topology& topology = problem_.topology;
  const LevelId level = levels_.back();
  const LevelId own = topology.level_of(domain);
  const bool nested = level != topology.host_level() && topology.nests(own, level);
  std::vector<TopPart> parts;
  std::size_t covered = 0;
  if (nested) {
    const DomainRange range = topology.domains_within(domain, level);
    for (uint32_t i = range.first; i < range.last; ++i) {
      parts.push_back({static_cast<DomainId>(i), {}, 0});
      covered += topology.hosts(static_cast<DomainId>(i)).size();
    }
  }
  // Hosts that lack the label, or levels that do not nest: host by host.
  if (covered < topology.hosts(domain).size()) parts = parts_by_host(domain);
  for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind) {
    const KindRooms& rooms = problem_.rooms(kind);
    const auto count = static_cast<double>(std::max(1U, wanted_.count[kind]));
    for (TopPart& part : parts) {
      int64_t room = part.domain != kNoDomain ? rooms.domain(part.domain) : 0;
      for (const HostIndex host : part.hosts) room += rooms.host(host);
      part.use += std::min(static_cast<double>(room) / count, 1.0);
    }
  }
  std::erase_if(parts, [](const TopPart& part) { return part.use <= 0; });
  std::stable_sort(parts.begin(), parts.end(),
                   [](const TopPart& a, const TopPart& b) { return a.use > b.use; });
  return parts;
}

std::vector<ScopeFrontier::TopPart> ScopeFrontier::parts_by_host(DomainId domain) const {
  const Topology& topology = problem_.topology;
  const LevelId own = topology.level_of(domain);
  std::vector<TopPart> parts;
  TopPart loose;
  DomainId current = kNoDomain;
  for (const HostIndex host : topology.order(tree_)) {
    if (topology.domain_of(host, own) != domain) continue;
    const DomainId of = topology.domain_of(host, levels_.back());
    if (of == kNoDomain) {
      loose.hosts.push_back(host);
      continue;
    }
    if (parts.empty() || of != current) parts.emplace_back();
    current = of;
    parts.back().hosts.push_back(host);
  }
  if (!loose.hosts.empty()) parts.push_back(std::move(loose));
  return parts;
}

std::vector<uint32_t> ScopeFrontier::target_of(const Variant& variant) const {
  std::vector<uint32_t> target(width_, 0);
  for (const auto& [dimension, count] : variant.need) target[dimension] = count;
  return target;
}

Answer ScopeFrontier::decide(DomainId domain, std::vector<Slot>& slots) {
  if (targets_.empty()) return Answer::kNo;
  const auto groups = top_parts(domain);
  const std::size_t top = levels_.size();
  NarrowFold fold(caps_[top], width_);
  if (!fold.fits_memory(groups.size(), true)) return Answer::kOpen;
  std::vector<Bunch> bunches(groups.size());
  std::vector<Area> areas(groups.size());
  const Variant* found = nullptr;
  std::size_t used = 0;
  const std::vector<uint32_t> best = target_of(*targets_.front());
  for (; used < groups.size() && found == nullptr; ++used) {
    const TopPart& part = groups[used];
    open_bunch(part.domain != kNoDomain ? problem_.topology.hosts(part.domain) : std::span(part.hosts),
               bunches[used]);
    const Bunch& bunch = bunches[used];
    const bool closed =
        top > 0 && !bunch.domains[top - 1].empty() && bunch.domains[top - 1].front() != kNoDomain;
    if (bunch.hosts->size() == 0) continue;
    if (!explore(bunch, 0, bunch.hosts->size(), top, closed, areas[used])) return Answer::kOpen;
    if (!fold.add(*areas[used].offer, budget_, true)) return Answer::kOpen;
    if (fold.reaches(best)) found = targets_.front();
  }
  for (const Variant* target : targets_) {
    if (found != nullptr) break;
    if (fold.reaches(target_of(*target))) found = target;
  }
  if (found == nullptr) return Answer::kNo;
  const auto shares = fold.take_back(target_of(*found));
  Pool pool(width_);
  scopes_.clear();
  std::size_t share = 0;
  std::vector<std::pair<HostIndex, std::size_t>> order;
  for (std::size_t i = 0; i < used; ++i)
    if (bunches[i].hosts->size() > 0) order.emplace_back(bunches[i].hosts->host(0), i);
  std::vector<std::size_t> share_of(used, 0);
  for (std::size_t i = 0; i < used; ++i)
    if (bunches[i].hosts->size() > 0) share_of[i] = share++;
  std::sort(order.begin(), order.end());  // depth-first, so that ranks run along
  for (const auto& [host, i] : order)
    if (!take_area(areas[i], bunches[i], shares[share_of[i]], pool)) return Answer::kOpen;
  write(*found, pool, slots);
  return Answer::kFits;
}

}  // namespace muster::placement
