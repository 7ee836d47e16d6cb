#include "placement/decision.h"

#include <optional>
#include <utility>

#include "placement/quality.h"
#include "placement/unit_choice.h"

namespace muster::placement {
namespace {

// Nothing to place: the finest domain of the ladder around the bound members, if the required level has one.
Outcome around_bound(const Problem& problem) {
  Outcome outcome;
  for (const LevelId level : problem.ladder) {
    const auto domains = candidates(problem, level);
    if (domains.empty()) continue;
    outcome.answer = Answer::kFits;
    outcome.domain = domains.front();
    break;
  }
  return outcome;
}

Outcome decide_span(Search& search) {
  Problem& problem = search.problem;
  if (problem.pending == 0) return around_bound(problem);
  if (problem.plainly_sliced()) return decide_slices(search);
  if (problem.flat() && problem.kinds.size() == 1) return decide_identical(search);
  std::optional<Outcome> alike = problem.flat() ? std::nullopt : decide_alike(search);
  const Effort effort = problem.flat() || alike ? Effort::kSmall : Effort::kFull;
  Outcome outcome = alike            ? std::move(*alike)
                    : problem.flat() ? decide_mixed(search)
                                     : decide_structured(search);
  if (outcome.answer != Answer::kFits) return outcome;
  if (problem.nodes[0].strategy == Strategy::kSpread)
    spread_evenly(search, outcome);
  else
    use_fewer_domains(search, outcome, effort);
  return outcome;
}

}  // namespace

Outcome decide(Search& search) {
  Outcome outcome = decide_span(search);
  if (search.mix != nullptr && outcome.answer == Answer::kFits && search.problem.pending > 0)
    choose_unit(search, *search.mix, outcome);
  return outcome;
}

}  // namespace muster::placement
