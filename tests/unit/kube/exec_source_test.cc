#include "kube/exec_source.h"

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>

#include "support/fake_writer.h"
#include "support/soon.h"

namespace muster::kube {
namespace {

using test::ManualClock;
using test::soon;

ExecCredential token(const std::string& text, std::optional<Duration> lifetime = {}) {
  ExecCredential credential;
  credential.token = text;
  credential.lifetime = lifetime;
  return credential;
}

// A plugin whose runs print "1", "2" … and, from the second on, last until they are let go.
struct Plugin {
  std::atomic<int> runs{0};
  std::atomic<bool> held{false};
  std::optional<Duration> lifetime{};
  ExecSource::Run run() {
    return [this](const std::stop_token& stop) -> Result<ExecCredential> {
      const int n = ++runs;
      const bool free = soon([&] { return !held || stop.stop_requested(); });
      if (!free || stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
      return token(std::to_string(n), lifetime);
    };
  }
};

TEST_CASE("while a plugin renews a credential that is still good, nobody waits") {
  ManualClock clock;
  Plugin plugin;
  plugin.lifetime = Duration(60'000);
  ExecSource source(plugin.run(), clock);
  REQUIRE(source.current()->token == "1");
  plugin.held = true;
  clock.pass(Duration(49'999));
  CHECK(source.current()->token == "1");
  CHECK(plugin.runs == 1);
  clock.pass(Duration(1));
  CHECK(source.current()->token == "1");
  CHECK(soon([&] { return plugin.runs == 2; }));
  CHECK(source.current()->token == "1");
  plugin.held = false;
  CHECK(soon([&] { return source.current()->token == "2"; }));
}

TEST_CASE("an expired and a rejected credential are waited for") {
  ManualClock clock;
  Plugin plugin;
  plugin.lifetime = Duration(60'000);
  ExecSource source(plugin.run(), clock);
  REQUIRE(source.current()->token == "1");
  clock.pass(Duration(60'000));
  CHECK(source.current()->token == "2");
  clock.pass(Duration(10'000));
  source.rejected();
  CHECK(source.current()->token == "3");
}

TEST_CASE("a plugin whose credentials are refused is not run for each refusal") {
  ManualClock clock;
  Plugin plugin;
  ExecSource source(plugin.run(), clock);
  REQUIRE(source.current()->token == "1");
  for (int i = 0; i < 5; ++i) {
    source.rejected();
    CHECK(source.current()->token == "1");
  }
  clock.pass(kExecPause);
  CHECK(source.current()->token == "2");
}

TEST_CASE("a plugin that fails without a credential is not run for each call") {
  ManualClock clock;
  std::atomic<int> runs{0};
  ExecSource source(
      [&](const std::stop_token&) -> Result<ExecCredential> {
        ++runs;
        return invalid("no");
      },
      clock);
  for (int i = 0; i < 5; ++i) CHECK(source.current().error().message == "no");
  CHECK(runs == 1);
  clock.pass(kExecPause);
  CHECK_FALSE(source.current());
  CHECK(runs == 2);
}

TEST_CASE("stop ends a run and who waits for it") {
  ManualClock clock;
  Plugin plugin;
  plugin.held = true;
  ExecSource source(plugin.run(), clock);
  auto waits = std::async(std::launch::async, [&] { return source.current(); });
  REQUIRE(soon([&] { return plugin.runs == 1; }));
  source.stop();
  CHECK(waits.get().error().code == ErrorCode::kCancelled);
  CHECK(source.current().error().code == ErrorCode::kCancelled);
}

// A shell that starts a sleeper, writes its process id down, closes its output and lives on.
struct Lingerer {
  std::string file =
      (std::filesystem::temp_directory_path() / ("muster-linger-" + std::to_string(::getpid()))).string();
  ExecPlugin plugin{
      "/bin/sh",
      {"-c", "sleep 300 & echo $! > " + file + ".new; mv " + file + ".new " + file + "; exec >&-; wait"},
      {},
      "client.authentication.k8s.io/v1",
      ""};
  ~Lingerer() { std::filesystem::remove(file); }
  [[nodiscard]] bool sleeper_gone() const {
    pid_t pid = 0;
    std::ifstream(file) >> pid;
    return pid > 0 && soon([&] {
             std::string stat;
             std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat);
             return stat.empty() || stat.find(") Z ") != std::string::npos;  // nobody may have waited for it
           });
  }
};

TEST_CASE("a plugin that closes its output and lives on is ended with its children") {
  const Lingerer lingerer;
  CHECK_FALSE(run_exec_plugin(lingerer.plugin, "", {}, Duration(3'000)));
  CHECK(lingerer.sleeper_gone());
}

TEST_CASE("a plugin under way is ended with its children by stop") {
  const Lingerer lingerer;
  std::stop_source stop;
  auto run =
      std::async(std::launch::async, [&] { return run_exec_plugin(lingerer.plugin, "", stop.get_token()); });
  REQUIRE(soon([&] { return std::filesystem::exists(lingerer.file); }));
  stop.request_stop();
  CHECK(run.get().error().code == ErrorCode::kCancelled);
  CHECK(lingerer.sleeper_gone());
}

}  // namespace
}  // namespace muster::kube
