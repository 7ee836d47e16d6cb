#include "load/measure.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "harness/harness.h"
#include "load/caller.h"

namespace muster::bench {
namespace {

using std::chrono::steady_clock;

double ms_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

double processor_ms_of(clockid_t clock) {
  timespec time = {};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

Spread spread(const std::vector<double>& values) {
  if (values.empty()) throw std::runtime_error("nothing was measured");
  return {values.size(), percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)};
}

// This program again, as the server or as the abusers. It prints a number once it is at work.
class Child {
 public:
  Child(const char* part, const std::string& value) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], 1);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl("/proc/self/exe", "bench_load", part, value.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    output_.reset(ends[0]);
  }
  ~Child() {
    if (pid_ > 0) (void)stop();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  uint64_t number() {
    char text[24] = {};
    if (::read(output_.get(), text, sizeof text - 1) <= 0) throw std::runtime_error("a child has ended");
    return std::stoull(text);
  }
  void tell(int signal) const { ::kill(pid_, signal); }
  // Whether it ended by itself with status 0 once told to.
  bool stop() {
    tell(SIGTERM);
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  [[nodiscard]] double processor_ms() const {
    clockid_t clock = 0;
    if (::clock_getcpuclockid(pid_, &clock) != 0) throw std::runtime_error("the server is gone");
    return processor_ms_of(clock);
  }
  [[nodiscard]] double memory_mb(const std::string& field) const {
    std::ifstream file(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(field + ":")) return std::stod(line.substr(field.size() + 1)) / 1024;
    }
    throw std::runtime_error("the server is gone");
  }

 private:
  http::Fd output_;
  pid_t pid_ = -1;
};

struct ServerProcess : Child {
  explicit ServerProcess(const std::string& tls_dir)
      : Child("--serve", tls_dir.empty() ? "plain" : tls_dir), port(static_cast<uint16_t>(number())) {}
  const uint16_t port;
};

std::string node_name(int i) {
  return fmt::format("ip-10-{:03}-{:03}-{:06}.us-east.compute.internal", i / 65536, i / 256 % 256, i);
}

std::string filter_request(int names, bool member) {
  std::string filler;
  for (int i = 0; i < 40; ++i)
    filler += fmt::format(R"(,{{"name":"VARIABLE_{}","value":"some value of it {}"}})", i, i);
  std::string body = fmt::format(
      R"({{"Pod":{{"metadata":{{"name":"train-7.{}","namespace":"ml","uid":"0b5e1f5e-7d0a-4b7e-8a6d-2f1f3c9f5a10",)"
      R"("annotations":{{{}}}}},"spec":{{"schedulerName":"muster","containers":[{{"name":"main",)"
      R"("env":[{{"name":"A","value":"1"}}{}]}}]}}}},"Nodes":null,"NodeNames":[)",
      node_name(names - 1), member ? R"("muster.dev/group-name":"train","muster.dev/min-member":"64")" : "",
      filler);
  for (int i = 0; i < names; ++i) body += fmt::format("{}\"{}\"", i > 0 ? "," : "", node_name(i));
  return post("/filter", body + "]}");
}

std::vector<double> taken_times(Caller& control) {
  std::istringstream lines(control.call(get("/bench/times")));
  std::vector<double> out;
  for (double value = 0; lines >> value;) out.push_back(value);
  return out;
}

FilterRow measure_filter(const Target& target, Caller& control, int names, bool member, int calls) {
  Caller caller(target);
  const std::string request = filter_request(names, member);
  const std::string expected =
      member ? "\"NodeNames\":[\"" + node_name(names - 1) + "\"]" : node_name(names - 1);
  for (int i = 0; i < 20; ++i) {
    if (caller.call(request).find(expected) == std::string::npos)
      throw std::runtime_error("filter answers wrongly");
  }
  (void)taken_times(control);
  std::vector<double> times;
  for (int i = 0; i < calls; ++i) {
    auto begin = steady_clock::now();
    caller.call(request);
    times.push_back(ms_since(begin));
  }
  return {names, member, spread(taken_times(control)), spread(times)};
}

// `count` callers whose binds wait. Handshakes need both sides at work, so a few threads make them.
std::vector<std::unique_ptr<Caller>> block_binds(const Target& target, int count) {
  std::vector<std::unique_ptr<Caller>> callers(static_cast<std::size_t>(count));
  constexpr int kThreads = 64;
  std::vector<std::thread> threads;
  std::atomic<bool> failed = false;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      try {
        for (auto i = static_cast<std::size_t>(t); i < callers.size(); i += kThreads) {
          callers[i] = std::make_unique<Caller>(target);
          callers[i]->send(post(
              "/bind",
              fmt::format(R"({{"PodName":"p-{0}","PodNamespace":"n","PodUID":"u-{0}","Node":"x"}})", i)));
        }
      } catch (const std::exception& error) {
        fmt::print(stderr, "bench_load: bind: {}\n", error.what());
        failed = true;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  if (failed) throw std::runtime_error("not all binds could be called");
  return callers;
}

// Most calls come over a kept connection, some over a new one, as after a restart of kube-scheduler.
WellBehaved well_behaved_calls(const Target& target, std::chrono::seconds time) {
  const std::string request = filter_request(1000, true);
  std::vector<double> kept;
  std::vector<double> fresh;
  auto caller = std::make_unique<Caller>(target);
  auto end = steady_clock::now() + time;
  for (int i = 1; steady_clock::now() < end; ++i) {
    bool renew = i % 20 == 0;
    auto begin = steady_clock::now();
    if (renew) caller = std::make_unique<Caller>(target);
    caller->call(request);
    (renew ? fresh : kept).push_back(ms_since(begin));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return {spread(kept), spread(fresh)};
}

}  // namespace

BlockedResult blocked_binds(const std::string& tls_dir, int count, int calls) {
  ServerProcess server(tls_dir);
  http::SslPtr<SSL_CTX> context;
  if (!tls_dir.empty()) context = caller_context(tls_dir);
  const Target target{server.port, context.get()};
  Caller control(target);
  BlockedResult out;
  out.rss_before_mb = server.memory_mb("VmRSS");
  const double server_before = server.processor_ms();
  const double caller_before = processor_ms_of(CLOCK_PROCESS_CPUTIME_ID);
  auto begin = steady_clock::now();
  auto callers = block_binds(target, count);
  while (std::stoi(control.call(get("/bench/waiting"))) < count)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  out.settle_ms = ms_since(begin);
  out.server_cpu_ms = server.processor_ms() - server_before;
  out.caller_cpu_ms = processor_ms_of(CLOCK_PROCESS_CPUTIME_ID) - caller_before;
  out.rss_mb = server.memory_mb("VmRSS");
  for (int names : {100, 1000, 5000}) {
    for (bool member : {true, false})
      out.filter.push_back(measure_filter(target, control, names, member, calls));
  }
  out.rss_mb = std::max(out.rss_mb, server.memory_mb("VmRSS"));
  begin = steady_clock::now();
  control.call(post("/bench/release", "{}"));
  for (auto& caller : callers) {
    if (caller->receive() != R"({"Error":""})") throw std::runtime_error("a bind was answered wrongly");
  }
  out.release_ms = ms_since(begin);
  callers.clear();
  out.clean_end = server.stop();
  return out;
}

AbuseResult abuse(int abusers, std::chrono::seconds time) {
  ServerProcess server("");
  const Target target{server.port, nullptr};
  AbuseResult out;
  out.quiet = well_behaved_calls(target, std::min(time, std::chrono::seconds(10)));
  // In a process of their own: they stand for other machines.
  Child crowd("--abuse", fmt::format("{}:{}", server.port, abusers));
  out.beside = well_behaved_calls(target, time);
  crowd.tell(SIGTERM);
  out.connections = crowd.number();
  out.rss_peak_mb = server.memory_mb("VmHWM");
  out.clean_end = crowd.stop() && server.stop();
  return out;
}

}  // namespace muster::bench
