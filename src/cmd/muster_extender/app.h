// muster-extender put together: credentials, client, reflectors, engine, server. The order of its members is
// the order in which they are made, and the reverse of the order in which they go.
//
// Thread rule: start() and stop() from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/boot_clock.h"
#include "base/clock.h"
#include "cmd/muster_extender/led_decisions.h"
#include "cmd/muster_extender/options.h"
#include "config/config.h"
#include "election/candidate.h"
#include "election/fenced_writer.h"
#include "embedded/server.h"
#include "engine/engine.h"
#include "extender/refusal_log.h"
#include "extender/service.h"
#include "http/server.h"
#include "kube/client.h"
#include "kube/credentials.h"
#include "kube/lease.h"
#include "kube/reflector.h"

namespace muster::cmd {

class App {
 public:
  // `on_lost`: called once, from another thread, when this process led and may no longer. It has stopped
  // writing and answering by then and is to end.
  App(config::Configuration configuration, Options options, std::function<void()> on_lost);
  ~App();  // stops

  // Serves from when it returns; caches fill afterwards (see /readyz).
  [[nodiscard]] Result<void> start();
  // Answers what waits with an error, finishes writes under way, hands the lease over, and ends. Idempotent.
  void stop();

 private:
  [[nodiscard]] Result<kube::Access> access();
  void start_engine();
  void start_election();
  [[nodiscard]] Result<void> start_server();

  const config::Configuration configuration_;
  const Options options_;
  const std::function<void()> on_lost_;
  const SteadyClock clock_;
  const BootClock lease_clock_;
  extender::Refusals refusals_;
  std::unique_ptr<embedded::ApiServer> embedded_;
  std::shared_ptr<kube::Credentials> credentials_;
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<kube::LeaseClient> leases_;  // without leader election none of these three
  std::unique_ptr<election::Candidate> candidate_;
  std::unique_ptr<election::FencedWriter> fenced_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<LedDecisions> decisions_;
  std::unique_ptr<kube::Reflector<kube::Node>> nodes_;
  std::unique_ptr<kube::Reflector<kube::Pod>> pods_;
  extender::RefusalLog refusal_log_{refusals_};
  std::unique_ptr<extender::Service> service_;
  std::unique_ptr<http::Server> server_;
};

// Asks the server that runs with this configuration for a path. 0 when it answers 200, 1 otherwise.
[[nodiscard]] int probe(const config::Configuration& configuration, const Options& options);

}  // namespace muster::cmd
