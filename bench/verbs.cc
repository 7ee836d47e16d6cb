// How long filter takes over loopback on one kept-alive connection, as kube-scheduler calls it: in the server
// (from the body in memory to the reply in memory; wall clock and processor time) and at the client. Node
// names have 45 characters, the pod is one of 3 KB. The last part has 500 binds waiting meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/audit_line.h"
#include "extender/refusal_log.h"
#include "extender/service.h"
#include "harness/bars.h"
#include "harness/harness.h"
#include "http/client.h"
#include "http/memory.h"
#include "http/server.h"

namespace muster::bench {
namespace {

using std::chrono::steady_clock;

constexpr int kBinds = 500;

// Answers as told; binds wait until they are released.
class BenchDecisions : public extender::Decisions {
 public:
  extender::FilterDecision filter(const extender::PodIdentity&) override { return decision; }
  void node_refused(const extender::PodIdentity&, const std::string&) override {}
  Result<void> bind(const extender::BindCall&) override {
    std::unique_lock lock(mutex_);
    ++waiting;
    changed_.wait(lock, [this] { return released_; });
    --waiting;
    return {};
  }
  bool may_preempt(const extender::PodIdentity&, const std::vector<std::string>&) override { return true; }
  bool ready() const override { return true; }
  std::string metrics() const override { return {}; }
  void release() {
    std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

  extender::FilterDecision decision;
  std::atomic<int> waiting = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
};

struct Times {
  std::vector<double> server_ms;
  std::vector<double> cpu_ms;
  std::vector<double> client_ms;
};

struct Row {
  std::string what;
  int names = 0;
  std::size_t request_bytes = 0;
  std::size_t reply_bytes = 0;
  double cpu_p50 = 0, server_p50 = 0, server_p99 = 0, client_p50 = 0, client_p99 = 0;
};

double milliseconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

std::string node_name(int i) {
  return fmt::format("ip-10-{:03}-{:03}-{:06}.us-east.compute.internal", i / 65536, i / 256 % 256, i);
}

std::string filter_body(int names) {
  std::string filler;
  for (int i = 0; i < 40; ++i)
    filler += fmt::format(R"(,{{"name":"VARIABLE_{}","value":"some value of it {}"}})", i, i);
  std::string body = fmt::format(
      R"({{"Pod":{{"metadata":{{"name":"train-7","namespace":"ml","uid":"0b5e1f5e-7d0a-4b7e-8a6d-2f1f3c9f5a10",)"
      R"("annotations":{{"muster.dev/group-name":"train","muster.dev/min-member":"64"}},)"
      R"("labels":{{"batch.kubernetes.io/job-completion-index":"7"}}}},"spec":{{"schedulerName":"muster",)"
      R"("containers":[{{"name":"main","image":"registry.example/train:1","env":[{{"name":"A","value":"1"}}{}],)"
      R"("resources":{{"requests":{{"cpu":"8","memory":"64Gi","nvidia.com/gpu":"8"}}}}}}]}},)"
      R"("status":{{"phase":"Pending"}}}},"Nodes":null,"NodeNames":[)",
      filler);
  for (int i = 0; i < names; ++i) body += fmt::format("{}\"{}\"", i > 0 ? "," : "", node_name(i));
  return body + "]}";
}

std::shared_ptr<const extender::Promises> promises(int hosts) {
  auto out = std::make_shared<extender::Promises>();
  for (int i = 0; i < hosts; ++i) (*out)[node_name(i * 7)].set(kCpu, 1000);
  return out;
}

class Bench {
 public:
  Bench() : service_(decisions_, refusals_), server_(http::ServerOptions{}) {
    server_.route("POST", "/filter", [this](const http::Request& request) {
      double cpu = thread_micros();
      auto begin = steady_clock::now();
      extender::Answer answer = service_.filter(request.body, request.caller);
      if (times_ != nullptr) {
        times_->server_ms.push_back(milliseconds_since(begin));
        times_->cpu_ms.push_back(thread_micros_since(cpu) / 1e3);
      }
      http::Response response;
      response.status = answer.status;
      response.pieces = std::move(answer.reply.pieces);
      response.body = std::move(answer.reply.end);
      return response;
    });
    server_.route_blocking("POST", "/bind", [this](const http::Request& request) {
      http::Response response;
      response.body = service_.bind(request.body, request.caller).reply.end;
      return response;
    });
    auto port = server_.start();
    if (!port) throw std::runtime_error(port.error().message);
    url_ = fmt::format("http://127.0.0.1:{}", *port);
  }
  ~Bench() { decisions_.release(); }

  std::unique_ptr<http::Client> client() const {
    http::ClientOptions options;
    options.base_url = url_;
    return http::Client::create(options).value();
  }

  Row filter(std::string what, extender::FilterDecision decision, int names, int calls) {
    decisions_.decision = std::move(decision);
    std::string body = filter_body(names);
    Row row{std::move(what), names, body.size()};
    auto caller = client();
    Times times;
    calls = std::max(30, calls * 5000 / std::max(names, 5000));
    for (int i = -5; i < calls; ++i) {
      times_ = i < 0 ? nullptr : &times;
      auto begin = steady_clock::now();
      auto reply = caller->call("POST", "/filter", {}, body, "application/json");
      if (!reply || reply->status != 200) throw std::runtime_error("filter was not answered");
      if (i >= 0) times.client_ms.push_back(milliseconds_since(begin));
      row.reply_bytes = reply->body.size();
    }
    times_ = nullptr;
    row.cpu_p50 = percentile(times.cpu_ms, 0.5);
    row.server_p50 = percentile(times.server_ms, 0.5);
    row.server_p99 = percentile(times.server_ms, 0.99);
    row.client_p50 = percentile(times.client_ms, 0.5);
    row.client_p99 = percentile(times.client_ms, 0.99);
    return row;
  }

