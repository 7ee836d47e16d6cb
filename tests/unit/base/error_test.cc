#include "base/error.h"

#include <array>
#include <catch2/catch.hpp>
#include <set>

namespace muster {
namespace {

constexpr std::array kAllCodes{ErrorCode::kInvalid,      ErrorCode::kUnavailable, ErrorCode::kThrottled,
                               ErrorCode::kUnauthorized, ErrorCode::kForbidden,   ErrorCode::kNotFound,
                               ErrorCode::kConflict,     ErrorCode::kExpired,     ErrorCode::kCancelled,
                               ErrorCode::kInternal};

TEST_CASE("error: each code has a name of its own") {
  std::set<std::string_view> names;
  for (const ErrorCode code : kAllCodes) names.insert(to_string(code));
  CHECK(names.size() == kAllCodes.size());
  CHECK(names.count("unknown") == 0);
}

TEST_CASE("error: the reaction follows from the code alone") {
  CHECK(reaction_of(ErrorCode::kUnavailable) == Reaction::kRetry);
  CHECK(reaction_of(ErrorCode::kThrottled) == Reaction::kRetry);
  CHECK(reaction_of(ErrorCode::kUnauthorized) == Reaction::kRetry);
  CHECK(reaction_of(ErrorCode::kInternal) == Reaction::kRetry);
  CHECK(reaction_of(ErrorCode::kExpired) == Reaction::kRelist);
  CHECK(reaction_of(ErrorCode::kNotFound) == Reaction::kReplan);
  CHECK(reaction_of(ErrorCode::kConflict) == Reaction::kReplan);
  CHECK(reaction_of(ErrorCode::kInvalid) == Reaction::kReject);
  CHECK(reaction_of(ErrorCode::kForbidden) == Reaction::kReject);
  CHECK(reaction_of(ErrorCode::kCancelled) == Reaction::kFatal);
}

TEST_CASE("error: invalid() makes a kInvalid with the formatted message") {
  const Result<int> result = invalid("min-member: \"{}\" is not a number", "four");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kInvalid);
  CHECK(result.error().message == "min-member: \"four\" is not a number");
  CHECK_FALSE(result.error().retry_after);
}

}  // namespace
}  // namespace muster
