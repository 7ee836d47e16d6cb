#include "config/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "base/names.h"
#include "base/text.h"

namespace muster::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alphanumeric(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }

// Kubernetes' grammar of a label's name and value.
bool is_qualified_name(std::string_view text) {
  if (text.empty() || text.size() > 63) return false;
  if (!is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_dns_subdomain(std::string_view text) {
  if (text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_ip_address(const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

}  // namespace

Result<void> check_level_name(std::string_view name) {
  if (name == "host" || name == "kubernetes.io/hostname") {
    return invalid("{} is the name of every tree's last level and is not listed", quoted(name));
  }
  if (is_qualified_name(name)) return {};
  return invalid(
      "{} is no name: letters, digits, '-', '_' and '.' are allowed, a letter or digit at both ends, at most "
      "63",
      quoted(name));
}

Result<void> check_label_key(std::string_view key) {
  if (key == "kubernetes.io/hostname") {
    return invalid("{} tells hosts apart: the host is every tree's last level and is not listed",
                   quoted(key));
  }
  const std::size_t slash = key.find('/');
  const bool good = slash == std::string_view::npos
                        ? is_qualified_name(key)
                        : is_dns_subdomain(key.substr(0, slash)) && is_qualified_name(key.substr(slash + 1));
  if (good) return {};
  return invalid("{} is no label key such as topology.kubernetes.io/zone", quoted(key));
}

Result<void> check_listen_address(std::string_view address) {
  const std::string text(address);
  if (text.find('\0') == std::string::npos && is_ip_address(text)) return {};
  // Digits and dots alone are a mistyped IPv4 address, never a host name.
  const bool numeric = std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
  if (!numeric && is_dns_subdomain(address)) return {};
  return invalid("{} is no address such as 127.0.0.1, ::1 or a host name (the port stands in server.port)",
                 quoted(address));
}

Result<void> check_object_name(std::string_view name) {
  if (is_dns_subdomain(name)) return {};
  return invalid("{} is no object's name (DNS labels with dots between them, at most 253)", quoted(name));
}

Result<void> check_scheduler_name(std::string_view name) {
  const auto is_graphic = [](char c) { return c > ' ' && c != 0x7F; };
  if (name.size() <= 253 && std::all_of(name.begin(), name.end(), is_graphic)) return {};
  return invalid("{} is no scheduler name: at most 253 characters, no spaces", quoted(name));
}

}  // namespace muster::config
