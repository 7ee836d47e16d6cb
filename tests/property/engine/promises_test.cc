// Promises 1 to 5 over thousands of short random lives. A failing run prints its seed; MUSTER_SEED repeats it
// with its log, MUSTER_RUNS sets how many there are and MUSTER_FIRST with which seed they begin.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "simulation.h"

using namespace muster;

namespace {

std::optional<uint64_t> from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? std::optional<uint64_t>(std::strtoull(text, nullptr, 10)) : std::nullopt;
}

std::string last_lines(const sim::Timeline& time, std::size_t most) {
  std::string text;
  const auto& lines = time.lines();
  for (std::size_t i = lines.size() > most ? lines.size() - most : 0; i < lines.size(); ++i)
    text += lines[i] + "\n";
  return text;
}

std::optional<std::string> life_of(uint64_t seed, bool logging, sim::Outcome& sum) {
  sim::Simulation simulation(seed, logging);
  try {
    const sim::Outcome outcome = simulation.run();
    sum.steps += outcome.steps;
    sum.bindings += outcome.bindings;
    sum.groups += outcome.groups;
    sum.whole += outcome.whole;
    sum.partial += outcome.partial;
    sum.waiting += outcome.waiting;
    sum.supposed += outcome.supposed;
    if (logging) std::cout << last_lines(simulation.timeline(), 100'000);
    return std::nullopt;
  } catch (const sim::Broken& broken) {
    const std::size_t lines = from_environment("MUSTER_SEED") ? 100'000 : 80;
    return fmt::format("seed {}: {}\n{}{}", seed, broken.what(), last_lines(simulation.timeline(), lines),
                       simulation.describe());
  }
}

}  // namespace

TEST_CASE(
    "The promises hold in every life of a cluster, and at its end each group is whole or holds nothing") {
  const auto one = from_environment("MUSTER_SEED");
  const uint64_t first = one.value_or(from_environment("MUSTER_FIRST").value_or(1));
  const uint64_t runs = one ? 1 : from_environment("MUSTER_RUNS").value_or(1'000);
  sim::Outcome sum;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    if (!life_of(seed, one.has_value(), sum)) continue;
    FAIL(*life_of(seed, true, sum));  // the same again, with its log
  }
  std::cout << fmt::format(
      "{} lives, {} steps, {} bindings; {} groups: {} whole, {} waiting, {} ignore a loss or are stuck, {} "
      "take "
      "a loss that nobody saw for a completion\n",
      runs, sum.steps, sum.bindings, sum.groups, sum.whole, sum.waiting, sum.partial, sum.supposed);
  if (!one) CHECK(sum.whole > sum.groups / 2);
}
