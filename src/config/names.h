// The grammars of names that the configuration file contains. Private to this folder; pure, linear.
#pragma once

#include <string_view>

#include "base/error.h"

namespace muster::config {

// Of a tree or a level: letters, digits, '-', '_' and '.', alphanumeric at both ends, at most 63, and not
// what the host's level is called. '/', '@' and ',' mean something where constraints name a level.
[[nodiscard]] Result<void> check_level_name(std::string_view name);

// A Kubernetes label key: "name" or "dns.prefix/name".
[[nodiscard]] Result<void> check_label_key(std::string_view key);

// What a server can listen on: an IPv4 or IPv6 address or a host name, without scheme, port or brackets.
[[nodiscard]] Result<void> check_listen_address(std::string_view address);

// Of an object of a kind whose names may contain dots. A namespace's is a DNS label (base/names.h).
[[nodiscard]] Result<void> check_object_name(std::string_view name);

// spec.schedulerName of a pod. Kubernetes asks nothing of it; we ask for at most 253 printable characters
// without spaces.
[[nodiscard]] Result<void> check_scheduler_name(std::string_view name);

}  // namespace muster::config
