// muster-extender: the server that kube-scheduler calls.

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "base/log.h"
#include "cmd/muster_extender/app.h"
#include "cmd/muster_extender/options.h"
#include "config/config.h"
#include "http/memory.h"

namespace {

int fail_with(const muster::Error& error) {
  std::fprintf(stderr, "muster-extender: %s\n", error.message.c_str());
  return 2;
}

// Blocks the signals in every thread made from here on, so that only wait() sees them.
class Signals {
 public:
  static constexpr int kLost = SIGUSR1;  // sent by ourselves: we may lead no longer

  Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, kLost);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

 private:
  sigset_t set_{};
};

// Whoever asks a second time does not want to wait for calls and writes under way.
void end_at_next(const Signals& signals) {
  std::thread([signals] {
    while (signals.wait() == Signals::kLost) {
    }
    muster::log_error("second signal: ending at once");
    _exit(1);
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  muster::http::tune_allocator();
  auto parsed = muster::cmd::parse_options(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const auto& options = std::get<muster::cmd::Options>(parsed);

  muster::config::Configuration configuration;
  if (!options.config_file.empty()) {
    auto loaded = muster::config::load(options.config_file);
    if (!loaded) return fail_with(loaded.error());
    configuration = std::move(*loaded);
  }
  if (!options.probe.empty()) return muster::cmd::probe(configuration, options);

  const Signals signals;
  muster::set_log_level(configuration.log_level);
  muster::cmd::App app(configuration, options, [] { kill(getpid(), Signals::kLost); });
  if (const auto started = app.start(); !started) return fail_with(started.error());
  const int signal = signals.wait();
  const bool lost = signal == Signals::kLost;
  if (lost) {
    muster::log_error("this muster-extender leads no longer: ending");
  } else {
    muster::log_info("signal {}: shutting down", signal);
  }
  end_at_next(signals);
  app.stop();
  return lost ? 1 : 0;
}
