// How long a node is given to come back.
#include "engine/node_health.h"

#include <catch2/catch.hpp>

using namespace muster;
using namespace muster::engine;
using group::NodeFate;

namespace {

struct Health {
  NodeHealth health{Duration(10'000), Duration(5'000)};
  TimePoint now{Duration(1'000)};

  bool saw(Sighting sighting) { return health.saw("n", sighting, now); }
  NodeFate fate() const { return health.fate("n"); }
  std::vector<std::string> after(int64_t ms) {
    now += Duration(ms);
    return health.take_due(now);
  }
};

}  // namespace

TEST_CASE_METHOD(Health, "A node that was never seen is not in trouble") {
  CHECK(fate() == NodeFate::kFine);
  CHECK_FALSE(health.next_timer());
  CHECK_FALSE(saw(Sighting::kReady));
}

TEST_CASE_METHOD(Health, "A node that is not ready is lost when its grace is over, and named once") {
  CHECK(saw(Sighting::kNotReady));
  CHECK(fate() == NodeFate::kNotReady);
  CHECK(health.next_timer() == now + Duration(10'000));
  CHECK(after(9'999).empty());
  CHECK_FALSE(saw(Sighting::kNotReady));  // its grace does not begin anew
  CHECK(after(1) == std::vector<std::string>{"n"});
  CHECK(fate() == NodeFate::kLost);
  CHECK(after(1).empty());
  CHECK_FALSE(health.next_timer());
  CHECK(saw(Sighting::kReady));
  CHECK(fate() == NodeFate::kFine);
}

TEST_CASE_METHOD(Health, "A node that is not there is gone when its grace is over") {
  CHECK(saw(Sighting::kAbsent));
  CHECK(after(4'999).empty());
  CHECK(after(1) == std::vector<std::string>{"n"});
  CHECK(fate() == NodeFate::kGone);
}

TEST_CASE_METHOD(Health, "A lost node stays lost while it changes from one trouble to another") {
  static_cast<void>(saw(Sighting::kNotReady));
  static_cast<void>(after(10'000));
  CHECK_FALSE(saw(Sighting::kAbsent));
  CHECK(fate() == NodeFate::kLost);
  CHECK(after(5'000) == std::vector<std::string>{"n"});
  CHECK(fate() == NodeFate::kGone);
  CHECK(saw(Sighting::kNotReady));
  CHECK(fate() == NodeFate::kLost);
}

TEST_CASE_METHOD(Health, "A node that nobody is bound to is forgotten") {
  static_cast<void>(saw(Sighting::kAbsent));
  CHECK(health.troubled() == std::vector<std::string>{"n"});
  health.forget("n");
  CHECK(health.troubled().empty());
  CHECK(fate() == NodeFate::kFine);
}
