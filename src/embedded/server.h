// A Kubernetes API of nodes, pods, events and leases in this process, on a loopback port: what
// `muster-extender --cluster FILE` serves. It is there for trying Muster out and for tests; it authenticates
// nobody and forgets everything when it stops.
//
// Thread rule: start() once, stop() from any thread, also more than once.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace muster::embedded {

struct ApiServerOptions {
  uint16_t port = 0;         // 0: the kernel picks one
  std::string cluster_file;  // YAML, many documents; empty: an empty cluster
  // Members created with one of these schedulers get the gate muster.dev/hold, as the admission policy in
  // manifests/ does it.
  std::vector<std::string> hold_schedulers{"muster"};
  // Bound pods become Running and Ready after this long; nothing: they stay Pending.
  std::optional<std::chrono::milliseconds> kubelet_delay{200};
};

class ApiServer {
 public:
  explicit ApiServer(ApiServerOptions options);
  ~ApiServer();  // stops
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Loads the cluster file and serves. Returns the base URL, "http://127.0.0.1:PORT". kInvalid: the file
  // cannot be used, the message names file, object and field; kUnavailable: the port cannot be had.
  [[nodiscard]] Result<std::string> start();
  // Ends all watches and waits for calls under way for at most a second.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace muster::embedded
