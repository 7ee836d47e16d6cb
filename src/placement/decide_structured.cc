// Requests with subgroups, slices, minima or exclusive use below the group itself.
#include <algorithm>
#include <optional>

#include "placement/decision.h"
#include "placement/scope_frontier.h"
#include "placement/scope_search.h"
#include "placement/structure.h"
#include "placement/subgroup_bounds.h"

namespace muster::placement {
namespace {

// Members and hosts up to which a search is worth a try before large tables.
constexpr std::size_t kSmall = 64;

class StructuredDecision {
 public:
  explicit StructuredDecision(Search& search) : search_(search), problem_(search.problem) {}

  Outcome run() {
    for (const auto& levels : wishes()) {
      Outcome outcome = run_mode(Mode::kAll, levels, search_.budget.rest() / 4);
      if (outcome.answer == Answer::kFits) return outcome;
    }
    const std::vector<LevelId> required = required_levels();
    const uint64_t rest = search_.budget.rest();
    Outcome outcome = run_mode(Mode::kAll, required, may_leave_out() ? rest / 2 : rest);
    if (outcome.answer == Answer::kFits || !may_leave_out()) return outcome;
    return run_mode(Mode::kLeast, required, search_.budget.rest());
  }

 private:
  // Members may stay out when the group's minimum says so, or a subgroup's place in it.
  [[nodiscard]] bool may_leave_out() const { return problem_.elastic(); }

  [[nodiscard]] std::vector<LevelId> required_levels() const {
    std::vector<LevelId> levels;
    for (const Node& node : problem_.nodes) levels.push_back(node.level);
    levels[0] = kClusterLevel;
    return nested(std::move(levels));
  }

  // A subgroup inside one that is held to a finer level is held to that one as well: the coarser level would
  // be closed only after the finer one, and the outer subgroup could never be made of it.
  [[nodiscard]] std::vector<LevelId> nested(std::vector<LevelId> levels) const {
    std::vector<LevelId> within = levels;  // per node: the finest level it or a node above is held to
    for (uint32_t i = 1; i < levels.size(); ++i) {
      const LevelId outer = within[problem_.nodes[i].parent];
      if (outer == kClusterLevel) continue;
      if (levels[i] != kClusterLevel && problem_.topology.nests(levels[i], outer)) levels[i] = outer;
      within[i] = levels[i] == kClusterLevel ? outer : levels[i];
    }
    return levels;
  }

  // A scope closed on the level a subgroup inside it wants for itself, or a finer one, would hide that
  // subgroup.
  [[nodiscard]] bool hides_exclusive(uint32_t scope, LevelId level) const {
    for (uint32_t node = scope + 1; node < problem_.nodes.size(); ++node) {
      const LevelId wanted = problem_.nodes[node].exclusive;
      if (wanted == kClusterLevel || !problem_.topology.nests(wanted, level)) continue;
      uint32_t up = node;
      while (up != scope && up != 0) up = problem_.nodes[up].parent;
      if (up == scope) return true;
    }
    return false;
  }

  // Preferred levels of subgroups taken as required: first all of them, then each climbed one level, and so
  // on.
  [[nodiscard]] std::vector<std::vector<LevelId>> wishes() const {
    std::vector<std::vector<LevelId>> tries;
    std::vector<LevelId> levels = required_levels();
    bool any = false;
    for (uint32_t i = 1; i < levels.size(); ++i) {
      if (problem_.nodes[i].preferred == kClusterLevel || hides_exclusive(i, problem_.nodes[i].preferred))
        continue;
      levels[i] = problem_.nodes[i].preferred;
      any = true;
    }
    while (any) {
      tries.push_back(nested(levels));
      any = false;
      for (std::size_t i = 1; i < levels.size(); ++i) {
        if (levels[i] == problem_.nodes[i].level || problem_.nodes[i].preferred == kClusterLevel) continue;
        const LevelId known = problem_.nodes[i].level == kClusterLevel ? levels[i] : problem_.nodes[i].level;
        const std::size_t tree = known == problem_.topology.host_level() ? 0 : problem_.topology.tree(known);
        const LevelId up = problem_.topology.coarser(levels[i], tree).value_or(kClusterLevel);
        levels[i] = problem_.topology.nests(problem_.nodes[i].level, up) ? up : problem_.nodes[i].level;
        any = any || levels[i] != problem_.nodes[i].level;
      }
    }
    return tries;
  }

  Outcome run_mode(Mode mode, const std::vector<LevelId>& levels, uint64_t share) {
    Budget part(share);
    Outcome outcome = run_within(part, mode, levels);
    search_.budget.spend(std::min(part.used(), share));
    return outcome;
  }

