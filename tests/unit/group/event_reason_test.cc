#include "group/event_reason.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "support/figures.h"

namespace muster::group {
namespace {

TEST_CASE("Every reason of an Event has a line in the reference, and every line is of such a reason") {
  std::set<std::string> reasons;
  for (const EventReason reason : kEventReasons) reasons.emplace(to_string(reason));
  CHECK(reasons.size() == kEventReasons.size());
  CHECK(reasons == test::documented_reasons("reference.md"));
}

}  // namespace
}  // namespace muster::group
