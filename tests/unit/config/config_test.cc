#include "config/config.h"

#include <catch2/catch.hpp>
#include <string>

namespace muster::config {
namespace {

const std::string kHead = "apiVersion: muster.dev/v1alpha1\nkind: MusterConfiguration\n";

Configuration good(const std::string& rest) {
  const auto configuration = parse(kHead + rest, "muster.yaml");
  INFO((configuration ? std::string() : configuration.error().message));
  REQUIRE(configuration);
  return *configuration;
}

TEST_CASE("config: a file with only its head holds the defaults") {
  const Configuration configuration = good("");
  CHECK(configuration.scheduler_names == std::vector<std::string>{"muster"});
  CHECK(configuration.trees.empty());
  CHECK(configuration.groups.hold_timeout == Duration(30'000));
  CHECK(configuration.groups.retry_backoff == Duration(1'000));
  CHECK(configuration.groups.retry_backoff_max == Duration(60'000));
  CHECK(configuration.server.address == "127.0.0.1");
  CHECK(configuration.server.port == 9470);
  CHECK(configuration.server.bind_timeout == Duration(50'000));
  CHECK(configuration.server.max_body_bytes == 16777216);
  CHECK(configuration.server.tls.cert_file.empty());
  CHECK(configuration.kubernetes.qps == 1000);
  CHECK(configuration.kubernetes.burst == 2000);
  CHECK(configuration.kubernetes.workers == 32);
  CHECK(configuration.log_level == LogLevel::kInfo);
  const LeaderElection& election = configuration.leader_election;
  CHECK_FALSE(election.enabled);
  CHECK(election.ns == "muster-system");
  CHECK(election.name == "muster-extender");
  CHECK(election.lease_duration == Duration(15'000));
  CHECK(election.renew_deadline == Duration(10'000));
  CHECK(election.retry_period == Duration(2'000));
}

TEST_CASE("config: the keys of the leader election are read") {
  const LeaderElection election = good(R"(
leaderElection:
  enabled: true
  namespace: kube-system
  name: muster.one
  leaseDuration: 1m
  renewDeadline: 40s
  retryPeriod: 500ms
)")
                                      .leader_election;
  CHECK(election.enabled);
  CHECK(election.ns == "kube-system");
  CHECK(election.name == "muster.one");
  CHECK(election.lease_duration == Duration(60'000));
  CHECK(election.renew_deadline == Duration(40'000));
  CHECK(election.retry_period == Duration(500));
}

TEST_CASE("config: every key of the reference is read") {
  const Configuration configuration = good(R"(
schedulerNames: [muster, default-scheduler]
topology:
  trees:
    - name: fabric
      levels:
        - name: block
          labels: [topology.muster.dev/block, cloud.example.com/gce-topology-block]
        - {name: rack, labels: [topology.muster.dev/rack]}
    - name: accelerator
      levels:
        - name: nvlDomain
          labels: [nvidia.com/gpu.clique]
groups: {holdTimeout: 45s, retryBackoff: 500ms, retryBackoffMax: 1h30m, failureGrace: 2m, nodeGrace: 0s,
         maxRestarts: 0, restartWindow: 1h, breakForPriority: true}
server:
  address: "::1"
  port: 0
  bindTimeout: 2m
  maxBodyBytes: 1048576
  tls: {certFile: /tls/tls.crt, keyFile: /tls/tls.key, clientCAFile: /tls/ca.crt, clientNames: [a, "spiffe://b"]}
kubernetes: {qps: 0.5, burst: 10, workers: 4}
logging: {level: warning}
)");
  CHECK(configuration.scheduler_names == std::vector<std::string>{"muster", "default-scheduler"});
  REQUIRE(configuration.trees.size() == 2);
  CHECK(configuration.trees[0].name == "fabric");
  REQUIRE(configuration.trees[0].levels.size() == 2);
  CHECK(configuration.trees[0].levels[0].name == "block");
  CHECK(configuration.trees[0].levels[0].labels ==
        std::vector<std::string>{"topology.muster.dev/block", "cloud.example.com/gce-topology-block"});
  CHECK(configuration.trees[0].levels[1].name == "rack");
  CHECK(configuration.trees[1].levels[0].name == "nvlDomain");
  CHECK(configuration.groups.hold_timeout == Duration(45'000));
  CHECK(configuration.groups.retry_backoff == Duration(500));
  CHECK(configuration.groups.retry_backoff_max == Duration(5'400'000));
  CHECK(configuration.groups.failure_grace == Duration(120'000));
  CHECK(configuration.groups.node_grace == Duration(0));
  CHECK(configuration.groups.max_restarts == 0);
  CHECK(configuration.groups.restart_window == Duration(3'600'000));
  CHECK(configuration.groups.break_for_priority);
  CHECK(configuration.server.address == "::1");
  CHECK(configuration.server.port == 0);
  CHECK(configuration.server.bind_timeout == Duration(120'000));
  CHECK(configuration.server.max_body_bytes == 1048576);
  CHECK(configuration.server.tls.cert_file == "/tls/tls.crt");
  CHECK(configuration.server.tls.key_file == "/tls/tls.key");
  CHECK(configuration.server.tls.client_ca_file == "/tls/ca.crt");
  CHECK(configuration.server.tls.client_names == std::vector<std::string>{"a", "spiffe://b"});
  CHECK(configuration.kubernetes.qps == 0.5);
  CHECK(configuration.kubernetes.burst == 10);
  CHECK(configuration.kubernetes.workers == 4);
  CHECK(configuration.log_level == LogLevel::kWarning);
}

TEST_CASE("config: two trees may share a label and a level's name") {
  const Configuration configuration = good(R"(
topology:
  trees:
    - {name: fabric, levels: [{name: zone, labels: [topology.kubernetes.io/zone]}]}
    - {name: power, levels: [{name: zone, labels: [topology.kubernetes.io/zone]}]}
)");
  CHECK(configuration.trees.size() == 2);
}

TEST_CASE("config: a file is loaded by its path, and the path stands in its messages") {
  const auto missing = load("/nonexistent/muster.yaml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kInvalid);
  CHECK(missing.error().message == "/nonexistent/muster.yaml: No such file or directory");

  const auto directory = load("/");
  REQUIRE_FALSE(directory);
  CHECK(directory.error().message == "/: Is a directory");
}

}  // namespace
}  // namespace muster::config
