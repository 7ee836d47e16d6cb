// muster plan's input: read, and what is small is planned.
#include "fuzz/target.h"
#include "offline/input.h"
#include "offline/planner.h"

MUSTER_FUZZ_TARGET(plan_input) {
  using namespace muster;
  offline::Input read;
  if (!offline::add_text(input, "f", read)) return;
  if (!offline::finish(read) || read.nodes.size() > 50 || read.pods.size() > 50) return;
  offline::Settings settings;
  settings.trees = {{"fabric", {{"block", {"block"}}, {"rack", {"rack"}}}}};
  for (const auto& report : offline::plan(read, settings, [] { return 0; }))
    EXPECT_THAT(report.outcome == offline::Outcome::kFits || !report.message.empty());
}
