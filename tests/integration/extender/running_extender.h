// The extender's verbs on a real server over loopback, with decisions that the test gives.
#pragma once

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>

#include "extender/routes.h"
#include "http/client.h"
#include "http/server.h"

namespace muster::extender {

// Binds wait until they are released.
class GatedDecisions : public Decisions {
 public:
  FilterDecision filter(const PodIdentity& pod) override {
    if (pod.group_name.empty()) return Foreign{promises_};
    return Planned{"node-1"};
  }
  void node_refused(const PodIdentity&, const std::string&) override { ++refused; }
  Result<void> bind(const BindCall&) override {
    std::unique_lock lock(mutex_);
    ++waiting;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    --waiting;
    return {};
  }
  bool may_preempt(const PodIdentity&, const std::vector<std::string>&) override { return true; }
  bool ready() const override { return is_ready; }
  std::string metrics() const override { return "muster_up 1\n"; }

  bool wait_for_binds(int count, std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return waiting >= count; });
  }
  void release() {
    std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

  std::atomic<int> refused = 0;
  std::atomic<int> waiting = 0;
  std::atomic<bool> is_ready = false;

 private:
  std::shared_ptr<const Promises> promises_ = std::make_shared<Promises>();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
};

// The server's timeouts are long, so that a busy machine fails no test; those which wait for one say so.
inline http::ServerOptions with_timeout(std::chrono::seconds timeout) {
  http::ServerOptions options;
  options.io_timeout = timeout;
  return options;
}

struct RunningExtender {
  explicit RunningExtender(http::ServerOptions options = with_timeout(std::chrono::seconds(30)))
      : service(decisions, refusals), server(options) {
    add_routes(server, service, decisions);
    auto started = server.start();
    REQUIRE(started);
    port = *started;
  }
  ~RunningExtender() { decisions.release(); }

  [[nodiscard]] std::unique_ptr<http::Client> client() const {
    http::ClientOptions options;
    options.base_url = "http://127.0.0.1:" + std::to_string(port);
    return http::Client::create(options).value();
  }

  GatedDecisions decisions;
  Refusals refusals;
  Service service;
  http::Server server;
  uint16_t port = 0;
};

inline std::string filter_body(const std::string& group, int names) {
  std::string annotations =
      group.empty() ? "" : R"(,"annotations":{"muster.dev/group-name":")" + group + "\"}";
  std::string body = R"({"Pod":{"metadata":{"name":"p","namespace":"n","uid":"u")" + annotations +
                     R"(},"spec":{"containers":[]}},"Nodes":null,"NodeNames":[)";
  for (int i = 0; i < names; ++i) body += (i > 0 ? ",\"node-" : "\"node-") + std::to_string(i) + "\"";
  return body + "]}";
}

inline std::string bind_body(int pod) {
  return R"({"PodName":"p-)" + std::to_string(pod) + R"(","PodNamespace":"n","PodUID":"u-)" +
         std::to_string(pod) + R"(","Node":"node-1"})";
}

// Resident memory of this process in MiB.
inline double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace muster::extender
