// The demo's hands on the cluster: a view that a watch keeps up to date, and the few calls a user makes.
//
// Thread rule: every function may be called from several threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.h"
#include "cmd/muster_demo/cluster_view.h"
#include "http/client.h"

namespace muster::demo {

class Cluster {
 public:
  // Lists the nodes and begins to watch the pods of the API at this URL.
  [[nodiscard]] static Result<std::unique_ptr<Cluster>> connect(const std::string& url);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  [[nodiscard]] ClusterView view() const;
  // Calls look with the view now and after every change until it answers true or the time is over.
  [[nodiscard]] bool wait_until(const std::function<bool(const ClusterView&)>& look,
                                std::chrono::milliseconds timeout) const;
  // The number of changes of the view so far; waits a moment for it to differ from `seen`.
  [[nodiscard]] uint64_t changes_after(uint64_t seen, std::chrono::milliseconds timeout) const;

  [[nodiscard]] Result<void> create_pod(const Json& pod);
  [[nodiscard]] Result<void> delete_pod(const std::string& name);
  // The message of the newest Event with this reason about a pod whose name begins so; empty when there is
  // none.
  [[nodiscard]] Result<std::string> event_message(const std::string& pod_prefix, const std::string& reason);

 private:
  Cluster(std::unique_ptr<http::Client> calls, std::unique_ptr<http::Client> watch, ClusterView view);
  Result<Json> call(const std::string& method, const std::string& path, const std::string& body);
  void follow();
  void take_line(std::string_view line);

  std::mutex calls_mutex_;
  const std::unique_ptr<http::Client> calls_;
  const std::unique_ptr<http::Client> watch_;

  mutable std::mutex view_mutex_;
  mutable std::condition_variable changed_;
  ClusterView view_;
  uint64_t changes_ = 0;
  std::thread watching_;
};

}  // namespace muster::demo
