#include "placement/structure.h"

#include <algorithm>

namespace muster::placement {
namespace {

constexpr std::size_t kMaxVariants = 3000;
constexpr uint32_t kNoClass = UINT32_MAX;

}  // namespace

Need add(const Need& a, const Need& b, uint32_t times) {
  Need sum;
  sum.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].first < b[j].first)) {
      sum.push_back(a[i++]);
    } else if (i == a.size() || b[j].first < a[i].first) {
      sum.emplace_back(b[j].first, b[j].second * times);
      ++j;
    } else {
      sum.emplace_back(a[i].first, a[i].second + b[j].second * times);
      ++i;
      ++j;
    }
  }
  return sum;
}

Structure::Structure(Problem& problem, Mode mode, const std::vector<LevelId>& levels)
    : problem_(problem),
      mode_(mode),
      levels_(levels),
      variants_(problem.nodes.size()),
      entries_(1),
      class_of_node_(problem.nodes.size(), kNoClass),
      dimension_class_(problem.kinds.size(), kNoClass),
      dimension_way_(problem.kinds.size(), 0) {
  for (auto node = static_cast<uint32_t>(problem.nodes.size()); node-- > 0 && !too_large();) fill(node);
  for (ScopeClass& it : classes_) std::sort(it.nodes.begin(), it.nodes.end());
  std::stable_sort(variants_[0].begin(), variants_[0].end(),
                   [](const Variant& a, const Variant& b) { return a.placed > b.placed; });
}

void Structure::fill(uint32_t node) {
  std::vector<Partial> partials(1);
  add_direct(node, partials);
  for (const uint32_t child : problem_.nodes[node].children) add_child(node, child, partials);
  finish(node, partials);
  if (node != 0 && levels_[node] != kClusterLevel) make_scope(node);
}

void Structure::add_direct(uint32_t node, std::vector<Partial>& partials) {
  uint64_t product = 1;
  for (const auto& direct : problem_.nodes[node].direct)
    product = std::min<uint64_t>(product * (direct.members.size() + 1), uint64_t{1} << 40);
  const bool coarse = product > kMaxVariants;
  for (const auto& direct : problem_.nodes[node].direct) {
    const auto all = static_cast<uint32_t>(direct.members.size());
    std::vector<uint32_t> counts;
    if (mode_ == Mode::kAll) {
      counts = {all};
    } else if (coarse) {
      incomplete_ = true;
      counts = {0, std::min(all, problem_.nodes[node].minimum.value_or(all)), all};
      counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
    } else {
      for (uint32_t count = 0; count <= all; ++count) counts.push_back(count);
    }
    std::vector<Partial> next;
    work_ += partials.size() * counts.size();
    if (too_large()) return;
    for (const Partial& partial : partials) {
      for (const uint32_t count : counts) {
        Partial more = partial;
        if (count > 0) {
          entries_.push_back({partial.variant.made_of, node, true, direct.kind, count, 0});
          more.variant.made_of = static_cast<uint32_t>(entries_.size() - 1);
          more.variant.need = add(partial.variant.need, {{direct.kind, count}});
          more.variant.placed += count;
        }
        next.push_back(std::move(more));
      }
    }
    partials = std::move(next);
    merge_alike(partials);
  }
}

void Structure::add_child(uint32_t node, uint32_t child, std::vector<Partial>& partials) {
  (void)node;
  const Node& below = problem_.nodes[child];
  const uint32_t scope = class_of_node_[child];
  std::vector<Partial> next;
  work_ += partials.size() * variants_[child].size();
  if (too_large()) return;
  for (const Partial& partial : partials) {
    for (uint32_t way = 0; way < variants_[child].size(); ++way) {
      const Variant& filled = variants_[child][way];
      Partial more = partial;
      if (filled.placed > 0) {
        entries_.push_back({partial.variant.made_of, child, false, 0, 0, way});
        more.variant.made_of = static_cast<uint32_t>(entries_.size() - 1);
        more.variant.placed += filled.placed;
        more.variant.need = scope == kNoClass
                                ? add(partial.variant.need, filled.need)
                                : add(partial.variant.need, {{classes_[scope].dimensions[way], 1}});
      }
      // A slice may stay out; a subgroup with minima may not, unless only some have to stand.
      const bool obliged = !below.is_slice && (below.minimum || below.min_subgroups);
      if (obliged && !filled.reached) more.obliged_ok = false;
      if (filled.reached && filled.placed + below.bound >= below.minimum.value_or(std::max(below.total, 1U)))
        ++more.standing;
      next.push_back(std::move(more));
    }
  }
  partials = std::move(next);
  merge_alike(partials);
}