  Outcome run_within(Budget& budget, Mode mode, const std::vector<LevelId>& levels) {
    std::optional<Structure> structure;  // made when the first domain needs it
    Outcome result;
    result.code = NoCode::kSubGroups;
    bool open = false;
    for (const LevelId level : problem_.ladder) {
      for (const DomainId domain : hopeful(level, mode)) {
        if (cheaply_bounded(mode) && plainly_hopeless(problem_, domain, mode == Mode::kAll)) continue;
        if (!structure) structure.emplace(problem_, mode, levels);
        if (structure->none()) return result;
        Outcome outcome = decide_in(domain, *structure, mode, levels, budget);
        if (outcome.answer == Answer::kFits) {
          outcome.levels = levels;
          return outcome;
        }
        open = open || outcome.answer == Answer::kOpen;
      }
    }
    if (open) result.answer = Answer::kOpen;
    return result;
  }

  // Whether the bounds cost little beside what they may save.
  [[nodiscard]] bool cheaply_bounded(Mode mode) const {
    return mode == Mode::kLeast || problem_.nodes.size() <= kSmall;
  }

  // The methods in turn, each with a share of what is left of the budget, until one has an answer.
  Outcome decide_in(DomainId domain, const Structure& structure, Mode mode,
                    const std::vector<LevelId>& levels, Budget& budget) {
    Outcome outcome;
    outcome.domain = domain;
    outcome.code = NoCode::kSubGroups;
    const bool small = problem_.pending <= kSmall && problem_.topology.hosts(domain).size() <= kSmall;
    const bool elastic = mode == Mode::kLeast;
    const auto by_frontier = [&](Budget& part) { return frontier(domain, structure, part, outcome); };
    const auto by_search = [&](bool frugal) {
      return [&, frugal](Budget& part) {
        const ScopeQuestion question{problem_.topology.hosts(domain), &levels,
                                     elastic ? Leaving::kAsNeeded : Leaving::kNobody, frugal, std::nullopt};
        return decide_by_scopes(problem_, question, part, outcome.slots);
      };
    };
    outcome.answer = Answer::kOpen;
    const auto attempt = [&](auto method, uint64_t share) {
      if (outcome.answer != Answer::kOpen) return;
      outcome.slots.clear();
      Budget part(share);
      outcome.answer = method(part);
      budget.spend(std::min(part.used(), share));  // what was refused beyond the share is not done
    };
    const uint64_t all = budget.rest();
    if (small) {
      attempt(by_frontier, all / 100);
      attempt(by_search(false), all / 4);
    }
    attempt(by_frontier, budget.rest() / 3);
    if (outcome.answer == Answer::kOpen && plainly_hopeless(problem_, domain, !elastic))
      outcome.answer = Answer::kNo;
    if (elastic && !small) {
      attempt(by_search(false), budget.rest() / 4);
      attempt(by_search(true), budget.rest() / 2);
    }
    attempt(by_search(false), budget.rest());
    return outcome;
  }

  // All ways of filling the group at once; where that is too much, one after another, fewest members first.
  Answer frontier(DomainId domain, const Structure& structure, Budget& budget, Outcome& outcome) {
    if (structure.too_large()) return Answer::kOpen;
    std::vector<const Variant*> targets;
    for (const Variant& whole : structure.whole()) targets.push_back(&whole);
    Answer answer = ScopeFrontier(problem_, structure, targets, budget).decide(domain, outcome.slots);
    if (answer == Answer::kOpen && targets.size() > 1) {
      answer = Answer::kNo;
      std::reverse(targets.begin(), targets.end());
      for (const Variant* target : targets) {
        if (!budget.left(1)) return Answer::kOpen;
        outcome.slots.clear();
        const Answer one = ScopeFrontier(problem_, structure, {target}, budget).decide(domain, outcome.slots);
        if (one != Answer::kNo) answer = one;
        if (one == Answer::kFits) break;
      }
    }
    if (answer == Answer::kNo && structure.incomplete()) answer = Answer::kOpen;
    return answer;
  }

  std::vector<DomainId> hopeful(LevelId level, Mode mode) {
    std::vector<DomainId> domains = candidates(problem_, level);
    const uint32_t least = mode == Mode::kAll ? problem_.pending : problem_.needed;
    std::vector<std::pair<int64_t, DomainId>> kept;
    for (const DomainId domain : domains) {
      int64_t holds = 0;
      int64_t sum = 0;
      for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind) {
        const int64_t here = problem_.rooms(kind).domain(domain);
        holds += std::min<int64_t>(here, problem_.kinds[kind].count);
        sum += here;
      }
      if (holds >= least) kept.emplace_back(sum, domain);
    }
    std::stable_sort(kept.begin(), kept.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    domains.clear();
    for (const auto& [sum, domain] : kept) domains.push_back(domain);
    return domains;
  }

  Search& search_;
  Problem& problem_;
};

}  // namespace

Outcome decide_structured(Search& search) { return StructuredDecision(search).run(); }

}  // namespace muster::placement
