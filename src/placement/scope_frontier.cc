#include "placement/scope_frontier.h"

#include <algorithm>
#include <numeric>

#include "placement/subdomains.h"

namespace muster::placement {
namespace {

constexpr std::size_t kMaxVectors = 5000;

// A fold over the dimensions that matter.
class NarrowFold {
 public:
  NarrowFold(const std::vector<uint32_t>& caps, std::size_t width) : width_(width) {
    for (uint32_t d = 0; d < width; ++d)
      if (caps[d] > 0) dimensions_.push_back(d);
    std::vector<uint32_t> narrow;
    for (const uint32_t d : dimensions_) narrow.push_back(caps[d]);
    if (narrow.empty()) narrow.push_back(0);
    fold_ = std::make_unique<Fold>(std::move(narrow));
  }
  [[nodiscard]] bool fits_memory(std::size_t parts, bool remember) const {
    constexpr uint64_t kMaxMemory = 32U << 20;
    return fold_->cells() <= Fold::kMaxCells && (!remember || fold_->cells() * parts <= kMaxMemory);
  }
  bool add(const Vectors& wide, Budget& budget, bool remember) {
    Vectors narrow;
    narrow.width = std::max<std::size_t>(dimensions_.size(), 1);
    std::vector<uint32_t> row(narrow.width, 0);
    for (std::size_t i = 0; i < wide.size(); ++i) {
      for (std::size_t k = 0; k < dimensions_.size(); ++k) row[k] = wide[i][dimensions_[k]];
      narrow.add(row.data());
    }
    return fold_->add(narrow, budget, remember);
  }
  [[nodiscard]] bool reaches(const std::vector<uint32_t>& wide) const {
    for (uint32_t d = 0, k = 0; d < width_; ++d) {
      const bool known = k < dimensions_.size() && dimensions_[k] == d;
      if (known) ++k;
      if (!known && wide[d] > 0) return false;
    }
    return fold_->reaches(narrow(wide));
  }
  [[nodiscard]] Vectors maximal() const {
    const Vectors found = fold_->maximal();
    Vectors wide;
    wide.width = width_;
    std::vector<uint32_t> row(width_);
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::fill(row.begin(), row.end(), 0U);
      for (std::size_t k = 0; k < dimensions_.size(); ++k) row[dimensions_[k]] = found[i][k];
      wide.add(row.data());
    }
    return wide;
  }
  [[nodiscard]] std::vector<std::vector<uint32_t>> take_back(const std::vector<uint32_t>& target) const {
    auto parts = fold_->take_back(narrow(target));
    for (auto& part : parts) {
      std::vector<uint32_t> wide(width_, 0);
      for (std::size_t k = 0; k < dimensions_.size(); ++k) wide[dimensions_[k]] = part[k];
      part = std::move(wide);
    }
    return parts;
  }

 private:
  [[nodiscard]] std::vector<uint32_t> narrow(const std::vector<uint32_t>& wide) const {
    std::vector<uint32_t> row(std::max<std::size_t>(dimensions_.size(), 1), 0);
    for (std::size_t k = 0; k < dimensions_.size(); ++k) row[k] = wide[dimensions_[k]];
    return row;
  }

  std::size_t width_;
  std::vector<uint32_t> dimensions_;
  std::unique_ptr<Fold> fold_;
};

}  // namespace

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

void ScopeFrontier::open_bunch(std::span<const HostIndex> hosts, Bunch& bunch) const {
  bunch.hosts = std::make_unique<LocalHosts>(problem_, hosts, wanted_);
  std::vector<std::size_t> kinds(problem_.kinds.size());
  std::iota(kinds.begin(), kinds.end(), std::size_t{0});
  std::vector<uint32_t> caps(caps_[0].begin(), caps_[0].begin() + static_cast<std::ptrdiff_t>(kinds.size()));
  bunch.options = std::make_unique<HostOptions>(*bunch.hosts, kinds, caps);
  for (const LevelId level : levels_) {
    auto& of = bunch.domains.emplace_back();
    for (std::size_t h = 0; h < bunch.hosts->size(); ++h)
      of.push_back(problem_.topology.domain_of(bunch.hosts->host(h), level));
  }
}

// Hosts [from, to) of a bunch, with the levels below `stage` closed inside; `closed`: they are one domain of
// levels_[stage - 1].
bool ScopeFrontier::explore(const Bunch& bunch, std::size_t from, std::size_t to, std::size_t stage,
                            bool closed, Area& area) {
  area.stage = stage;
  area.closed = closed;
  area.own = std::make_unique<Vectors>();
  area.own->width = width_;
  const std::size_t inner = stage - 1;
  if (!split(bunch, from, to, inner, area.parts) || !fold_parts(area.parts, inner, *area.own)) return false;
  if (closed && !close(inner, bunch.hosts->host(from), *area.own)) return false;
  clamp(stage, *area.own);
  area.offer = area.own.get();
  return true;
}

