// Credentials from a program: the «exec» entry of a kubeconfig user (client.authentication.k8s.io).
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace muster::kube {

struct ExecPlugin {
  std::string command;  // a path, or a name that is looked up in PATH
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;  // added to this process's own
  std::string api_version;
  std::string install_hint;
  friend bool operator==(const ExecPlugin&, const ExecPlugin&) = default;
};

struct ExecCredential {
  std::string token;
  std::string client_cert;
  std::string client_key;
  std::optional<Duration> lifetime;  // from now; nothing: until it is rejected
  friend bool operator==(const ExecCredential&, const ExecCredential&) = default;
};

inline constexpr Duration kExecTimeout{60'000};

// Runs the program and waits for it; it gets no input, and its messages go to this process's stderr. `info`
// is what it finds in KUBERNETES_EXEC_INFO. kInvalid when it cannot be run, takes longer than `timeout`,
// after which it is killed with its children, fails, or prints no credential of the expected version. What it
// prints never stands in an error. Blocks until the program ends, or `stop`, which kills it too (kCancelled);
// any thread.
[[nodiscard]] Result<ExecCredential> run_exec_plugin(const ExecPlugin& plugin, const std::string& info,
                                                     const std::stop_token& stop = {},
                                                     Duration timeout = kExecTimeout);

// The credential in what a plugin printed. `now` is Unix time.
[[nodiscard]] Result<ExecCredential> parse_exec_credential(std::string_view json,
                                                           std::string_view api_version, int64_t now);

}  // namespace muster::kube
