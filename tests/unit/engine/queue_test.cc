// The engine's queue has an end for the reflectors: who reports more waits, and so does the API server.
#include <catch2/catch.hpp>
#include <chrono>
#include <future>

#include "engine/engine.h"
#include "support/fake_writer.h"

using namespace muster;

namespace {

// Takes nothing from its queue before start(): what is reported until then stays there.
struct Stalled {
  muster::test::FakeWriter api;
  SteadyClock clock;
  std::unique_ptr<engine::Engine> engine;

  Stalled() {
    engine::EngineOptions options;
    options.queue_limit = 2;
    engine = std::make_unique<engine::Engine>(
        options, api, clock, [] { return 0.5; }, [] { return std::string("p"); });
  }
};

template <typename Report>
void check_that_the_third_waits(Stalled& stalled, const Report& report) {
  report();
  report();
  auto third = std::async(std::launch::async, report);
  CHECK(third.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
  stalled.engine->start();
  CHECK(third.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  stalled.engine->stop();  // else a third that still waits would hang the test
}

}  // namespace

TEST_CASE("Who reports nodes waits while the queue is full") {
  Stalled stalled;
  check_that_the_third_waits(stalled, [&] { stalled.engine->nodes_changed({}); });
}

TEST_CASE("Who reports pods waits while the queue is full") {
  Stalled stalled;
  check_that_the_third_waits(stalled, [&] { stalled.engine->pods_changed({}); });
}

TEST_CASE("Who waits for room in the queue is released by stop") {
  Stalled stalled;
  stalled.engine->nodes_changed({});
  stalled.engine->pods_changed({});
  auto third = std::async(std::launch::async, [&] { stalled.engine->pods_changed({}); });
  CHECK(third.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
  stalled.engine->stop();
  CHECK(third.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}
