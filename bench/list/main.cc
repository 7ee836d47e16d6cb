// What it costs to know a large cluster: reflectors and the engine of muster-extender against an API server
// of made-up objects in a process of its own. First all nodes are listed (in both ways a server offers), then
// pod events come in at a steady rate. Processor time and memory are this process's, client and engine
// together.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "engine/engine.h"
#include "harness/bars.h"
#include "harness/harness.h"
#include "http/memory.h"
#include "kube/client.h"
#include "kube/reflector.h"
#include "list/fake_server.h"
#include "list/objects.h"

namespace muster::bench {
namespace {

using std::chrono::steady_clock;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double seconds_since(steady_clock::time_point began) {
  return std::chrono::duration<double>(steady_clock::now() - began).count();
}

// Of /proc/self/status, in megabytes: VmHWM, VmRSS.
double memory(const std::string& what) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(what + ":")) return std::stod(line.substr(what.size() + 1)) / 1024;
  }
  return 0;
}

double gauge(const engine::Engine& engine, const std::string& name) {
  const std::string text = engine.metrics();
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::stod(text.substr(at + name.size() + 2));
}

// muster-extender without its server.
class Muster {
 public:
  Muster(const std::string& url, bool watch_list) {
    kube::Access access;
    access.server = url;
    auto credentials = std::make_shared<kube::Credentials>(access, clock_, kube::read_file);
    client_ = std::make_unique<kube::Client>(kube::ClientOptions{}, credentials, clock_);
    engine::EngineOptions settings;
    settings.coordinator.trees = {
        {"fabric", {{"block", {"topology.muster.dev/block"}}, {"rack", {"topology.muster.dev/rack"}}}}};
    engine_ = std::make_unique<engine::Engine>(
        settings, *client_, clock_, [] { return 0.5; },
        [n = 0]() mutable { return fmt::format("plan-{}", ++n); });
    engine_->start();
    const auto options = [&](std::string_view path) {
      kube::ListWatchOptions result;
      result.path = path;
      result.watch_list = watch_list;
      return result;
    };
    nodes_ = std::make_unique<kube::Reflector<kube::Node>>(
        options(kube::kNodesPath), credentials, clock_, [] { return 0.5; },
        [this](kube::DeltaBatch<kube::Node> batch) { engine_->nodes_changed(std::move(batch)); });
    pods_ = std::make_unique<kube::Reflector<kube::Pod>>(
        options(kube::kPodsPath), credentials, clock_, [] { return 0.5; },
        [this](kube::DeltaBatch<kube::Pod> batch) {
          largest_batch_ = std::max(largest_batch_, batch.size());
          engine_->pods_changed(std::move(batch));
        });
  }
  ~Muster() {
    engine_->stop();
    nodes_->stop();
    pods_->stop();
  }

  void start_nodes() { nodes_->start(); }
  void start_pods() { pods_->start(); }
  [[nodiscard]] std::size_t node_count() const { return nodes_->synced() ? nodes_->size() : 0; }
  [[nodiscard]] double queue() const { return gauge(*engine_, "muster_engine_queue"); }
  [[nodiscard]] bool ready() const { return engine_->ready(); }
  [[nodiscard]] uint64_t pod_events() const { return pods_->stats().events; }
  [[nodiscard]] std::size_t largest_batch() const { return largest_batch_; }

 private:
  SteadyClock clock_;
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<kube::Reflector<kube::Node>> nodes_;
  std::unique_ptr<kube::Reflector<kube::Pod>> pods_;
  std::size_t largest_batch_ = 0;
};

struct Listing {
  std::string way;
  double bytes = 0;
  double wall = 0;
  double cpu = 0;
  double server_cpu = 0;
  double peak_mb = 0;
  double settled_mb = 0;
  double ready_cpu = 0;  // until the engine has built its books too
};

struct Pouring {
  uint64_t events = 0;
  double seconds = 0;
  double cpu = 0;
  double longest_queue = 0;
  double behind_ms = 0;  // from the last event that was sent until the engine's queue is empty
  double peak_mb = 0;
};

