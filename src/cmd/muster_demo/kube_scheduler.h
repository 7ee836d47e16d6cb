// Plays kube-scheduler towards muster-extender: one loop that tries pod after pod and calls /filter, and for
// each pod that found its node a thread that calls /bind. What it keeps of the real one: gated pods are not
// looked at, a nominated node is tried first and alone, only nodes with room are offered, an assumed pod uses
// its node at once, a refused pod is tried again when anything in the cluster changes, a failed bind after a
// second.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "cmd/muster_demo/cluster.h"
#include "http/client.h"

namespace muster::demo {

class KubeScheduler {
 public:
  // cluster outlives the scheduler. It takes pods whose spec.schedulerName is "muster".
  [[nodiscard]] static Result<std::unique_ptr<KubeScheduler>> start(Cluster& cluster,
                                                                    const std::string& extender_url);
  ~KubeScheduler();  // cuts the calls under way
  KubeScheduler(const KubeScheduler&) = delete;
  KubeScheduler& operator=(const KubeScheduler&) = delete;

  // Calls of filter for pods whose name begins so.
  [[nodiscard]] int filter_calls(const std::string& pod_prefix) const;
  // The last thing that went wrong, for messages; empty when nothing did.
  [[nodiscard]] std::string last_trouble() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Binding {
    std::unique_ptr<http::Client> client;
    std::thread thread;
  };

  KubeScheduler(Cluster& cluster, std::string url, std::unique_ptr<http::Client> client);
  void run();
  [[nodiscard]] bool stopping() const;
  void try_pods(uint64_t changes);
  // Whether the pod waits for a node and something has changed since it was last tried.
  [[nodiscard]] bool is_due(const PodView& pod, uint64_t changes);
  void try_pod(const ClusterView& view, const PodView& pod);
  [[nodiscard]] std::vector<std::string> nodes_with_room(const ClusterView& view, const PodView& pod) const;
  [[nodiscard]] std::optional<std::string> filter(const PodView& pod, const std::vector<std::string>& nodes);
  void assume(const PodView& pod, const std::string& node);
  void bind(http::Client& client, const PodView& pod, const std::string& node);
  void note_trouble(std::string trouble);

  Cluster& cluster_;
  const std::string url_;
  const std::unique_ptr<http::Client> client_;

  mutable std::mutex mutex_;
  std::map<std::string, std::pair<std::string, int>>
      assumed_;                               // uid → node and GPUs, until the watch shows it
  std::map<std::string, SteadyTime> failed_;  // uid → when to try again after a failed bind
  std::map<std::string, uint64_t> tried_;     // uid → changes of the view then
  std::map<std::string, int> filter_calls_;   // pod name → count
  std::string trouble_;
  std::vector<Binding> bindings_;
  bool stopping_ = false;
  std::thread loop_;
};

}  // namespace muster::demo
