#include "placement/decision.h"

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

}  // namespace

Outcome decide(Search& search) {
  Problem& problem = search.problem;
  if (problem.pending == 0) return around_bound(problem);
  if (problem.plainly_sliced()) return decide_slices(search);
  if (!problem.flat()) {
    if (auto outcome = decide_alike(search)) return *outcome;
    return decide_structured(search);
  }
  if (problem.kinds.size() == 1) return decide_identical(search);
  return decide_mixed(search);
}

}  // namespace muster::placement
