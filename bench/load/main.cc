// The server under load, both sides on this machine: thousands of binds that wait, filter meanwhile, their
// release; and callers that mean no good. The server is a process of its own (load/server.h).
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

#include "harness/harness.h"
#include "http/tls.h"
#include "load/measure.h"
#include "load/report.h"
#include "load/server.h"
#include "support/abusers.h"
#include "support/certificates.h"

namespace muster::bench {
namespace {

std::string write_certificates(const test::TempDir& dir, test::KeyKind keys) {
  test::Authority authority("muster load", keys);
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
  int binds = 2000;
  int calls = 1000;
  int abusers = 20;
  int seconds = 60;
};

int run(const Program& program, const Settings& settings) {
  Report report;
  report.blocked("", settings.binds, blocked_binds("", settings.binds, settings.calls));
  for (std::string_view keys : {kRecommendedKeys, kOtherKeys}) {
    test::TempDir dir;
    const std::string tls_dir =
        write_certificates(dir, keys == kOtherKeys ? test::KeyKind::kRsa2048 : test::KeyKind::kP256);
    report.blocked(std::string(keys), settings.binds, blocked_binds(tls_dir, settings.binds, settings.calls));
  }
  const std::chrono::seconds time(settings.seconds);
  report.abused(settings.abusers, time, abuse(settings.abusers, time));
  return report.end(program);
}

// target: PORT:COUNT. Until SIGTERM; then prints how many connections there were.
int be_abusive(const std::string& target) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::size_t colon = target.find(':');
  test::Abusers crowd(static_cast<uint16_t>(std::stoi(target)), std::stoi(target.substr(colon + 1)));
  int signal = 0;
  sigwait(&signals, &signal);
  crowd.stop();
  fmt::print("{}\n", crowd.connections());
  std::fflush(stdout);
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  muster::bench::Program program("load",
                                 "the server under load: waiting binds, filter meanwhile, abusive callers");
  CLI::App& app = program.options();
  muster::bench::Settings settings;
  std::string serve;
  std::string abuse;
  app.add_option("--binds", settings.binds, "binds that wait")->check(CLI::PositiveNumber);
  app.add_option("--calls", settings.calls, "filter calls for each figure")->check(CLI::PositiveNumber);
  app.add_option("--abusers", settings.abusers, "abusive callers")->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds, "how long they go on")->check(CLI::PositiveNumber);
  app.add_option("--serve", serve, "the server's part")->group("");
  app.add_option("--abuse", abuse, "the abusers' part")->group("");
  program.parse(argc, argv);
  muster::http::ignore_sigpipe();
  try {
    if (!serve.empty()) return muster::bench::serve(serve == "plain" ? "" : serve);
    if (!abuse.empty()) return muster::bench::be_abusive(abuse);
    return muster::bench::run(program, settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_load: {}\n", error.what());
    return 2;
  }
}
