// What every program does with its command line and its standard streams.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/paths.h"
#include "support/program.h"

namespace muster {
namespace {

using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

test::Outcome run(const std::string& program, Words words, const std::string& in = "/dev/null") {
  words.insert(words.begin(), test::binary_dir() + "/src/cmd/" + program);
  return test::run(std::move(words), test::Folder(), in);
}

test::Outcome run_into_full_disk(Words words) {
  words[0] = test::binary_dir() + "/src/cmd/" + words[0];
  words.insert(words.begin(), {"/bin/sh", "-c", "exec \"$0\" \"$@\" >/dev/full"});
  return test::run(std::move(words), test::Folder());
}

std::string demo_cluster() { return test::source_dir() + "/manifests/demo/cluster.yaml"; }

}  // namespace

TEST_CASE("every program tells its version and its options") {
  for (const std::string program : {"muster", "muster-extender", "muster-demo"}) {
    INFO(program);
    const test::Outcome version = run(program, {"--version"});
    CHECK(version.status == 0);
    CHECK(version.out.starts_with(program + " "));
    const test::Outcome help = run(program, {"--help"});
    CHECK(help.status == 0);
    CHECK_THAT(help.out, Contains("--version"));
  }
}

TEST_CASE("a mistake on the command line is told behind the program's name, with status 2") {
  const auto refused = [](const std::string& program, const Words& words) {
    const test::Outcome outcome = run(program, words);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  for (const std::string program : {"muster", "muster-extender", "muster-demo"})
    CHECK_THAT(refused(program, {"--nonsense"}), Contains(program + ": option \"--nonsense\" is not known"));
  CHECK_THAT(refused("muster", {}), Contains("muster: A subcommand is required"));
  CHECK_THAT(refused("muster", {"plam"}),
             Contains("muster: subcommand \"plam\" is not known, did you mean plan?"));
  CHECK_THAT(refused("muster", {"plan"}), Contains("muster plan: --filename is required"));
  CHECK_THAT(refused("muster", {"plan", "--levle", "x"}),
             Contains("muster plan: option \"--levle\" is not known"));
  CHECK_THAT(refused("muster", {"sim", "--trace", "t"}), Contains("muster sim: --cluster or --nodes"));
  CHECK_THAT(refused("muster-extender", {"word"}),
             Contains("muster-extender: argument \"word\" is not known"));
  CHECK_THAT(refused("muster-demo", {}), Contains("muster-demo: --extender is required"));
  CHECK_THAT(refused("muster-demo", {"--extender", "x", "--cluster", "/nowhere", "--config", "/nowhere"}),
             Contains("muster-demo: --cluster: ") && Contains("/nowhere"));
}

TEST_CASE("an option without a value is a mistake, and not an option that is left out") {
  CHECK_THAT(run("muster-extender", {"--probe", ""}).err, Contains("muster-extender: --probe: is empty"));
  CHECK(run("muster-extender", {"--probe", ""}).status == 2);
  CHECK(run("muster-extender", {"--cluster", ""}).status == 2);
  const test::Outcome plan = run("muster", {"plan", "--config", "", "-f", demo_cluster()});
  CHECK(plan.status == 2);
  CHECK_THAT(plan.err, Contains("muster plan: --config: is empty"));
}

TEST_CASE("an output that cannot be written is no success") {
  const auto refused = [](const Words& words) {
    const test::Outcome outcome = run_into_full_disk(words);
    CHECK(outcome.status == 2);
    return outcome.err;
  };
  CHECK_THAT(refused({"muster", "plan", "-f", demo_cluster()}),
             Contains("muster plan: standard output: No space left on device"));
  CHECK_THAT(
      refused({"muster", "sim", "--trace", test::source_dir() + "/tests/integration/command_line/trace.csv",
               "--cluster", "hgx:8"}),
      Contains("muster sim: standard output: No space left on device"));
  CHECK_THAT(refused({"muster", "--help"}), Contains("muster: standard output"));
  CHECK_THAT(refused({"muster-extender", "--version"}), Contains("muster-extender: standard output"));
}

TEST_CASE("standard input that cannot be read is no empty input") {
  const test::Outcome plan = run("muster", {"plan", "-f", "-"}, "/tmp");
  CHECK(plan.status == 2);
  CHECK_THAT(plan.err, Contains("muster plan: standard input: Is a directory"));
  const test::Outcome sim = run("muster", {"sim", "--trace", "-", "--cluster", "hgx:8"}, "/tmp");
  CHECK(sim.status == 2);
  CHECK_THAT(sim.err, Contains("muster sim: standard input: Is a directory"));
}

TEST_CASE("muster-extender does not start with a cluster file that is a directory") {
  const test::Outcome outcome = run("muster-extender", {"--cluster", "/tmp", "--port", "0"});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, Contains("muster-extender: /tmp: Is a directory"));
}

}  // namespace muster
