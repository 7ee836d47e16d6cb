// The writes to a real API server: one HTTP call each, at most so many a second, no repetition but after a
// 401 with renewed credentials. See api.h for what each call does.
//
// Thread rule: as Writer; calls run in parallel, each on a connection of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "kube/api.h"
#include "kube/connections.h"
#include "kube/credentials.h"
#include "kube/encode.h"
#include "kube/token_bucket.h"

namespace muster::kube {

struct ClientOptions {
  double qps = 1000;  // all calls of this client together
  double burst = 2000;
  std::size_t idle_connections = 64;
  EventSource source{"muster-extender", "muster-extender"};
  // For the times in events and their names.
  std::function<std::chrono::system_clock::time_point()> wall_clock = std::chrono::system_clock::now;
};

class Client final : public Writer {
 public:
  // `clock` must outlive this.
  Client(ClientOptions options, std::shared_ptr<Credentials> credentials, const Clock& clock);
  ~Client() override;  // stops

  Result<void> nominate(const PodRef& pod, const std::string& node, const std::string& plan) override;
  Result<void> release(const PodRef& pod) override;
  Result<void> bind(const PodRef& pod, const std::string& node, const StringMap& annotations) override;
  Result<Pod> get_pod(const std::string& ns, const std::string& name) override;
  Result<void> evict(const PodRef& pod, Removal how) override;
  Result<void> mark(const PodRef& pod, const std::string& why) override;
  Result<void> set_ready(const PodRef& pod, bool ready) override;
  Result<void> record(const EventRecord& event) override;

  // Calls under way or waiting for their turn, and all later ones, return kCancelled soon. Idempotent.
  void stop();

 private:
  Result<std::string> call(std::string_view what, std::string_view method, const std::string& path,
                           std::string_view body, std::string_view content_type);
  Result<void> write(const std::string& what, std::string_view method, const std::string& path,
                     const std::string& body, std::string_view content_type);
  // False when stop() came first.
  bool wait_for_turn();

  const ClientOptions options_;
  const Clock& clock_;
  TokenBucket bucket_;
  Connections connections_;
  std::atomic<uint64_t> events_{0};
  std::mutex mutex_;  // guards stopped_
  std::condition_variable stop_;
  bool stopped_ = false;
};

}  // namespace muster::kube
