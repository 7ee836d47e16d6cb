// What the API server says when it refuses: HTTP status and Status object → Error. One table for every call.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/client.h"

namespace muster::kube {

// The parts of a Status object that matter.
struct ApiStatus {
  int code = 0;
  std::string reason;   // Expired, Conflict, TooManyRequests, …
  std::string message;  // for people
  std::optional<std::chrono::seconds> retry_after;
  bool version_too_large = false;  // the server has not yet seen the resource version that was asked for
  bool uid_differs = false;        // the object's uid is not the one the call named
};

// A body that is no Status gives an empty one with the body's beginning as message.
[[nodiscard]] ApiStatus read_status(std::string_view json);

// 2xx has no code. 408 and 5xx are kUnavailable, 429 kThrottled, 400, 405, 406, 413, 415 and 422 kInvalid,
// the rest has its own; a 422 that is about the uid is kConflict. What is not in the table is kInternal.
[[nodiscard]] std::optional<ErrorCode> code_of(int http_status);

// `what` names call and object: "bind pod ns/a to host-1".
[[nodiscard]] Error error_of(std::string_view what, int http_status, const ApiStatus& status);
// The same for a whole reply, with its Retry-After header. Nothing when the call succeeded.
[[nodiscard]] std::optional<Error> error_of(std::string_view what, const http::Reply& reply);

}  // namespace muster::kube
