// A run's outcome as named figures, runs side by side, and bounds on what may get worse.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/simulator.h"

namespace muster::sim {

enum class Unit { kNumber, kSeconds, kShare, kRatio };

struct Figure {
  std::string key;    // "wait-p95", "excess-span/rack"
  std::string label;  // for people
  Unit unit = Unit::kNumber;
  std::optional<double> value;  // none: there is nothing to measure
};

struct Run {
  std::string name;
  std::vector<Figure> figures;  // the same keys in the same order for the same trace and levels
};

[[nodiscard]] Run make_run(std::string name, const Trace& trace, const Outcome& outcome);

// "wait-p95=+5%": the figure of the second run is at most 5 % above that of the first; "allocation=-1%": at
// most 1 % below.
struct Bound {
  std::string text;
  std::string key;
  double percent = 0;
};
// kInvalid names the value.
[[nodiscard]] Result<Bound> parse_bound(std::string_view text);

struct Judgement {
  Bound bound;
  double first = 0;
  double second = 0;
  // Groups that only the second never placed: the other figures leave them out, so that these broke the
  // bound.
  double more_never_placed = 0;
  bool kept = false;
};
// kInvalid when one of the runs has no such figure; the message names those there are.
[[nodiscard]] Result<Judgement> judge(const Bound& bound, const Run& first, const Run& second);

// A line a figure, a column a run; with two runs the change between them.
[[nodiscard]] std::string render_text(const std::vector<Run>& runs, const std::vector<Judgement>& judgements);
// {"runs":[{"name":…,"figures":{…}}],"bounds":[…]}, see docs/reference.md; one line and a newline.
[[nodiscard]] std::string render_json(const std::vector<Run>& runs, const std::vector<Judgement>& judgements);

}  // namespace muster::sim
