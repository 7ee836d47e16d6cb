#include "cmd/muster_extender/app.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/log.h"
#include "cmd/configured.h"
#include "extender/routes.h"
#include "http/client.h"
#include "muster/topology.h"

namespace muster::cmd {
namespace {

// Together well below the 30 s that Kubernetes gives a pod for its end.
constexpr Duration kBarriers{10'000};
constexpr std::chrono::milliseconds kDrain{5'000};
constexpr int kAttemptsInDeadline = 4;  // a renewal that hangs leaves time for others

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "muster-extender";
}

// A generator of its own for each thread that draws.
Random make_random() {
  return [engine = std::mt19937_64(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

// "5f0c9a1e-17": the first part differs from process to process, the second from plan to plan.
std::function<std::string()> plan_ids() {
  return [prefix = fmt::format("{:08x}", std::random_device{}()), last = uint64_t{0}]() mutable {
    return fmt::format("{}-{}", prefix, ++last);
  };
}

// A name that begins with "127." may stand for any address.
bool is_loopback(std::string_view address) {
  const bool numeric = address.find_first_not_of("0123456789.") == std::string_view::npos;
  return address == "localhost" || address == "::1" || (numeric && address.starts_with("127."));
}

// Whoever reaches the port decides where pods go.
Result<void> check_exposure(const config::Server& server, bool insecure) {
  if (is_loopback(server.address) || insecure || !server.tls.client_ca_file.empty()) return {};
  const std::string_view missing = server.tls.cert_file.empty() ? "server.tls" : "server.tls.clientCAFile";
  return invalid(
      "server.address {} takes calls from other machines, and without {} from anybody on them: set {}, or "
      "start with --insecure",
      server.address, missing, missing);
}

void announce(const std::string& line) {
  std::fputs(("muster-extender: " + line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

std::string url_of(const config::Server& server, uint16_t port) {
  const bool v6 = server.address.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", server.tls.cert_file.empty() ? "http" : "https", v6 ? "[" : "",
                     server.address, v6 ? "]" : "", port);
}

}  // namespace

App::App(config::Configuration configuration, Options options, std::function<void()> on_lost)
    : configuration_(std::move(configuration)), options_(std::move(options)), on_lost_(std::move(on_lost)) {}

App::~App() { stop(); }

Result<kube::Access> App::access() {
  if (options_.cluster_file.empty())
    return kube::find_access(options_.kubeconfig, kube::process_environment());
  embedded::ApiServerOptions settings;
  settings.port = options_.api_port;
  settings.cluster_file = options_.cluster_file;
  settings.hold_schedulers = configuration_.scheduler_names;
  embedded_ = std::make_unique<embedded::ApiServer>(settings);
  const Result<std::string> url = embedded_->start();
  if (!url) return tl::unexpected(url.error());
  announce("API on " + *url);
  kube::Access access;
  access.server = *url;
  access.found = "the API in memory";
  return access;
}

Result<void> App::start() {
  if (const Result<void> sound = check_levels(to_trees(configuration_.trees)); !sound)
    return invalid("topology: {}", sound.error().message);
  if (Result<void> sound = check_exposure(configuration_.server, options_.insecure); !sound) return sound;
  const Result<kube::Access> found = access();
  if (!found) return tl::unexpected(found.error());
  log_info("API server {} ({})", found->server, found->found);
  credentials_ = std::make_shared<kube::Credentials>(*found, clock_, kube::read_file);
  if (const auto usable = credentials_->current(); !usable) return tl::unexpected(usable.error());
  start_engine();
  if (candidate_) candidate_->start();
  return start_server();
}

// Made before the engine, which writes through its fence; begins when all is in place.
void App::start_election() {
  const config::LeaderElection& chosen = configuration_.leader_election;
  leases_ = std::make_unique<kube::LeaseClient>(chosen.ns, chosen.name, credentials_,
                                                chosen.renew_deadline / kAttemptsInDeadline);
  election::Settings settings;
  settings.identity =
      fmt::format("{}_{:08x}{:08x}", host_name(), std::random_device{}(), std::random_device{}());
  settings.lease_duration = chosen.lease_duration;
  settings.renew_deadline = chosen.renew_deadline;
  settings.retry_period = chosen.retry_period;
  election::Callbacks callbacks;
  callbacks.fit_to_lead = [this] { return engine_->synced(); };
  callbacks.on_elected = [this] { engine_->lead(); };
  callbacks.on_lost = [this] {
    client_->stop();
    on_lost_();
  };
  candidate_ = std::make_unique<election::Candidate>(settings, *leases_, lease_clock_, make_random(),
                                                     std::move(callbacks));
  fenced_ = std::make_unique<election::FencedWriter>(*client_, [this] { return candidate_->acting(); });
}

void App::start_engine() {
  kube::ClientOptions client;
  client.qps = configuration_.kubernetes.qps;
  client.burst = configuration_.kubernetes.burst;
  client_ = std::make_unique<kube::Client>(client, credentials_, clock_);

  const bool elected = configuration_.leader_election.enabled || options_.leader_elect;
  if (elected) start_election();

  engine::EngineOptions settings;
  settings.coordinator = to_options(configuration_);
  settings.coordinator.leading = !elected;
  settings.more_metrics = [this] {
    if (!nodes_ || !pods_) return std::string();
    return kube::metrics_text({nodes_->counts("nodes"), pods_->counts("pods")});
  };
  settings.binder.workers = configuration_.kubernetes.workers;
  kube::Writer& api = elected ? static_cast<kube::Writer&>(*fenced_) : *client_;
  engine_ = std::make_unique<engine::Engine>(settings, api, clock_, make_random(), plan_ids());
  decisions_ = std::make_unique<LedDecisions>(*engine_, candidate_.get());
  engine_->start();

  const auto watch = [](std::string_view path) {
    kube::ListWatchOptions list_watch;
    list_watch.path = path;
    return list_watch;
  };
  nodes_ = std::make_unique<kube::Reflector<kube::Node>>(
      watch(kube::kNodesPath), credentials_, clock_, make_random(),
      [this](kube::DeltaBatch<kube::Node> batch) { engine_->nodes_changed(std::move(batch)); });
  pods_ = std::make_unique<kube::Reflector<kube::Pod>>(
      watch(kube::kPodsPath), credentials_, clock_, make_random(), [this](kube::DeltaBatch<kube::Pod> batch) {
        refusals_.follow(batch);
        engine_->pods_changed(std::move(batch));
      });
  nodes_->start();
  pods_->start();
}

Result<void> App::start_server() {
  http::ServerOptions settings;
  settings.address = configuration_.server.address;
  settings.port = options_.port.value_or(configuration_.server.port);
  settings.max_body_bytes = configuration_.server.max_body_bytes;
  settings.max_workers = extender::workers_for(configuration_.limits.members_per_group);
  settings.tls = {configuration_.server.tls.cert_file, configuration_.server.tls.key_file,
                  configuration_.server.tls.client_ca_file, configuration_.server.tls.client_names};
  service_ = std::make_unique<extender::Service>(*decisions_, refusals_);
  server_ = std::make_unique<http::Server>(settings);
  extender::add_routes(*server_, *service_, *decisions_);
  const Result<uint16_t> port = server_->start();
  if (!port) return tl::unexpected(port.error());
  announce("serving on " + url_of(configuration_.server, *port));
  return {};
}

// Waiting bind calls are answered first, so that the server can drain; writes under way are finished before
// the connections they use go, and before the lease is handed to somebody who would write as well. Those that
// hang are cut: they would hold all that up for as long as Kubernetes gives.
void App::stop() {
  if (engine_ && !engine_->drain(kBarriers)) client_->stop();
  if (credentials_) credentials_->stop();
  if (engine_) engine_->stop();
  if (candidate_) candidate_->stop();
  if (server_) server_->stop(kDrain);
  if (nodes_) nodes_->stop();
  if (pods_) pods_->stop();
  if (client_) client_->stop();
  if (embedded_) embedded_->stop();
}

int probe(const config::Configuration& configuration, const Options& options) {
  const uint16_t port = options.port.value_or(configuration.server.port);
  config::Server local = configuration.server;
  if (local.address == "0.0.0.0") local.address = "127.0.0.1";
  if (local.address == "::") local.address = "::1";
  http::ClientOptions settings;
  settings.base_url = url_of(local, port);
  settings.connect_timeout = std::chrono::milliseconds(2'000);
  settings.read_timeout = std::chrono::milliseconds(2'000);
  if (!local.tls.cert_file.empty()) {
    // The probe runs beside the server and shows the server's own certificate to it.
    settings.insecure_skip_verify = true;
    const auto certificate = kube::read_file(local.tls.cert_file);
    const auto key = kube::read_file(local.tls.key_file);
    if (certificate && key) {
      settings.client_cert_pem = *certificate;
      settings.client_key_pem = *key;
    }
  }
  auto client = http::Client::create(settings);
  const auto reply =
      client ? (*client)->call("GET", options.probe, {}, "", "") : tl::unexpected(client.error());
  if (!reply) {
    std::fprintf(stderr, "muster-extender: %s\n", reply.error().message.c_str());
    return 1;
  }
  std::fprintf(stdout, "%d %s\n", reply->status, reply->body.c_str());
  return reply->status == 200 ? 0 : 1;
}

}  // namespace muster::cmd
