// The server under load, both sides on this machine: thousands of binds that wait, filter meanwhile, their
// release; and callers that mean no good. The server is a process of its own (load/server.h).
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "load/caller.h"
#include "load/server.h"
#include "support/abusers.h"
#include "support/certificates.h"

namespace muster::bench {
namespace {

using std::chrono::steady_clock;

double ms_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

struct Spread {
  std::size_t calls = 0;
  double p50 = 0;
  double p99 = 0;
  double most = 0;
};

Spread spread(std::vector<double> values) {
  if (values.empty()) throw std::runtime_error("nothing was measured");
  std::sort(values.begin(), values.end());
  auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return {values.size(), at(0.5), at(0.99), values.back()};
}

std::string json(const Spread& s) {
  return fmt::format(R"({{"calls": {}, "p50_ms": {:.4f}, "p99_ms": {:.4f}, "max_ms": {:.4f}}})", s.calls,
                     s.p50, s.p99, s.most);
}

// The child that serves.
class ServerProcess {
 public:
  ServerProcess(const std::string& program, const std::string& tls_dir) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], 1);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl(program.c_str(), program.c_str(), "--serve", tls_dir.empty() ? "plain" : tls_dir.c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    char text[16] = {};
    if (::read(ends[0], text, sizeof text - 1) <= 0) throw std::runtime_error("the server did not start");
    ::close(ends[0]);
    port = static_cast<uint16_t>(std::stoi(text));
  }
  ~ServerProcess() {
    if (pid_ > 0) (void)stop();
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Whether it ended by itself with status 0 once told to.
  bool stop() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  [[nodiscard]] double memory_mb(const std::string& field) const {
    std::ifstream file(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(field + ":")) return std::stod(line.substr(field.size() + 1)) / 1024;
    }
    throw std::runtime_error("the server is gone");
  }

  uint16_t port = 0;

 private:
  pid_t pid_ = -1;
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

struct FilterRow {
  int names = 0;
  bool member = false;
  Spread server;
  Spread caller;
};

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
  return {names, member, spread(taken_times(control)), spread(std::move(times))};
}

struct BlockedResult {
  double settle_ms = 0;
  double rss_before_mb = 0;
  double rss_mb = 0;
  double release_ms = 0;
  std::vector<FilterRow> filter;
  bool clean_end = false;
};

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

