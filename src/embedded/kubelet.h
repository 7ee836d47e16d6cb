// Plays the kubelets: a bound pod becomes Running and Ready after a moment. Readiness gates hold Ready back
// until their conditions are True.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "embedded/store.h"

namespace muster::embedded {

// Brings the status of a bound pod to what a kubelet would report. Leaves ended and unbound pods alone. Pure.
void sync_pod(Json& pod, const std::string& now);

// Runs on a thread of its own until the store is closed; the destructor waits for it. REQUIRES: the store is
// closed before the destructor runs.
class Kubelet {
 public:
  Kubelet(Store& store, std::chrono::milliseconds start_delay, std::function<std::string()> now);
  ~Kubelet();
  Kubelet(const Kubelet&) = delete;
  Kubelet& operator=(const Kubelet&) = delete;

 private:
  void run();
  // Watches from a version on; returns when it is forgotten or the store is closed.
  void follow(Version after);
  void start(const std::string& ns, const std::string& name);

  Store& store_;
  const std::chrono::milliseconds start_delay_;
  const std::function<std::string()> now_;
  std::thread thread_;
};

}  // namespace muster::embedded
