// The search over domains, common to all packers: levels fine to coarse, domains tightest first.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "muster/mix.h"
#include "muster/verdict.h"
#include "placement/problem.h"
#include "placement/slots.h"

namespace muster::placement {

// What is known about one domain or one level.
enum class Answer : uint8_t { kFits, kNo, kOpen };

struct Outcome {
  Answer answer = Answer::kNo;
  NoCode code = NoCode::kMembers;  // of a kNo
  DomainId domain = kNoDomain;
  std::vector<Slot> slots;
  bool in_rank_order = false;   // the slots are in the order in which members get them, all of node 0
  std::vector<Miss> nearest;    // of a kNo that knows better than to count members; loosest level first
  std::vector<LevelId> levels;  // of a kFits: per node what it was held to; empty: what is required
};

struct Search {
  Problem& problem;
  Budget& budget;   // for deciding
  Budget& quality;  // for improving
  Mix* mix = nullptr;
};

// The whole decision, by whichever method the request calls for.
[[nodiscard]] Outcome decide(Search& search);

// Domains of a level that hold the bound members.
[[nodiscard]] std::vector<DomainId> candidates(const Problem& problem, LevelId level);
// The same, one after another, until one is the last that is looked at (false).
void each_candidate(const Problem& problem, LevelId level, const std::function<bool(DomainId)>& look_at);

// One kind, no structure: exact, the budget is not touched.
[[nodiscard]] Outcome decide_identical(Search& search);

// Alike slices (T2): exact, the budget is not touched. REQUIRES: problem.plainly_sliced().
[[nodiscard]] Outcome decide_slices(Search& search);

// Several kinds, no structure: the ladder of methods in each domain.
[[nodiscard]] Outcome decide_mixed(Search& search);

// Subgroups that are all alike. Absent when they are not, or when it takes the general method to tell.
[[nodiscard]] std::optional<Outcome> decide_alike(Search& search);

// Subgroups, slices, minima, exclusive use: decided jointly.
[[nodiscard]] Outcome decide_structured(Search& search);

}  // namespace muster::placement