// The parts of hosts [from, to) with levels_[0..stage-1] closed inside each.
bool ScopeFrontier::split(const Bunch& bunch, std::size_t from, std::size_t to, std::size_t stage,
                          std::vector<Area>& parts) {
  if (stage == 0) {
    for (std::size_t h = from; h < to; ++h) {
      const Vectors* mixes = bunch.options->of(h, budget_);
      if (mixes == nullptr) return false;
      Area area;
      area.host = h;
      area.own = std::make_unique<Vectors>();
      area.own->width = width_;
      std::vector<uint32_t> row(width_, 0);
      for (std::size_t i = 0; i < mixes->size(); ++i) {
        std::copy((*mixes)[i], (*mixes)[i] + mixes->width, row.begin());
        area.own->add(row.data());
      }
      area.offer = area.own.get();
      parts.push_back(std::move(area));
    }
    return true;
  }
  const auto& domain = bunch.domains[stage - 1];
  for (std::size_t h = from; h < to;) {
    std::size_t end = h + 1;
    while (end < to && domain[end] == domain[h]) ++end;
    Area area;
    if (!explore(bunch, h, end, stage, domain[h] != kNoDomain, area)) return false;
    parts.push_back(std::move(area));
    h = end;
  }
  return true;
}

bool ScopeFrontier::fold_parts(const std::vector<Area>& parts, std::size_t stage, Vectors& result) {
  std::vector<uint64_t> reach(width_, 0);
  for (const Area& part : parts) {
    for (std::size_t d = 0; d < width_; ++d) {
      uint32_t most = 0;
      for (std::size_t i = 0; i < part.offer->size(); ++i) most = std::max(most, (*part.offer)[i][d]);
      reach[d] += most;
    }
  }
  std::vector<uint32_t> caps = caps_[stage];
  for (std::size_t d = 0; d < width_; ++d)
    caps[d] = static_cast<uint32_t>(std::min<uint64_t>(caps[d], reach[d]));
  NarrowFold fold(caps, width_);
  if (!fold.fits_memory(parts.size(), false)) return false;
  for (const Area& part : parts)
    if (!fold.add(*part.offer, budget_, false)) return false;
  result = fold.maximal();
  return result.size() <= kMaxVectors;
}

// Turns members into scopes, class after class: every number of scopes that a vector allows. `inside`: a host
// of the domain.
bool ScopeFrontier::close(std::size_t stage, HostIndex inside, Vectors& vectors) {
  const LevelId level = levels_[stage];
  for (const ScopeClass& it : structure_.classes()) {
    if (it.level != level || problem_.topology.domain_of(inside, it.required) == kNoDomain) continue;
    for (std::size_t way = 0; way < it.needs.size(); ++way) {
      const Need& need = it.needs[way];
      if (need.empty() || !used_[it.dimensions[way]]) continue;
      Vectors more;
      more.width = width_;
      for (std::size_t i = 0; i < vectors.size(); ++i) {
        std::vector<uint32_t> row(vectors[i], vectors[i] + width_);
        for (uint32_t scopes = 0; scopes <= it.nodes.size(); ++scopes) {
          row[it.dimensions[way]] = scopes;
          more.add(row.data());
          const bool enough =
              std::all_of(need.begin(), need.end(), [&](const auto& n) { return row[n.first] >= n.second; });
          if (!enough) break;
          for (const auto& [dimension, count] : need) row[dimension] -= count;
        }
        if (more.size() > kMaxVectors) return false;
      }
      if (!budget_.spend(more.size() * (width_ + 4))) return false;
      vectors = std::move(more);
    }
  }
  keep_owners_apart(level, vectors);
  clamp(stage + 1, vectors);
  return budget_.spend(vectors.size() * width_);
}

// In a domain of the level an exclusive scope uses, nobody else is.
void ScopeFrontier::keep_owners_apart(LevelId level, Vectors& vectors) const {
  const bool any = std::any_of(problem_.nodes.begin() + 1, problem_.nodes.end(),
                               [&](const Node& node) { return node.exclusive == level; });
  if (!any) return;
  std::vector<uint32_t> owner(width_);
  for (uint32_t d = 0; d < width_; ++d) owner[d] = structure_.owner_of(d, level);
  std::vector<uint32_t> owners = owner;
  owners.push_back(0);
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  Vectors apart;
  apart.width = width_;
  std::vector<uint32_t> row(width_);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    for (const uint32_t one : owners) {
      if (one == Structure::kSelf) continue;
      for (uint32_t d = 0; d < width_; ++d) row[d] = owner[d] == one ? vectors[i][d] : 0;
      apart.add(row.data());
    }
    for (uint32_t d = 0; d < width_; ++d) {
      if (owner[d] != Structure::kSelf || vectors[i][d] == 0) continue;
      std::fill(row.begin(), row.end(), 0U);
      row[d] = 1;
      apart.add(row.data());
    }
  }
  vectors = std::move(apart);
}

