// The MusterConfiguration file (docs/reference.md), strictly read: an unknown key, a wrong type or a value
// out of range is kInvalid, and the message names the file, the line, the key's path, the value and the
// nearest known key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

namespace muster::config {

struct Level {
  std::string name;
  std::vector<std::string> labels;  // the first that is present on a node counts; at least one
};

struct Tree {
  std::string name;
  std::vector<Level> levels;  // coarse to fine; the host is implied
};

struct Groups {
  Duration hold_timeout{30'000};
  Duration retry_backoff{1'000};
  Duration retry_backoff_max{60'000};
  Duration failure_grace{60'000};
  Duration node_grace{10'000};
  uint32_t max_restarts = 5;
  Duration restart_window{600'000};
  bool break_for_priority = false;
};

// What the decision core takes (kMaxMembers of muster/request.h), and so the most that can be allowed.
inline constexpr uint64_t kMostMembersPerGroup = 100'000;

// What groups and namespaces may ask for (group/limits.h).
struct Limits {
  uint64_t members_per_group = 10'000;
  Duration longest_hold{600'000};
  uint64_t steps_per_decision = 20'000'000;  // of the search for a placement (muster/solver.h)
  uint64_t waiting_groups = 1'000;           // these three per namespace
  uint64_t held_members = 20'000;
  uint64_t node_sets = 200;
};

struct Tls {
  std::string cert_file;  // empty: plain HTTP
  std::string key_file;
  std::string client_ca_file;
  std::vector<std::string> client_names;  // empty: every certificate of the CA
};

struct Server {
  std::string address = "127.0.0.1";
  uint16_t port = 9470;
  Duration bind_timeout{50'000};
  std::size_t max_body_bytes = 16u << 20;
  Tls tls;
};

struct Kubernetes {
  double qps = 1000;
  double burst = 2000;
  unsigned workers = 32;
};

// Of several muster-extenders with the same lease one works, the others stand by.
struct LeaderElection {
  bool enabled = false;
  std::string ns = "muster-system";
  std::string name = "muster-extender";
  Duration lease_duration{15'000};  // whole seconds, as a Lease has them
  Duration renew_deadline{10'000};
  Duration retry_period{2'000};
};

struct Configuration {
  std::vector<std::string> scheduler_names{"muster"};
  std::vector<Tree> trees;
  Groups groups;
  Limits limits;
  Server server;
  Kubernetes kubernetes;
  LeaderElection leader_election;
  LogLevel log_level = LogLevel::kInfo;
};

// `source` is the name that messages give to the text, usually the file's path.
[[nodiscard]] Result<Configuration> parse(std::string_view yaml, std::string_view source);
[[nodiscard]] Result<Configuration> load(const std::string& path);

}  // namespace muster::config
