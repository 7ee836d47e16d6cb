#include "kube/status.h"

#include <algorithm>
#include <charconv>

#include "kube/json_reader.h"

namespace muster::kube {
namespace {

using Value = JsonReader::Value;

constexpr std::chrono::seconds kLongestRetryAfter{300};
constexpr std::size_t kShownOfBody = 200;
constexpr std::size_t kShownOfMessage = 1000;

std::chrono::seconds bounded(int64_t seconds) {
  return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(0), kLongestRetryAfter);
}

// {"reason": "ResourceVersionTooLarge", "message": "Too large resource version", "field": …}
void read_cause(JsonReader& reader, Value value, ApiStatus& status) {
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "reason") {
      status.version_too_large = status.version_too_large || reader.text(field) == "ResourceVersionTooLarge";
    } else if (key == "field") {
      status.uid_differs = status.uid_differs || reader.text(field) == "metadata.uid";
    }
  });
}

void read_details(JsonReader& reader, Value value, ApiStatus& status) {
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "retryAfterSeconds") {
      if (const int64_t seconds = reader.integer(field); seconds > 0) status.retry_after = bounded(seconds);
    } else if (key == "causes") {
      reader.each_element(field, [&](Value cause) { read_cause(reader, cause, status); });
    }
  });
}

// Quotes stay as they are: the server's messages are full of them.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kShownOfMessage));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      ' ');
  return line;
}

// Only the form in seconds: the API server does not send dates.
std::optional<std::chrono::seconds> retry_after_of(const http::Reply& reply) {
  const auto it = reply.headers.find("retry-after");
  if (it == reply.headers.end()) return std::nullopt;
  int64_t seconds = 0;
  const std::string& text = it->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return bounded(seconds);
}

}  // namespace

ApiStatus read_status(std::string_view json) {
  ApiStatus status;
  std::string kind;
  const auto read = read_document(json, [&](JsonReader& reader, std::string_view key, Value value) {
    if (key == "kind") {
      kind = reader.text(value);
    } else if (key == "code") {
      status.code = static_cast<int>(std::clamp<int64_t>(reader.integer(value), 0, 999));
    } else if (key == "reason") {
      status.reason = reader.text(value);
    } else if (key == "message") {
      status.message = reader.text(value);
    } else if (key == "details") {
      read_details(reader, value, status);
    }
  });
  if (read && kind == "Status") {
    // Servers before the causes existed said it in words.
    if (status.message.find("Too large resource version") != std::string::npos)
      status.version_too_large = true;
    return status;
  }
  status = {};
  status.message = json.substr(0, kShownOfBody);
  return status;
}

std::optional<ErrorCode> code_of(int http_status) {
  if (http_status >= 200 && http_status < 300) return std::nullopt;
  if (http_status >= 500 && http_status < 600) return ErrorCode::kUnavailable;
  switch (http_status) {
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
    case 422:
      return ErrorCode::kInvalid;
    case 401:
      return ErrorCode::kUnauthorized;
    case 403:
      return ErrorCode::kForbidden;
    case 404:
      return ErrorCode::kNotFound;
    case 408:
      return ErrorCode::kUnavailable;
    case 409:
      return ErrorCode::kConflict;
    case 410:
      return ErrorCode::kExpired;
    case 429:
      return ErrorCode::kThrottled;
    default:
      return ErrorCode::kInternal;
  }
}

Error error_of(std::string_view what, int http_status, const ApiStatus& status) {
  Error error;
  error.code = code_of(http_status).value_or(ErrorCode::kInternal);
  if (http_status == 422 && status.uid_differs) error.code = ErrorCode::kConflict;
  if (http_status == 0 && (status.reason == "Expired" || status.reason == "Gone"))
    error.code = ErrorCode::kExpired;
  error.message = fmt::format("{}: {} {}", what, http_status, one_line(status.message));
  if (status.retry_after) error.retry_after = *status.retry_after;
  return error;
}

std::optional<Error> error_of(std::string_view what, const http::Reply& reply) {
  if (!code_of(reply.status)) return std::nullopt;
  Error error = error_of(what, reply.status, read_status(reply.body));
  if (const auto header = retry_after_of(reply)) error.retry_after = *header;
  return error;
}

}  // namespace muster::kube
