#include "http/request_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace muster::http {
namespace {

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

HeadRefusal refuse(int status, std::string message) { return {status, std::move(message)}; }

std::string_view skip_empty_lines(std::string_view bytes) {
  while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  return bytes;
}

std::optional<HeadRefusal> parse_request_line(std::string_view line, RequestHead& out) {
  std::size_t first = line.find(' ');
  std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return refuse(400, fmt::format("request line {} is not METHOD TARGET HTTP/1.1", quoted(line)));
  }
  std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 32) {
    return refuse(400, fmt::format("method {} is not a token", quoted(method)));
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    int status = version.starts_with("HTTP/") ? 505 : 400;
    return refuse(status, fmt::format("version {} is not HTTP/1.1", quoted(version)));
  }
  if (target.size() > kMaxTargetBytes) {
    return refuse(414, fmt::format("target of {} bytes is longer than {}", target.size(), kMaxTargetBytes));
  }
  if (target.starts_with("http://") || target.starts_with("https://")) {
    std::size_t slash = target.find('/', target.find("//") + 2);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  bool visible = std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c != 127; });
  if (!target.starts_with('/') || !visible) {
    return refuse(400, fmt::format("target {} is not an absolute path", quoted(target)));
  }
  std::size_t question = target.find('?');
  out.method = method;
  out.path = percent_decode(target.substr(0, question), false);
  if (question != std::string_view::npos) out.query = target.substr(question + 1);
  out.keep_alive = version == "HTTP/1.1";
  return std::nullopt;
}

std::optional<HeadRefusal> parse_header(std::string_view line, RequestHead& out) {
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refuse(400, fmt::format("header line {} is not NAME: VALUE", quoted(line)));
  }
  std::string_view value = trim(line.substr(colon + 1));
  bool clean = std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127;
  });
  if (!clean)
    return refuse(400, fmt::format("header {} holds a control character", quoted(line.substr(0, colon))));
  if (out.headers.size() == kMaxHeaders) return refuse(431, fmt::format("more than {} headers", kMaxHeaders));
  out.headers.emplace_back(line.substr(0, colon), value);
  return std::nullopt;
}

std::optional<HeadRefusal> apply_content_length(std::string_view value, RequestHead& out, bool seen) {
  uint64_t length = 0;
  auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (value.empty() || code != std::errc() || end != value.data() + value.size()) {
    return refuse(400, fmt::format("Content-Length {} is not a number", quoted(value)));
  }
  if (seen && length != out.content_length) return refuse(400, "two different Content-Length headers");
  out.content_length = length;
  return std::nullopt;
}

// What the headers say about the body and the connection.
std::optional<HeadRefusal> apply_framing(RequestHead& out) {
  bool length_seen = false;
  for (const auto& [name, value] : out.headers) {
    if (same_name(name, "Content-Length")) {
      if (auto refusal = apply_content_length(value, out, length_seen)) return refusal;
      length_seen = true;
    } else if (same_name(name, "Transfer-Encoding")) {
      if (out.chunked || !same_name(value, "chunked")) {
        return refuse(501, fmt::format("Transfer-Encoding {} is not supported, only chunked", quoted(value)));
      }
      out.chunked = true;
    } else if (same_name(name, "Content-Encoding")) {
      if (!value.empty() && !same_name(value, "identity")) {
        return refuse(415,
                      fmt::format("Content-Encoding {} is not supported, send it as it is", quoted(value)));
      }
    } else if (same_name(name, "Connection")) {
      if (same_name(value, "close")) out.keep_alive = false;
      if (same_name(value, "keep-alive")) out.keep_alive = true;
    } else if (same_name(name, "Expect")) {
      if (!same_name(value, "100-continue")) return refuse(417, fmt::format("Expect {}", quoted(value)));
      out.expect_continue = true;
    }
  }
  if (length_seen && out.chunked) return refuse(400, "both Content-Length and Transfer-Encoding");
  bool takes_body = out.method != "GET" && out.method != "HEAD" && out.method != "OPTIONS";
  if (out.has_body() && !takes_body) return refuse(400, fmt::format("{} with a body", out.method));
  return std::nullopt;
}

}  // namespace

std::string_view RequestHead::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

std::string RequestHead::query_value(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    std::size_t end = rest.find('&');
    std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    std::size_t equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    return equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1), true);
  }
  return {};
}

std::size_t find_head_end(std::string_view bytes) {
  std::string_view rest = skip_empty_lines(bytes);
  std::size_t end = rest.find("\r\n\r\n");
  return end == std::string_view::npos ? 0 : bytes.size() - rest.size() + end + 4;
}

bool can_begin_request(std::string_view bytes) {
  std::string_view rest = skip_empty_lines(bytes);
  std::string_view method = rest.substr(0, std::min<std::size_t>(rest.find(' '), 33));
  if (rest.starts_with('\r') || rest.empty()) return true;
  return method.size() <= 32 && is_token(method);
}

std::variant<RequestHead, HeadRefusal> parse_head(std::string_view head) {
  head = skip_empty_lines(head);
  if (head.ends_with("\r\n\r\n")) head.remove_suffix(2);
  RequestHead out;
  bool first = true;
  while (!head.empty()) {
    std::size_t end = head.find("\r\n");
    std::string_view line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
    auto refusal = first ? parse_request_line(line, out) : parse_header(line, out);
    if (refusal) return *std::move(refusal);
    first = false;
  }
  if (first) return refuse(400, "empty request");
  if (auto refusal = apply_framing(out)) return *std::move(refusal);
  return out;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace muster::http