BlockedResult blocked_binds(const std::string& program, const std::string& tls_dir, int count, int calls) {
  ServerProcess server(program, tls_dir);
  http::SslPtr<SSL_CTX> context;
  if (!tls_dir.empty()) context = caller_context(tls_dir + "/client.crt", tls_dir + "/client.key");
  const Target target{server.port, context.get()};
  Caller control(target);
  BlockedResult out;
  out.rss_before_mb = server.memory_mb("VmRSS");
  auto begin = steady_clock::now();
  auto callers = block_binds(target, count);
  while (std::stoi(control.call(get("/bench/waiting"))) < count)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  out.settle_ms = ms_since(begin);
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

struct AbuseResult {
  Spread quiet;  // the same calls before, on an undisturbed server
  Spread calls;
  uint64_t connections = 0;
  double rss_peak_mb = 0;
  bool clean_end = false;
};

// Most calls come over a kept connection, some over a new one, as after a restart of kube-scheduler.
std::vector<double> well_behaved_calls(const Target& target, std::chrono::seconds time) {
  const std::string request = filter_request(1000, true);
  std::vector<double> times;
  auto caller = std::make_unique<Caller>(target);
  auto end = steady_clock::now() + time;
  for (int i = 1; steady_clock::now() < end; ++i) {
    auto begin = steady_clock::now();
    if (i % 20 == 0) caller = std::make_unique<Caller>(target);
    caller->call(request);
    times.push_back(ms_since(begin));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return times;
}

AbuseResult abuse(const std::string& program, int abusers, std::chrono::seconds time) {
  ServerProcess server(program, "");
  const Target target{server.port, nullptr};
  AbuseResult out;
  out.quiet = spread(well_behaved_calls(target, std::min(time, std::chrono::seconds(10))));
  test::Abusers crowd(server.port, abusers);
  out.calls = spread(well_behaved_calls(target, time));
  crowd.stop();
  out.connections = crowd.connections();
  out.rss_peak_mb = server.memory_mb("VmHWM");
  out.clean_end = server.stop();
  return out;
}

// --- the report --------------------------------------------------------------------------------------------

struct Bar {
  std::string what;
  double measured = 0;
  double below = 0;
  [[nodiscard]] bool held() const { return measured < below; }
};

class Report {
 public:
  void blocked(const std::string& how, int count, const BlockedResult& r) {
    fmt::print(
        "{}: {} binds wait after {:.0f} ms, RSS {:.0f} -> {:.0f} MB, all answered {:.0f} ms after their "
        "release\n",
        how, count, r.settle_ms, r.rss_before_mb, r.rss_mb, r.release_ms);
    std::string rows;
    for (const FilterRow& row : r.filter) {
      fmt::print(
          "  filter meanwhile, {:5} names, {}: server p50 {:.3f} p99 {:.3f}, caller p50 {:.3f} p99 {:.3f} "
          "ms\n",
          row.names, row.member ? "planned" : "foreign", row.server.p50, row.server.p99, row.caller.p50,
          row.caller.p99);
      rows += fmt::format("{}\n    {{\"names\": {}, \"pod\": \"{}\", \"server\": {}, \"caller\": {}}}",
                          rows.empty() ? "" : ",", row.names, row.member ? "planned" : "foreign",
                          json(row.server), json(row.caller));
      if (row.names == 5000) {
        bar(how + ": filter in the server, 5,000 names, p50 ms", row.server.p50, 0.2);
        bar(how + ": filter in the server, 5,000 names, p99 ms", row.server.p99, 2);
      }
      if (row.names == 100) {
        bar(how + ": filter at the caller, 100 names, p50 ms", row.caller.p50, 0.2);
        bar(how + ": filter at the caller, 100 names, p99 ms", row.caller.p99, 2);
      }
    }
    add(fmt::format(
        "\"{}\": {{\"binds\": {}, \"settle_ms\": {:.1f}, \"rss_before_mb\": {:.1f}, \"rss_mb\": {:.1f}, "
        "\"release_ms\": {:.1f}, \"clean_end\": {}, \"filter\": [{}]}}",
        how, count, r.settle_ms, r.rss_before_mb, r.rss_mb, r.release_ms, r.clean_end, rows));
    bool plain = how == "plain";
    if (plain) bar(how + ": settle ms", r.settle_ms, 1000);
    bar(how + ": RSS MB", r.rss_mb, plain ? 80 : 200);
    bar(how + ": release ms", r.release_ms, 1000);
    if (!r.clean_end) bar(how + ": unclean end", 1, 1);
  }

  void abused(int abusers, std::chrono::seconds time, const AbuseResult& r) {
    fmt::print(
        "filter at 1,000 names, every 5 ms, caller p50 {:.3f} p99 {:.3f} ms; beside {} abusive callers for "
        "{} s "
        "({} connections) p50 {:.3f} p99 {:.3f} max {:.1f} ms of {} calls; RSS at most {:.0f} MB\n",
        r.quiet.p50, r.quiet.p99, abusers, time.count(), r.connections, r.calls.p50, r.calls.p99,
        r.calls.most, r.calls.calls, r.rss_peak_mb);
    add(fmt::format(
        "\"abuse\": {{\"abusers\": {}, \"seconds\": {}, \"connections\": {}, \"quiet\": {}, \"calls\": {}, "
        "\"rss_peak_mb\": {:.1f}, \"clean_end\": {}}}",
        abusers, time.count(), r.connections, json(r.quiet), json(r.calls), r.rss_peak_mb, r.clean_end));
    bar("abuse: p99 ms of well-behaved calls", r.calls.p99, 5);
    bar("abuse: RSS MB", r.rss_peak_mb, 200);
    if (!r.clean_end) bar("abuse: unclean end", 1, 1);
  }

  // The status to end with.
  int end(const std::string& file) {
    std::string bars;
    bool held = true;
    for (const Bar& bar : bars_) {
      held = held && bar.held();
      if (!bar.held()) fmt::print("NOT HELD: {}: {:.3f}, not below {}\n", bar.what, bar.measured, bar.below);
      bars += fmt::format("{}\n    {{\"what\": \"{}\", \"measured\": {:.4f}, \"below\": {}, \"held\": {}}}",
                          bars.empty() ? "" : ",", bar.what, bar.measured, bar.below, bar.held());
    }
    fmt::print("{} of {} bars held\n",
               std::count_if(bars_.begin(), bars_.end(), [](const Bar& b) { return b.held(); }),
               bars_.size());
    add(fmt::format("\"bars\": [{}]", bars));
    if (!file.empty())
      std::ofstream(file) << fmt::format("{{\n  \"benchmark\": \"load\",\n  {}\n}}\n",
                                         fmt::join(parts_, ",\n  "));
    return held ? 0 : 1;
  }

 private:
  void bar(std::string what, double measured, double below) {
    bars_.push_back({std::move(what), measured, below});
  }
  void add(std::string part) { parts_.push_back(std::move(part)); }

  std::vector<Bar> bars_;
  std::vector<std::string> parts_;
};

std::string write_certificates(const test::TempDir& dir) {
  test::Authority authority("muster load");
  test::Certificate server = authority.issue("muster-extender", "IP:127.0.0.1");
  test::Certificate client = authority.issue("kube-scheduler", "");
  std::string path = dir.file("tls.crt", server.cert_pem);
  (void)dir.file("tls.key", server.key_pem);
  (void)dir.file("ca.crt", authority.pem());
  (void)dir.file("client.crt", client.cert_pem);
  (void)dir.file("client.key", client.key_pem);
  return path.substr(0, path.rfind('/'));
}

struct Settings {
  std::string json_file;
  int binds = 2000;
  int calls = 1000;
  int abusers = 20;
  int seconds = 60;
};

int run(const Settings& settings) {
  const std::string program = "/proc/self/exe";
  Report report;
  test::TempDir dir;
  const std::string tls_dir = write_certificates(dir);
  report.blocked("plain", settings.binds, blocked_binds(program, "", settings.binds, settings.calls));
  report.blocked("mutual TLS", settings.binds,
                 blocked_binds(program, tls_dir, settings.binds, settings.calls));
  const std::chrono::seconds time(settings.seconds);
  report.abused(settings.abusers, time, abuse(program, settings.abusers, time));
  return report.end(settings.json_file);
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  CLI::App app("the server under load: waiting binds, filter meanwhile, abusive callers");
  muster::bench::Settings settings;
  std::string serve;
  app.add_option("--json", settings.json_file, "write the figures to this file");
  app.add_option("--binds", settings.binds, "binds that wait")->check(CLI::PositiveNumber);
  app.add_option("--calls", settings.calls, "filter calls for each figure")->check(CLI::PositiveNumber);
  app.add_option("--abusers", settings.abusers, "abusive callers")->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds, "how long they go on")->check(CLI::PositiveNumber);
  app.add_option("--serve", serve, "the server's part")->group("");
  CLI11_PARSE(app, argc, argv);
  muster::http::ignore_sigpipe();
  try {
    if (!serve.empty()) return muster::bench::serve(serve == "plain" ? "" : serve);
    return muster::bench::run(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_load: {}\n", error.what());
    return 2;
  }
}
