// Going back down: what was found possible becomes hosts for members, scope by scope.
#include <algorithm>

#include "placement/narrow_fold.h"
#include "placement/scope_frontier.h"

namespace muster::placement {

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
