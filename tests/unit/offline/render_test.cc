#include "offline/render.h"

#include <catch2/catch.hpp>

using namespace muster;
using namespace muster::offline;

namespace {

GroupReport placed(std::vector<PlacedPod> pods, std::vector<std::string> levels = {"block", "rack"}) {
  GroupReport report;
  report.key = {"team", "train"};
  report.wanted = static_cast<uint32_t>(pods.size());
  report.levels = std::move(levels);
  report.pods = std::move(pods);
  for (std::size_t i = 0; i < report.levels.size(); ++i) {
    auto& used = report.domains[report.levels[i]];
    for (const PlacedPod& pod : report.pods) {
      const std::string& value = pod.domains[i];
      if (!value.empty() && std::find(used.begin(), used.end(), value) == used.end()) used.push_back(value);
    }
  }
  report.steps = 12;
  report.micros = 34;
  return report;
}

GroupReport refused(std::string message) {
  GroupReport report;
  report.key = {"team", "train"};
  report.outcome = Outcome::kNo;
  report.wanted = 5;
  report.code = "members";
  report.message = std::move(message);
  return report;
}

}  // namespace

TEST_CASE("A placed group is a picture of its domains with a line for every member") {
  const GroupReport report = placed({{"train-0", "n1", 0, {"b1", "b1/r1"}},
                                     {"train-1", "n2", 1, {"b1", "b1/r1"}},
                                     {"train-10", "n9", 10, {"b1", "b1/r12"}}});
  CHECK(render_text({report}, false) == R"(✓ team/train  3 members placed: 2 racks in block b1
    block b1       ■■■ 3
      rack b1/r1   ■■ 2
         0  train-0   n1
         1  train-1   n2
      rack b1/r12  ■ 1
        10  train-10  n9
)");
}

TEST_CASE("The headline says where a group is as closely as one word can") {
  const auto headline = [](const GroupReport& report) {
    const std::string text = render_text({report}, false);
    return text.substr(0, text.find('\n'));
  };
  CHECK(headline(placed({{"a", "n1", 0, {"b1", "b1/r1"}}})) == "✓ team/train  1 member placed: rack b1/r1");
  CHECK(headline(placed({{"a", "n1", 0, {"b1", "b1/r1"}}, {"b", "n2", 1, {"b2", "b2/r1"}}})) ==
        "✓ team/train  2 members placed: 2 blocks");
  CHECK(headline(placed({{"a", "n1", 0, {}}, {"b", "n1", 1, {}}}, {})) ==
        "✓ team/train  2 members placed: host n1");
  CHECK(headline(placed({{"a", "n1", 0, {}}, {"b", "n2", 1, {}}}, {})) ==
        "✓ team/train  2 members placed: 2 hosts");
  GroupReport elastic = placed({{"a", "n1", 0, {"b1", "b1/r1"}}});
  elastic.wanted = 4;
  elastic.bound = 3;
  CHECK(headline(elastic) == "✓ team/train  1 of 4 members placed, beside 3 bound: rack b1/r1");
}

TEST_CASE("Members outside of every domain of a level are shown as such") {
  const std::string text = render_text({placed({{"a", "n1", 0, {"b1", ""}}})}, false);
  CHECK(text.find("no rack") != std::string::npos);
}

TEST_CASE("A long bar is cut") {
  std::vector<PlacedPod> pods;
  for (int i = 0; i < 50; ++i) pods.push_back({"p" + std::to_string(i), "n1", i, {"b1", "b1/r1"}});
  CHECK(render_text({placed(pods)}, false).find("■… 50\n") != std::string::npos);
}

TEST_CASE("The parts of a reason are lines of their own") {
  const GroupReport report =
      refused("rack r1 holds 4 of 5; 2 hosts excluded: tainted (2); it fits at level block");
  CHECK(render_text({report}, false) == R"(✗ team/train  does not fit
    rack r1 holds 4 of 5
    2 hosts excluded: tainted (2)
    it fits at level block
)");
}

TEST_CASE("A rejection is told as one line") {
  GroupReport report = refused("muster.dev/min-member: \"a; b\" is not a whole number from 1 to 100000");
  report.outcome = Outcome::kRejected;
  report.code = "rejected";
  CHECK(render_text({report}, true) == R"(✗ team/train  rejected
    muster.dev/min-member: "a; b" is not a whole number from 1 to 100000
    decided in 0 steps, 0 µs
)");
}

TEST_CASE("An explanation counts hosts and leaves out what is zero") {
  GroupReport report = refused("rack r1 holds 4 of 5");
  report.steps = 7;
  report.micros = 9;
  report.subgroup = "prefill";
  NearMiss miss;
  miss.level = "rack";
  miss.domain = "r1";
  miss.holds = 4;
  miss.wanted = 5;
  miss.counts = "members";
  miss.hosts = 6;
  miss.excluded = {{"tainted", 1}, {"not ready", 1}};
  miss.resource = "memory";
  miss.short_by = int64_t{8} << 30;
  report.nearest = {miss};
  const std::string text = render_text({report}, true);
  CHECK(text.find("    nearest rack r1: 4 of 5 members, 4 of 6 hosts usable, memory short by 8Gi\n") !=
        std::string::npos);
  CHECK(text.find("on 0 hosts") == std::string::npos);
  CHECK(text.find("    certificate members, in subgroup prefill\n") != std::string::npos);
  CHECK(text.find("    decided in 7 steps, 9 µs\n") != std::string::npos);
  report.nearest[0].short_hosts = 1;
  CHECK(render_text({report}, true).find("short by 8Gi on 1 host\n") != std::string::npos);
}

TEST_CASE("Several groups are summed up in the last line, and none is said") {
  const GroupReport good = placed({{"a", "n1", 0, {"b1", "b1/r1"}}});
  const std::string mixed = render_text({good, refused("x")}, false);
  CHECK(mixed.substr(mixed.rfind('\n', mixed.size() - 2) + 1) == "1 of 2 groups fit\n");
  const std::string all = render_text({good, good}, false);
  CHECK(all.substr(all.rfind('\n', all.size() - 2) + 1) == "all 2 groups fit\n");
  CHECK(render_text({}, true) == "no group waits for a place\n");
}

TEST_CASE("JSON is one line with a reason only where a group does not fit") {
  const GroupReport good = placed({{"a", "n1", 0, {"b1", "b1/r1"}}});
  CHECK(render_json({good}) ==
        R"({"groups":[{"namespace":"team","name":"train","verdict":"fits","placed":1,)"
        R"("pods":[{"name":"a","node":"n1","rank":0}],"domains":{"block":["b1"],"rack":["b1/r1"]},)"
        R"("steps":12,"micros":34}]})"
        "\n");
  CHECK(render_json({refused("x \xff")})
            .find("\"reason\":{\"code\":\"members\",\"message\":\"x \xef\xbf\xbd\"") != std::string::npos);
  CHECK(render_json({}) == "{\"groups\":[]}\n");
}
