// Runs the program `muster` of this build.
#pragma once

#include <string>
#include <vector>

#include "case_file.h"
#include "support/program.h"

namespace muster::plan_cases {

using test::Outcome;

// Writes the files into a folder of their own, runs `muster plan ARGUMENTS -f …` there and removes the
// folder. A file called "-" is standard input; files "d/…" are given as the folder d; one called "--config"
// is the configuration.
[[nodiscard]] Outcome run_plan(const std::vector<std::string>& arguments, const std::vector<TextFile>& files);

}  // namespace muster::plan_cases
