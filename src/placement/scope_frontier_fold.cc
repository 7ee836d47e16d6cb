// Going up: hosts fold into domains, and scopes are closed in each.
#include <algorithm>
#include <numeric>

#include "placement/narrow_fold.h"
#include "placement/scope_frontier.h"

namespace muster::placement {
namespace {

constexpr std::size_t kMaxVectors = 5000;

}  // namespace

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

}  // namespace muster::placement
