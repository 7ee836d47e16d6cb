#include "sim/report.h"

#include <catch2/catch.hpp>

using namespace muster;
using namespace muster::sim;

namespace {

// Groups of one member wait 0 … 99 s, two of five members 100 s and for ever.
Trace hundred_and_two() {
  Trace trace(102);
  trace[100].members = trace[101].members = 5;
  return trace;
}

Outcome waits_of_hundred() {
  Outcome outcome;
  for (int i = 0; i <= 100; ++i) outcome.waits.push_back(Duration(1'000 * i));
  outcome.waits.push_back(std::nullopt);
  return outcome;
}

Run run_of(double p95, double allocation) {
  return {"run",
          {{"wait-p95", "wait p95", Unit::kSeconds, p95},
           {"allocation", "GPU allocation", Unit::kShare, allocation},
           {"fragmentation/rack", "fragmentation", Unit::kShare, std::nullopt}}};
}

bool kept(const char* bound, const Run& first, const Run& second) {
  const auto parsed = parse_bound(bound);
  REQUIRE(parsed);
  const auto judgement = judge(*parsed, first, second);
  REQUIRE(judgement);
  return judgement->kept;
}

double value(const Run& run, const std::string& key) {
  for (const Figure& figure : run.figures) {
    if (figure.key == key) return figure.value.value_or(-1);
  }
  return -2;
}

}  // namespace

TEST_CASE("report: waits are percentiles by nearest rank, of all and of each class of sizes") {
  const Run run = make_run("a", hundred_and_two(), waits_of_hundred());
  CHECK(value(run, "wait-p50/1") == 49);
  CHECK(value(run, "wait-p95/1") == 94);
  CHECK(value(run, "wait-p99/1") == 98);
  CHECK(value(run, "wait-p99/4-7") == 100);
  CHECK(value(run, "wait-p50") == 50);
  CHECK(value(run, "never-placed") == 1);
  CHECK(value(run, "decisions-per-second") == -1);
}

TEST_CASE("report: a bound with + is a limit from above, with - from below") {
  const Run first = run_of(100, 0.8);
  CHECK(kept("wait-p95=+5%", first, run_of(105, 0)));
  CHECK_FALSE(kept("wait-p95=+5%", first, run_of(105.1, 0)));
  CHECK(kept("wait-p95=+0%", first, run_of(100, 0)));
  CHECK(kept("allocation=-10%", first, run_of(0, 0.73)));
  CHECK_FALSE(kept("allocation=-10%", first, run_of(0, 0.71)));
  CHECK_FALSE(kept("allocation=-0%", first, run_of(0, 0.79)));
}

TEST_CASE("report: no bound holds when more groups are never placed, but one on their number") {
  const auto with = [](double never, double wait) {
    return Run{"run",
               {{"never-placed", "never placed", Unit::kNumber, never},
                {"wait-p95", "wait p95", Unit::kSeconds, wait},
                {"allocation", "GPU allocation", Unit::kShare, 1}}};
  };
  const Run first = with(10, 100);
  CHECK(kept("wait-p95=+5%", first, with(10, 100)));
  CHECK(kept("wait-p95=+5%", first, with(9, 100)));
  CHECK_FALSE(kept("wait-p95=+5%", first, with(11, 50)));
  CHECK_FALSE(kept("allocation=-50%", first, with(11, 50)));
  CHECK(kept("never-placed=+10%", first, with(11, 50)));
  CHECK_FALSE(kept("never-placed=+10%", first, with(12, 50)));

  const auto judgement = judge(*parse_bound("wait-p95=+5%"), first, with(50, 50));
  REQUIRE(judgement);
  CHECK_THAT(render_text({}, {*judgement}),
             Catch::Contains("✗ wait-p95=+5%: 40 more groups are never placed\n"));
  CHECK_THAT(render_json({}, {*judgement}), Catch::Contains("\"kept\":false,\"moreNeverPlaced\":40}"));
}

TEST_CASE("report: a bound that is none, or speaks of no figure, is refused") {
  for (const char* text :
       {"wait-p95", "wait-p95=5%", "wait-p95=+5", "=+5%", "wait-p95=+x%", "wait-p95=+-5%", ""}) {
    INFO(text);
    CHECK_FALSE(parse_bound(text));
  }
  const auto unknown = judge(*parse_bound("wait-p96=+5%"), run_of(1, 1), run_of(1, 1));
  REQUIRE_FALSE(unknown);
  CHECK_THAT(unknown.error().message,
             Catch::Contains("\"wait-p96\"") && Catch::Contains("wait-p95, allocation"));
  CHECK_FALSE(judge(*parse_bound("fragmentation/rack=+5%"), run_of(1, 1), run_of(1, 1)));
}

TEST_CASE("report: two runs stand side by side with the change") {
  Run second = run_of(150, 0.8);
  second.name = "other";
  const std::string text = render_text({run_of(100, 0.8), second}, {});
  CHECK_THAT(text, Catch::Contains("run") && Catch::Contains("other") && Catch::Contains("+50.0 %"));
  CHECK_THAT(text, Catch::Contains("fragmentation"));
  CHECK(render_json({run_of(100, 0.8)}, {}) ==
        "{\"runs\":[{\"name\":\"run\",\"figures\":{\"wait-p95\":100,\"allocation\":0.8,"
        "\"fragmentation/rack\":null}}],\"bounds\":[]}\n");
}

TEST_CASE("report: a figure that only a later run has stands where that run has it") {
  const Run first{
      "a", {{"wait-p50", "wait p50", Unit::kSeconds, 1}, {"allocation", "allocated", Unit::kShare, 1}}};
  const Run second{"b",
                   {{"wait-p50", "wait p50", Unit::kSeconds, 1},
                    {"wait-p50/1", "wait p50, 1 member", Unit::kSeconds, 1},
                    {"allocation", "allocated", Unit::kShare, 1}}};
  const std::string text = render_text({first, second}, {});
  CHECK(text.find("wait p50, 1 member") < text.find("allocated"));
}
