// How to reach and convince an API server, before any file is opened: what a kubeconfig or a pod's service
// account says. Credentials (credentials.h) turns it into what a connection needs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kube/exec_plugin.h"

namespace muster::kube {

// A PEM text or a token, given as such or by a file that is read again when it may have changed. A value,
// where both are set, wins over the file.
struct Secret {
  std::string value;
  std::string file;
  [[nodiscard]] bool empty() const { return value.empty() && file.empty(); }
};

struct Access {
  std::string server;  // "https://host:port"
  Secret ca;
  std::string tls_server_name;
  bool insecure_skip_verify = false;
  Secret client_cert;
  Secret client_key;
  Secret token;                    // the file wins here, as in client-go
  std::optional<ExecPlugin> exec;  // where token or certificate come from when it is set
  std::string ns;                  // the context's or the service account's namespace, may be empty
  std::string found;  // where this came from, for the log: "context kind of /home/a/config", "in-cluster"
};

// The process's surroundings, as an argument.
struct Environment {
  std::function<std::optional<std::string>(const std::string&)> variable;
  std::function<Result<std::string>(const std::string&)> read_file;
  // False only of a file that surely is not there: one that may not be looked at counts as there.
  std::function<bool(const std::string&)> exists;
  std::string service_account_directory = "/var/run/secrets/kubernetes.io/serviceaccount";
};
[[nodiscard]] Environment process_environment();

// Reads a whole file of at most 4 MiB. kInvalid names the file and what is wrong.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

// `kubeconfig` (may be empty), else the files that $KUBECONFIG names, else the service account of the pod
// this runs in. kInvalid says what was looked for and what is missing.
[[nodiscard]] Result<Access> find_access(const std::string& kubeconfig, const Environment& environment);

}  // namespace muster::kube
