#include "cmd/muster_demo/child.h"

#include <signal.h>

#include <catch2/catch.hpp>

namespace muster::demo {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<Child> shell(const std::string& script) {
  auto child = Child::start({"/bin/sh", "-c", script});
  REQUIRE(child);
  return std::move(*child);
}

TEST_CASE("A line of the child is found by its beginning, from stdout and stderr") {
  const auto child = shell("echo noise; echo 'API on here'; echo 'serving on there' >&2; exec sleep 60");
  CHECK(*child->line_after("API on ", milliseconds(5000)) == "here");
  CHECK(*child->line_after("serving on ", milliseconds(5000)) == "there");
}

TEST_CASE("A child that ends without the line is not waited for, and its last words are kept") {
  const auto child = shell("echo 'no such file' >&2; exit 2");
  const auto line = child->line_after("serving on ", milliseconds(5000));
  REQUIRE_FALSE(line);
  CHECK_THAT(line.error().message, Catch::Contains("ended"));
  CHECK_THAT(child->last_lines(1), Catch::Contains("no such file"));
  CHECK(child->stop() == 2);
}

TEST_CASE("A child that keeps silent is not waited for longer than allowed") {
  const auto child = shell("exec sleep 60");
  const auto line = child->line_after("serving on ", milliseconds(10));
  REQUIRE_FALSE(line);
  CHECK_THAT(line.error().message, Catch::Contains("runs"));
}

TEST_CASE("A child is asked to end, and its status is kept") {
  // Only once it speaks it is the shell: before, it is a copy of this test that catches the signal.
  const auto sleeper = shell("echo up; exec sleep 60");
  REQUIRE(sleeper->line_after("u", milliseconds(5000)));
  CHECK(sleeper->stop() == 128 + SIGTERM);
  const auto child = shell("trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done");
  REQUIRE(child->line_after("u", milliseconds(5000)));
  CHECK(child->stop() == 0);
  CHECK(child->stop() == 0);
}

TEST_CASE("A program that is not there is named") {
  const auto child = Child::start({"/no/such/program"});
  REQUIRE(child);
  const auto line = (*child)->line_after("serving on ", milliseconds(5000));
  REQUIRE_FALSE(line);
  CHECK_THAT((*child)->last_lines(1), Catch::Contains("/no/such/program"));
}

}  // namespace
}  // namespace muster::demo