// Partials that need the same are one; where there are too many, the middle ones are given up.
void Structure::merge_alike(std::vector<Partial>& partials) {
  if (partials.size() < 2) return;
  std::map<std::tuple<Need, uint32_t, bool>, std::size_t> seen;
  std::vector<Partial> kept;
  for (Partial& it : partials)
    if (seen.emplace(std::tuple{it.variant.need, it.standing, it.obliged_ok}, kept.size()).second)
      kept.push_back(std::move(it));
  partials = std::move(kept);
  if (partials.size() <= kMaxVariants) return;
  incomplete_ = true;
  std::stable_sort(partials.begin(), partials.end(),
                   [](const Partial& a, const Partial& b) { return a.variant.placed < b.variant.placed; });
  const auto half = static_cast<std::ptrdiff_t>(kMaxVariants / 2);
  partials.erase(partials.begin() + half, partials.end() - half);
}

void Structure::finish(uint32_t node, std::vector<Partial>& partials) {
  const Node& it = problem_.nodes[node];
  const uint32_t minimum = it.minimum.value_or(node == 0 && !it.min_subgroups ? it.total : 0);
  for (Partial& partial : partials) {
    Variant& variant = partial.variant;
    const uint32_t holds = variant.placed + it.bound;
    variant.reached = holds >= minimum && partial.standing >= it.min_subgroups.value_or(0);
    const bool must_stand = holds > 0 || node == 0;
    if (must_stand && (!variant.reached || (!it.min_subgroups && !partial.obliged_ok))) continue;
    if (node == 0 && variant.placed < problem_.needed) continue;
    variants_[node].push_back(std::move(variant));
  }
}

// Ways of filling the scope become dimensions; scopes with the same ways are one class.
void Structure::make_scope(uint32_t node) {
  std::vector<Need> needs;
  bool any = false;
  for (const Variant& variant : variants_[node]) {
    needs.push_back(variant.placed > 0 ? variant.need : Need{});
    any = any || variant.placed > 0;
  }
  if (!any) {
    class_of_node_[node] = kNoClass;
    return;
  }
  const uint32_t owner_scope = problem_.separate_scope(node);
  const auto [it, fresh] = known_.emplace(std::tuple{levels_[node], problem_.nodes[node].level,
                                                     problem_.nodes[node].exclusive, owner_scope, needs},
                                          static_cast<uint32_t>(classes_.size()));
  if (fresh) {
    ScopeClass made;
    made.level = levels_[node];
    made.required = problem_.nodes[node].level;
    made.exclusive = problem_.nodes[node].exclusive;
    made.owner_scope = owner_scope;
    made.needs = needs;
    for (uint32_t way = 0; way < needs.size(); ++way) {
      made.dimensions.push_back(static_cast<uint32_t>(dimension_class_.size()));
      dimension_class_.push_back(static_cast<uint32_t>(classes_.size()));
      dimension_way_.push_back(way);
    }
    classes_.push_back(std::move(made));
  }
  class_of_node_[node] = it->second;
  classes_[it->second].nodes.push_back(node);
}

uint32_t Structure::owner_of(uint32_t dimension, LevelId exclusive_level) const {
  uint32_t scope = 0;
  const uint32_t counted = dimension_class_[dimension];
  if (counted == kNoClass) {
    scope = problem_.kinds[dimension].separate;
  } else {
    const ScopeClass& it = classes_[counted];
    if (it.exclusive == exclusive_level && problem_.topology.nests(exclusive_level, it.level)) return kSelf;
    scope = it.owner_scope;
  }
  for (; scope != 0; scope = problem_.nodes[scope].parent)
    if (problem_.nodes[scope].exclusive == exclusive_level) return scope;
  return 0;
}

}  // namespace muster::placement