void ScopeFrontier::clamp(std::size_t stage, Vectors& vectors) const {
  for (std::size_t i = 0; i < vectors.data.size(); ++i)
    vectors.data[i] = std::min(vectors.data[i], caps_[stage][i % width_]);
  // Equal neighbours are common after closing; sorting makes the quadratic filter small.
  std::vector<std::vector<uint32_t>> rows;
  for (std::size_t i = 0; i < vectors.size(); ++i) rows.emplace_back(vectors[i], vectors[i] + width_);
  std::sort(rows.begin(), rows.end(), std::greater<>());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  vectors.data.clear();
  for (const auto& row : rows) vectors.add(row.data());
  keep_maximal(vectors);
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

bool ScopeFrontier::take_area(const Area& area, const Bunch& bunch, std::vector<uint32_t> wanted,
                              Pool& pool) {
  if (std::all_of(wanted.begin(), wanted.end(), [](uint32_t count) { return count == 0; })) return true;
  if (area.stage == 0) {
    for (uint32_t kind = 0; kind < structure_.kinds(); ++kind)
      if (wanted[kind] > 0) pool[kind].push_back({bunch.hosts->host(area.host), wanted[kind], UINT32_MAX});
    return true;
  }
  const std::size_t inner = area.stage - 1;
  std::vector<uint32_t> formed(width_, 0);
  if (area.closed) {
    // Scopes formed here are what they need; inner scopes of the same level first become wanted, then needs.
    for (std::size_t c = structure_.classes().size(); c-- > 0;) {
      const ScopeClass& it = structure_.classes()[c];
      if (it.level != levels_[inner]) continue;
      for (std::size_t way = 0; way < it.needs.size(); ++way) {
        const uint32_t d = it.dimensions[way];
        formed[d] = wanted[d];
        for (const auto& [dimension, count] : it.needs[way]) wanted[dimension] += count * wanted[d];
        wanted[d] = 0;
      }
    }
  }
  std::vector<uint32_t> caps = wanted;
  NarrowFold fold(caps, width_);
  if (!fold.fits_memory(area.parts.size(), true)) return false;
  std::size_t used = 0;
  while (used < area.parts.size() && !fold.reaches(wanted))
    if (!fold.add(*area.parts[used++].offer, budget_, true)) return false;
  const auto shares = fold.take_back(wanted);
  Pool inside(width_);
  for (std::size_t i = 0; i < used; ++i)
    if (!take_area(area.parts[i], bunch, shares[i], inside)) return false;
  form_scopes(inner, formed, inside);
  for (std::size_t d = 0; d < width_; ++d) pool[d].insert(pool[d].end(), inside[d].begin(), inside[d].end());
  return true;
}

void ScopeFrontier::form_scopes(std::size_t stage, const std::vector<uint32_t>& formed, Pool& pool) {
  for (const ScopeClass& it : structure_.classes()) {
    if (it.level != levels_[stage]) continue;
    for (std::size_t way = 0; way < it.needs.size(); ++way) {
      const uint32_t d = it.dimensions[way];
      for (uint32_t i = 0; i < formed[d]; ++i) {
        FilledScope scope;
        scope.pool.resize(width_);
        for (const auto& [dimension, count] : it.needs[way]) draw(pool, dimension, count, scope.pool);
        scopes_.push_back(std::move(scope));
        pool[d].push_back({kNoHost, 1, static_cast<uint32_t>(scopes_.size() - 1)});
      }
    }
  }
}

// Moves `count` of a dimension, the first there are.
void ScopeFrontier::draw(Pool& from, uint32_t dimension, uint32_t count, Pool& to) const {
  auto& tokens = from[dimension];
  std::size_t used = 0;
  while (count > 0) {
    MUSTER_CHECK(used < tokens.size());
    Token& token = tokens[used];
    const uint32_t taken = std::min(count, token.count);
    to[dimension].push_back({token.host, taken, token.scope});
    token.count -= taken;
    count -= taken;
    if (token.count == 0) ++used;
  }
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(used));
}

// Gives members their hosts: those of the node, of the nodes below that are no scopes, and of its scopes.
void ScopeFrontier::write(const Variant& variant, Pool& pool, std::vector<Slot>& slots) {
  std::vector<uint32_t> chain;
  for (uint32_t e = variant.made_of; e != 0; e = structure_.entries()[e].before) chain.push_back(e);
  std::reverse(chain.begin(), chain.end());
  for (const uint32_t e : chain) {
    const Entry entry = structure_.entries()[e];
    if (entry.members) {
      Pool taken(width_);
      draw(pool, entry.kind, entry.count, taken);
      for (const Token& token : taken[entry.kind])
        slots.push_back({entry.node, entry.kind, token.host, token.count});
      continue;
    }
    const Variant& below = structure_.variants(entry.node)[entry.variant];
    const uint32_t counted = structure_.class_of_node(entry.node);
    if (counted == UINT32_MAX) {
      write(below, pool, slots);
      continue;
    }
    const uint32_t d = structure_.classes()[counted].dimensions[entry.variant];
    Pool taken(width_);
    draw(pool, d, 1, taken);
    write(below, scopes_[taken[d].front().scope].pool, slots);
  }
}

}  // namespace muster::placement
