// The base URL of a server, taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace muster::http {

struct BaseUrl {
  bool tls = false;
  std::string host;  // without brackets
  uint16_t port = 0;
  std::string path;  // "" or "/prefix" without a slash at its end
};

// "https://host[:port][/prefix]", IPv6 hosts in brackets. kInvalid says what is wrong.
[[nodiscard]] Result<BaseUrl> parse_base_url(std::string_view url);

}  // namespace muster::http
