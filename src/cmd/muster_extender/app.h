// muster-extender put together: credentials, client, reflectors, engine, server. The order of its members is
// the order in which they are made, and the reverse of the order in which they go.
//
// Thread rule: start() and stop() from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/clock.h"
#include "cmd/muster_extender/options.h"
#include "config/config.h"
#include "embedded/server.h"
#include "engine/engine.h"
#include "extender/service.h"
#include "http/server.h"
#include "kube/client.h"
#include "kube/credentials.h"
#include "kube/reflector.h"

namespace muster::cmd {

class App {
 public:
  App(config::Configuration configuration, Options options);
  ~App();  // stops

  // Serves from when it returns; caches fill afterwards (see /readyz).
  [[nodiscard]] Result<void> start();
  // Answers what waits with an error, finishes writes under way, and ends. Idempotent.
  void stop();

 private:
  [[nodiscard]] Result<kube::Access> access();
  void start_engine();
  [[nodiscard]] Result<void> start_server();

  const config::Configuration configuration_;
  const Options options_;
  const SteadyClock clock_;
  std::unique_ptr<embedded::ApiServer> embedded_;
  std::shared_ptr<kube::Credentials> credentials_;
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<kube::Reflector<kube::Node>> nodes_;
  std::unique_ptr<kube::Reflector<kube::Pod>> pods_;
  std::unique_ptr<extender::Service> service_;
  std::unique_ptr<http::Server> server_;
};

// Asks the server that runs with this configuration for a path. 0 when it answers 200, 1 otherwise.
[[nodiscard]] int probe(const config::Configuration& configuration, const Options& options);

}  // namespace muster::cmd
