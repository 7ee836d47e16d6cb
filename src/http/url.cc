#include "http/url.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace muster::http {
namespace {

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

bool is_address_char(char c) { return is_host_char(c) || c == ':' || c == '%'; }

}  // namespace

Result<BaseUrl> parse_base_url(std::string_view url) {
  BaseUrl out;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    out.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return invalid("server URL {} does not begin with https:// or http://", quoted(url));
  }
  std::string_view authority = rest.substr(0, rest.find('/'));
  out.path = rest.substr(authority.size());
  while (out.path.ends_with('/')) out.path.pop_back();

  std::string_view host = authority;
  std::string_view port;
  bool bracketed = authority.starts_with('[');
  std::size_t colon = bracketed ? authority.find("]:") : authority.rfind(':');
  if (colon != std::string_view::npos) {
    if (bracketed) ++colon;
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  if (bracketed) {
    if (!host.ends_with(']')) return invalid("server URL {} has no ] behind its host", quoted(url));
    host = host.substr(1, host.size() - 2);
  }
  bool good =
      !host.empty() && std::all_of(host.begin(), host.end(), bracketed ? is_address_char : is_host_char);
  if (!good) return invalid("server URL {} has no usable host", quoted(url));
  out.host = host;

  if (colon == std::string_view::npos) {
    out.port = out.tls ? 443 : 80;
    return out;
  }
  auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  bool number = !port.empty() && code == std::errc() && end == port.data() + port.size() && out.port != 0;
  if (!number) return invalid("server URL {} has the port {}, which is none", quoted(url), quoted(port));
  return out;
}

}  // namespace muster::http
