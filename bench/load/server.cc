#include "load/server.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "extender/refusal_log.h"
#include "extender/routes.h"
#include "http/memory.h"
#include "http/server.h"

namespace muster::bench {
namespace {

using std::chrono::steady_clock;

// Members of the group «train» are planned on the node that their name ends with; binds wait.
class BlockingDecisions final : public extender::Decisions {
 public:
  extender::FilterDecision filter(const extender::PodIdentity& pod) override {
    if (pod.group_name.empty()) return extender::Foreign{promises_};
    return extender::Planned{pod.name.substr(pod.name.find('.') + 1)};
  }
  void node_refused(const extender::PodIdentity&, const std::string&) override {}
  Result<void> bind(const extender::BindCall&) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    released_.wait(lock, [round = round_, this] { return round != round_; });
    --waiting_;
    return {};
  }
  bool may_preempt(const extender::PodIdentity&, const std::vector<std::string>&) override { return true; }
  bool ready() const override { return true; }
  std::string metrics() const override { return {}; }

  int waiting() {
    std::lock_guard lock(mutex_);
    return waiting_;
  }
  void release() {
    std::lock_guard lock(mutex_);
    ++round_;
    released_.notify_all();
  }

 private:
  std::shared_ptr<const extender::Promises> promises_ = std::make_shared<extender::Promises>();
  std::mutex mutex_;
  std::condition_variable released_;
  int waiting_ = 0;
  int round_ = 0;
};

class Times {
 public:
  void add(double ms) {
    std::lock_guard lock(mutex_);
    if (values_.size() < 1'000'000) values_.push_back(ms);
  }
  std::string take() {
    std::lock_guard lock(mutex_);
    std::string out;
    for (double value : std::exchange(values_, {})) out += fmt::format("{:.4f}\n", value);
    return out;
  }

 private:
  std::mutex mutex_;
  std::vector<double> values_;
};

http::Response text(std::string body) {
  http::Response response;
  response.body = std::move(body);
  return response;
}

}  // namespace

int serve(const std::string& tls_dir) {
  http::tune_allocator();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  BlockingDecisions decisions;
  extender::Refusals refusals;
  const extender::RefusalLog log(refusals);
  extender::Service service(decisions, refusals);
  Times times;
  http::ServerOptions options;
  if (!tls_dir.empty()) options.tls = {tls_dir + "/tls.crt", tls_dir + "/tls.key", tls_dir + "/ca.crt", {}};
  http::Server server(options);
  extender::add_routes(server, service, decisions);
  // In the place of add_routes()'s own: the same with a clock.
  server.route("POST", "/filter", [&](const http::Request& request) {
    auto begin = steady_clock::now();
    extender::Answer answer = service.filter(request.body, request.caller);
    times.add(std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count());
    http::Response response;
    response.status = answer.status;
    response.pieces = std::move(answer.reply.pieces);
    response.body = std::move(answer.reply.end);
    return response;
  });
  server.route("GET", "/bench/waiting",
               [&](const http::Request&) { return text(std::to_string(decisions.waiting())); });
  server.route("GET", "/bench/times", [&](const http::Request&) { return text(times.take()); });
  server.route("POST", "/bench/release", [&](const http::Request&) {
    decisions.release();
    return text("{}");
  });
  auto port = server.start();
  if (!port) {
    fmt::print(stderr, "bench_load: {}\n", port.error().message);
    return 2;
  }
  fmt::print("{}\n", *port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  decisions.release();
  server.stop(std::chrono::seconds(5));
  return 0;
}

}  // namespace muster::bench