template <typename Done>
void wait_until(Done done) {
  const auto began = steady_clock::now();
  while (!done()) {
    if (seconds_since(began) > 120) throw std::runtime_error("not done after two minutes");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Listing list(const FakeServer& server, Muster& muster, const FakeOptions& options, std::string way) {
  Listing result;
  result.way = std::move(way);
  result.bytes = static_cast<double>(node_text(options.node_bytes).size()) * options.nodes;
  const double server_before = server.cpu_seconds();
  const double cpu_before = cpu_seconds();
  const auto began = steady_clock::now();
  muster.start_nodes();
  wait_until([&] { return muster.node_count() == options.nodes; });
  result.wall = seconds_since(began);
  result.cpu = cpu_seconds() - cpu_before;
  result.server_cpu = server.cpu_seconds() - server_before;
  muster.start_pods();
  wait_until([&] { return muster.ready(); });
  result.ready_cpu = cpu_seconds() - cpu_before;
  result.peak_mb = memory("VmHWM");
  result.settled_mb = memory("VmRSS");
  return result;
}

Pouring pour(Muster& muster, const FakeOptions& options) {
  Pouring result;
  result.events = uint64_t{options.pod_events_per_second} * options.pod_seconds;
  wait_until([&] { return muster.pod_events() > 0; });
  const double cpu_before = cpu_seconds();
  const auto began = steady_clock::now();
  while (muster.pod_events() < result.events) {
    result.longest_queue = std::max(result.longest_queue, muster.queue());
    if (seconds_since(began) > 3 * options.pod_seconds + 30) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  result.seconds = seconds_since(began);
  wait_until([&] { return muster.queue() == 0; });
  result.behind_ms = (seconds_since(began) - options.pod_seconds) * 1e3;
  result.cpu = cpu_seconds() - cpu_before;
  result.events = muster.pod_events();
  result.peak_mb = memory("VmHWM");
  return result;
}

Json to_json(const FakeOptions& options, const Listing& listing, const Pouring& pouring) {
  return {{"nodes", options.nodes},
          {"node_bytes", options.node_bytes},
          {"way", listing.way},
          {"list_wall_s", listing.wall},
          {"list_cpu_s", listing.cpu},
          {"ready_cpu_s", listing.ready_cpu},
          {"server_cpu_s", listing.server_cpu},
          {"peak_mb", listing.peak_mb},
          {"settled_mb", listing.settled_mb},
          {"pod_events", pouring.events},
          {"pod_seconds", pouring.seconds},
          {"pod_cpu_s", pouring.cpu},
          {"longest_queue", pouring.longest_queue},
          {"behind_ms", pouring.behind_ms},
          {"peak_mb_with_pods", pouring.peak_mb}};
}

int run(const Program& program, const FakeOptions& options, bool watch_list) {
  set_log_level(LogLevel::kError);
  const FakeServer server(options);
  Muster muster(server.url(), watch_list);
  const Listing listing = list(server, muster, options, watch_list ? "stream" : "list");
  fmt::print(
      "{} of {} nodes, {:.0f} MB: {:.2f} s, processor {:.2f} s (server {:.2f} s), books ready after "
      "{:.2f} s of processor; {:.0f} MB at most, {:.0f} MB then\n",
      listing.way, options.nodes, listing.bytes / 1e6, listing.wall, listing.cpu, listing.server_cpu,
      listing.ready_cpu, listing.peak_mb, listing.settled_mb);
  Pouring pouring;
  if (options.pod_seconds > 0) {
    pouring = pour(muster, options);
    fmt::print(
        "{} pod events in {:.2f} s, processor {:.2f} s; at most {:.0f} in the queue, {:.0f} ms behind at "
        "the end, {:.0f} MB at most\n",
        pouring.events, pouring.seconds, pouring.cpu, pouring.longest_queue, pouring.behind_ms,
        pouring.peak_mb);
  }
  Bars bars;
  bars.below("processor time of the list, s", listing.cpu, 2);
  bars.below("memory at most, MB", std::max(listing.peak_mb, pouring.peak_mb), 250);
  bars.below("the engine's queue at most", pouring.longest_queue, 1000);
  bars.sum_up();
  Json figures = to_json(options, listing, pouring);
  figures["bars"] = bars.json();
  return program.finish(figures, bars.all_held() ? 0 : 1);
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  muster::bench::Program program("list", "list, decode and follow a large cluster: time, memory, queue");
  bool list = false;
  muster::bench::FakeOptions options;
  options.pod_seconds = 10;
  CLI::App& app = program.options();
  app.add_option("--nodes", options.nodes, "how many")->check(CLI::PositiveNumber);
  app.add_option("--node-bytes", options.node_bytes, "length of a node's JSON")->check(CLI::PositiveNumber);
  app.add_option("--events", options.pod_events_per_second, "pod events a second")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.pod_seconds, "of pod events");
  app.add_flag("--list", list, "a list instead of a stream of the initial state");
  program.parse(argc, argv);
  muster::http::tune_allocator();
  try {
    return muster::bench::run(program, options, !list);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_list: {}\n", error.what());
    return 2;
  }
}