  // Returns the time until all binds wait, in milliseconds.
  double block_binds() {
    auto begin = steady_clock::now();
    for (int i = 0; i < kBinds; ++i) {
      blocked_.emplace_back([this] {
        (void)client()->call("POST", "/bind", {},
                             R"({"PodName":"p","PodNamespace":"n","PodUID":"u","Node":"x"})",
                             "application/json");
      });
    }
    while (decisions_.waiting < kBinds) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return milliseconds_since(begin);
  }
  double release_binds() {
    auto begin = steady_clock::now();
    decisions_.release();
    for (auto& caller : blocked_) caller.join();
    return milliseconds_since(begin);
  }

 private:
  BenchDecisions decisions_;
  extender::Refusals refusals_;
  // Lines of refusals are made and not written: they would stand between those of the table.
  const extender::RefusalLog log_{refusals_, extender::RefusalLog::kPeriod,
                                  [](const AuditLine& line) { (void)line.text(); }};
  extender::Service service_;
  Times* times_ = nullptr;
  std::string url_;
  std::vector<std::thread> blocked_;
  http::Server server_;
};

void print(const Row& row) {
  fmt::print("{:32} {:>7} {:>9} {:>9}   {:8.3f} {:8.3f} {:8.3f}   {:8.3f} {:8.3f}\n", row.what, row.names,
             row.request_bytes, row.reply_bytes, row.cpu_p50, row.server_p50, row.server_p99, row.client_p50,
             row.client_p99);
}

Json to_json(const Row& row) {
  return {{"what", row.what},
          {"names", row.names},
          {"request_bytes", row.request_bytes},
          {"reply_bytes", row.reply_bytes},
          {"server_cpu_p50_ms", row.cpu_p50},
          {"server_p50_ms", row.server_p50},
          {"server_p99_ms", row.server_p99},
          {"client_p50_ms", row.client_p50},
          {"client_p99_ms", row.client_p99}};
}

// What filter's median in the server is held against, in milliseconds.
std::optional<double> bar_ms(const extender::FilterDecision& decision, int names) {
  if (std::holds_alternative<extender::Held>(decision)) return std::nullopt;
  if (names == 5000) return 0.3;
  if (names == 100'000) return std::holds_alternative<extender::Planned>(decision) ? 1 : 1.5;
  return std::nullopt;
}

int run(const Program& program, int calls, bool strict) {
  fmt::print("filter over loopback, {} calls each (fewer beyond 5,000 names), milliseconds\n", calls);
  fmt::print("{:32} {:>7} {:>9} {:>9}   {:>8} {:>8} {:>8}   {:>8} {:>8}\n", "", "names", "request", "reply",
             "cpu50", "server50", "server99", "client50", "client99");
  Bench bench;
  Json rows = Json::array();
  Bars bars;
  auto measure = [&](const std::string& what, extender::FilterDecision decision, int names) {
    const std::optional<double> limit = bar_ms(decision, names);
    const Row row = bench.filter(what, std::move(decision), names, calls);
    print(row);
    rows.push_back(to_json(row));
    if (limit) {
      bars.below(fmt::format("{}, {} names, p50 in the server, ms", what, names), row.server_p50, *limit);
    }
  };
  for (int names : {1, 1000, 5000, 15'000, 100'000}) {
    measure("planned member", extender::Planned{node_name(names - 1)}, names);
    measure("foreign pod, no promises", extender::Foreign{promises(0)}, names);
    measure("foreign pod, 64 hosts promised", extender::Foreign{promises(64)}, names);
    measure("held member", extender::Held{"muster: 3 of 4 members of train are there"}, names);
  }
  double settle_ms = bench.block_binds();
  measure(fmt::format("planned member, {} binds wait", kBinds), extender::Planned{node_name(4999)}, 5000);
  measure(fmt::format("foreign pod, {} binds wait", kBinds), extender::Foreign{promises(0)}, 5000);
  double release_ms = bench.release_binds();
  fmt::print("{} binds: all wait after {:.0f} ms, all answered {:.0f} ms after their release\n", kBinds,
             settle_ms, release_ms);
  bars.sum_up();
  const Json figures{{"calls", calls},
                     {"name_characters", node_name(0).size()},
                     {"binds", {{"count", kBinds}, {"settle_ms", settle_ms}, {"release_ms", release_ms}}},
                     {"filter", std::move(rows)},
                     {"bars", bars.json()}};
  return program.finish(figures, strict && !bars.all_held() ? 1 : 0);
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  muster::bench::Program program("verbs", "filter over loopback: time in the server and at the client");
  int calls = 300;
  bool strict = false;
  program.options().add_option("--calls", calls, "for each figure (300)")->check(CLI::PositiveNumber);
  program.options().add_flag("--strict", strict, "status 1 when a bar is missed");
  program.parse(argc, argv);
  muster::http::tune_allocator();
  try {
    return muster::bench::run(program, calls, strict);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_verbs: {}\n", error.what());
    return 2;
  }
}
