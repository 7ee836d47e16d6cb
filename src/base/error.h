// Errors as values. Result<T> is used everywhere inside; exceptions stop in the adapter that called the
// library which throws them. A broken invariant is not an error: MUSTER_CHECK aborts, and the state is
// rebuilt from the API within seconds.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace muster {

// What went wrong, as far as the reaction to it differs. reaction_of() is the one table of reactions.
enum class ErrorCode {
  kInvalid,       // the input contradicts itself or its grammar; the message names field and value
  kUnavailable,   // connection refused or cut, timeout, 5xx: the same call may succeed later
  kThrottled,     // 429: the same call may succeed after retry_after
  kUnauthorized,  // 401: credentials must be read again
  kForbidden,     // 403
  kNotFound,      // 404: the object is gone
  kConflict,      // 409: the object is not as the call supposed
  kExpired,       // 410: the resource version is too old
  kCancelled,     // we stopped it ourselves
  kInternal,      // the other side broke its protocol
};

enum class Reaction { kRetry, kRelist, kReplan, kReject, kFatal };

// The reaction to an error of a call to the API server.
// retry: same call again with backoff. relist: the cache is stale, list again. replan: the object differs
// from what the plan supposed. reject: tell the user. fatal: give up and exit.
[[nodiscard]] constexpr Reaction reaction_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kThrottled:
    case ErrorCode::kUnauthorized:
    case ErrorCode::kInternal:
      return Reaction::kRetry;
    case ErrorCode::kExpired:
      return Reaction::kRelist;
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
      return Reaction::kReplan;
    case ErrorCode::kInvalid:
    case ErrorCode::kForbidden:
      return Reaction::kReject;
    case ErrorCode::kCancelled:
      return Reaction::kFatal;
  }
  return Reaction::kFatal;
}

[[nodiscard]] std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one line; names the field and the value for kInvalid
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};

template <typename T>
using Result = tl::expected<T, Error>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> invalid(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(Error{ErrorCode::kInvalid, fmt::format(format, std::forward<Args>(args)...)});
}

[[noreturn]] void abort_on_broken_invariant(const char* condition, const char* file, int line);

}  // namespace muster

// Aborts when an invariant of ours is broken, in every build.
#define MUSTER_CHECK(condition)           \
  (static_cast<bool>(condition) ? void(0) \
                                : ::muster::abort_on_broken_invariant(#condition, __FILE__, __LINE__))
