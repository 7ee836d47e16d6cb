// The head of an HTTP/1.1 request: request line and headers, checked strictly and with limits on every size,
// before anything else of the server sees the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace muster::http {

inline constexpr std::size_t kMaxHeadBytes = 32u << 10;
inline constexpr std::size_t kMaxHeaders = 100;
inline constexpr std::size_t kMaxTargetBytes = 8u << 10;

struct RequestHead {
  std::string method;
  std::string path;                                          // percent-decoded, without the query
  std::string query;                                         // as sent
  std::vector<std::pair<std::string, std::string>> headers;  // as sent, in order
  uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = true;
  bool expect_continue = false;

  [[nodiscard]] bool has_body() const { return chunked || content_length > 0; }
  // First value, "" when absent; names without regard to case.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  // First value of a query parameter, decoded; "" when absent.
  [[nodiscard]] std::string query_value(std::string_view name) const;
};

// Why a request is answered with an error and its connection closed.
struct HeadRefusal {
  int status;
  std::string message;
};

// Length of the head with its empty line; 0 while it is not complete. Leading empty lines belong to it.
[[nodiscard]] std::size_t find_head_end(std::string_view bytes);
// Whether these first bytes can begin a request at all.
[[nodiscard]] bool can_begin_request(std::string_view bytes);
[[nodiscard]] std::variant<RequestHead, HeadRefusal> parse_head(std::string_view head);

// "%41" → "A"; a broken escape stays as it is. plus_is_space: in queries.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_space);

}  // namespace muster::http
