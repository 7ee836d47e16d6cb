// What the embedded API answers when it refuses: an HTTP status with the reason and message of a Kubernetes
// Status object. Its own type and not muster::Error, because 409 is AlreadyExists for one call and Conflict
// for another, and clients tell them apart.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "embedded/json.h"

namespace muster::embedded {

struct Failure {
  int code = 500;
  std::string reason;  // NotFound, AlreadyExists, Conflict, Invalid, BadRequest, Expired, …
  std::string message;
};

template <typename T>
using Answer = tl::expected<T, Failure>;

// `what` is the resource with its name, e.g. `pods "a"`.
[[nodiscard]] tl::unexpected<Failure> not_found(std::string_view what);
[[nodiscard]] tl::unexpected<Failure> already_exists(std::string_view what);
[[nodiscard]] tl::unexpected<Failure> conflict(std::string_view what, std::string_view why);
[[nodiscard]] tl::unexpected<Failure> expired(std::string_view why);
[[nodiscard]] tl::unexpected<Failure> not_allowed(std::string_view method, std::string_view what);
[[nodiscard]] tl::unexpected<Failure> unsupported_media(std::string_view type);

// 422: the object is understood and not acceptable.
template <typename... Args>
[[nodiscard]] tl::unexpected<Failure> unacceptable(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(Failure{422, "Invalid", fmt::format(format, std::forward<Args>(args)...)});
}
// 400: the call is not understood.
template <typename... Args>
[[nodiscard]] tl::unexpected<Failure> bad_request(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(Failure{400, "BadRequest", fmt::format(format, std::forward<Args>(args)...)});
}

[[nodiscard]] Json status_object(const Failure& failure);
[[nodiscard]] Json success_object();

}  // namespace muster::embedded
