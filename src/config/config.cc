#include "config/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <limits>

#include "base/duration.h"
#include "base/file.h"
#include "base/names.h"
#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"
#include "yaml/documents.h"

namespace muster::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kApiVersion = "muster.dev/v1alpha1";
constexpr std::string_view kKind = "MusterConfiguration";

constexpr std::size_t kMaxFileBytes = 1u << 20;
constexpr std::size_t kMaxSchedulerNames = 64;
constexpr std::size_t kMaxClientNames = 64;
constexpr std::size_t kMaxTrees = 8;
constexpr std::size_t kMaxLevels = 16;
constexpr std::size_t kMaxLabelsPerLevel = 16;

using Check = Result<void> (*)(std::string_view);

// A string that passes `check`; a mistake otherwise.
void read_checked(const Value& value, Check check, std::string& out) {
  std::string text;
  value.read(text);
  if (value.document().error) return;
  if (const auto verdict = check(text); !verdict) return value.mistake(verdict.error().message);
  out = std::move(text);
}

// A list of different strings that pass `check`.
std::vector<std::string> read_names(const Value& list, std::size_t most, Check check) {
  std::vector<std::string> names;
  for (const Value& item : list.items(most)) {
    std::string name;
    read_checked(item, check, name);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      item.mistake(fmt::format("{} stands twice", quoted(name)));
    }
    names.push_back(std::move(name));
  }
  return names;
}

void require_exactly(Section& section, std::string_view key, std::string_view wanted) {
  const auto value = section.require(key);
  if (!value) return;
  std::string text;
  value->read(text);
  if (text != wanted) value->mistake(fmt::format("{} is not {}", quoted(text), quoted(wanted)));
}

Level read_level(const Value& value) {
  Level level;
  Section section(value);
  if (const auto name = section.require("name")) read_checked(*name, check_level_name, level.name);
  if (const auto labels = section.require("labels")) {
    level.labels = read_names(*labels, kMaxLabelsPerLevel, check_label_key);
  }
  section.finish();
  return level;
}

// The name of the level among `levels` that uses one of `labels`, if any.
const Level* same_label(const std::vector<Level>& levels, const std::vector<std::string>& labels) {
  for (const Level& level : levels) {
    for (const std::string& label : level.labels) {
      if (std::find(labels.begin(), labels.end(), label) != labels.end()) return &level;
    }
  }
  return nullptr;
}

template <typename Named>
bool has_name(const std::vector<Named>& all, const std::string& name) {
  return std::any_of(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
}

std::vector<Level> read_levels(const Value& list) {
  std::vector<Level> levels;
  for (const Value& item : list.items(kMaxLevels)) {
    Level level = read_level(item);
    if (has_name(levels, level.name)) {
      item.mistake(fmt::format("level {} stands twice in its tree", quoted(level.name)));
    }
    if (const Level* other = same_label(levels, level.labels)) {
      item.mistake(fmt::format("levels {} and {} share a label", quoted(other->name), quoted(level.name)));
    }
    levels.push_back(std::move(level));
  }
  return levels;
}

Tree read_tree(const Value& value) {
  Tree tree;
  Section section(value);
  if (const auto name = section.require("name")) read_checked(*name, check_level_name, tree.name);
  if (const auto levels = section.require("levels")) tree.levels = read_levels(*levels);
  section.finish();
  return tree;
}

void read_topology(const Value& value, std::vector<Tree>& trees) {
  Section section(value);
  if (const auto list = section.find("trees")) {
    for (const Value& item : list->items(kMaxTrees)) {
      Tree tree = read_tree(item);
      if (has_name(trees, tree.name)) item.mistake(fmt::format("tree {} stands twice", quoted(tree.name)));
      trees.push_back(std::move(tree));
    }
  }
  section.finish();
}

void read_groups(const Value& value, Groups& groups) {
  Section section(value);
  section.read("holdTimeout", groups.hold_timeout, Duration(100ms), Duration(24h));
  section.read("retryBackoff", groups.retry_backoff, Duration(10ms), Duration(1h));
  section.read("retryBackoffMax", groups.retry_backoff_max, Duration(10ms), Duration(24h));
  section.read("failureGrace", groups.failure_grace, Duration(0ms), Duration(24h));
  section.read("nodeGrace", groups.node_grace, Duration(0ms), Duration(24h));
  uint64_t restarts = groups.max_restarts;
  section.read("maxRestarts", restarts, uint64_t{0}, uint64_t{1000});
  groups.max_restarts = static_cast<uint32_t>(restarts);
  section.read("restartWindow", groups.restart_window, Duration(1s), Duration(24h));
  section.read("breakForPriority", groups.break_for_priority);
  section.finish();
  if (groups.retry_backoff_max < groups.retry_backoff) {
    section.mistake("retryBackoffMax is shorter than retryBackoff");
  }
}

void read_limits(const Value& value, Limits& limits) {
  constexpr uint64_t kMost = 1'000'000;
  constexpr uint64_t kMostSteps = 10'000'000'000;
  Section section(value);
  section.read("membersPerGroup", limits.members_per_group, uint64_t{1}, kMostMembersPerGroup);
  section.read("longestHold", limits.longest_hold, Duration(1s), Duration(24h));
  section.read("stepsPerDecision", limits.steps_per_decision, uint64_t{1}, kMostSteps);
  if (const auto part = section.find("perNamespace")) {
    Section per_namespace(*part);
    per_namespace.read("waitingGroups", limits.waiting_groups, uint64_t{1}, kMost);
    per_namespace.read("heldMembers", limits.held_members, uint64_t{1}, kMost);
    per_namespace.read("nodeSets", limits.node_sets, uint64_t{1}, kMost);
    per_namespace.finish();
  }
  section.finish();
}

void read_tls(const Value& value, Tls& tls) {
  Section section(value);
  if (const auto file = section.require("certFile")) file->read(tls.cert_file);
  if (const auto file = section.require("keyFile")) file->read(tls.key_file);
  section.read("clientCAFile", tls.client_ca_file);
  if (const auto names = section.find("clientNames")) {
    for (const Value& item : names->items(kMaxClientNames)) {
      std::string& name = tls.client_names.emplace_back();
      item.read(name);
    }
    if (tls.client_ca_file.empty()) names->mistake("without clientCAFile these names would be nobody's");
  }
  section.finish();
}

void read_server(const Value& value, Server& server) {
  Section section(value);
  if (const auto address = section.find("address")) {
    read_checked(*address, check_listen_address, server.address);
  }
  uint64_t port = server.port;
  section.read("port", port, uint64_t{0}, uint64_t{std::numeric_limits<uint16_t>::max()});
  server.port = static_cast<uint16_t>(port);
  section.read("bindTimeout", server.bind_timeout, Duration(100ms), Duration(10min));
  uint64_t body = server.max_body_bytes;
  section.read("maxBodyBytes", body, uint64_t{1024}, uint64_t{1} << 30);
  server.max_body_bytes = body;
  if (const auto tls = section.find("tls")) read_tls(*tls, server.tls);
  section.finish();
}

void read_kubernetes(const Value& value, Kubernetes& kubernetes) {
  Section section(value);
  section.read("qps", kubernetes.qps, 0.1, 100'000.0);
  section.read("burst", kubernetes.burst, 1.0, 1'000'000.0);
  uint64_t workers = kubernetes.workers;
  section.read("workers", workers, uint64_t{1}, uint64_t{1024});
  kubernetes.workers = static_cast<unsigned>(workers);
  section.finish();
}

// client-go's rules; 1.2 is its jitter.
void check_durations(const Section& section, const LeaderElection& election) {
  const auto both = [](std::string_view longer, Duration a, std::string_view shorter, Duration b) {
    return fmt::format("{} ({}) must be longer than {} ({})", longer, format_duration(a), shorter,
                       format_duration(b));
  };
  if (election.lease_duration % 1s != Duration(0)) {
    section.mistake(
        fmt::format("leaseDuration ({}) must be whole seconds", format_duration(election.lease_duration)));
  } else if (election.lease_duration <= election.renew_deadline) {
    section.mistake(both("leaseDuration", election.lease_duration, "renewDeadline", election.renew_deadline));
  } else if (election.renew_deadline * 5 <= election.retry_period * 6) {
    section.mistake(
        both("renewDeadline", election.renew_deadline, "1.2 times retryPeriod", election.retry_period));
  }
}

void read_leader_election(const Value& value, LeaderElection& election) {
  Section section(value);
  section.read("enabled", election.enabled);
  if (const auto ns = section.find("namespace")) read_checked(*ns, check_dns_label, election.ns);
  if (const auto name = section.find("name")) read_checked(*name, check_object_name, election.name);
  section.read("leaseDuration", election.lease_duration, Duration(1s), Duration(1h));
  section.read("renewDeadline", election.renew_deadline, Duration(100ms), Duration(1h));
  section.read("retryPeriod", election.retry_period, Duration(10ms), Duration(1h));
  section.finish();
  check_durations(section, election);
}

void read_logging(const Value& value, LogLevel& level) {
  Section section(value);
  if (const auto text = section.find("level")) {
    std::string name;
    text->read(name);
    if (const auto parsed = parse_log_level(name)) {
      level = *parsed;
    } else {
      text->mistake(fmt::format("{} is none of debug, info, warning, error", quoted(name)));
    }
  }
  section.finish();
}

Configuration read_configuration(const Value& root) {
  Configuration configuration;
  Section section(root);
  require_exactly(section, "apiVersion", kApiVersion);
  require_exactly(section, "kind", kKind);
  if (const auto names = section.find("schedulerNames")) {
    configuration.scheduler_names = read_names(*names, kMaxSchedulerNames, check_scheduler_name);
  }
  if (const auto part = section.find("topology")) read_topology(*part, configuration.trees);
  if (const auto part = section.find("groups")) read_groups(*part, configuration.groups);
  if (const auto part = section.find("limits")) read_limits(*part, configuration.limits);
  if (const auto part = section.find("server")) read_server(*part, configuration.server);
  if (const auto part = section.find("kubernetes")) read_kubernetes(*part, configuration.kubernetes);
  if (const auto part = section.find("leaderElection")) {
    read_leader_election(*part, configuration.leader_election);
  }
  if (const auto part = section.find("logging")) read_logging(*part, configuration.log_level);
  section.finish();
  return configuration;
}

}  // namespace

Result<Configuration> parse(std::string_view yaml, std::string_view source) {
  if (yaml.size() > kMaxFileBytes) {
    return invalid("{}: has {} bytes; at most {} are read", source, yaml.size(), kMaxFileBytes);
  }
  try {
    const auto documents = yaml::documents_of(std::string(yaml));
    if (documents.empty()) return invalid("{}: is empty; a {} is wanted", source, kKind);
    if (documents.size() > 1) {
      return invalid("{}: has {} documents; one {} is wanted", source, documents.size(), kKind);
    }
    Document document{std::string(source), std::nullopt};
    const YAML::Node& root = documents.front();
    Configuration configuration = read_configuration(Value(document, root, "", root.Mark()));
    if (document.error) return tl::unexpected(*document.error);
    return configuration;
  } catch (const YAML::Exception& error) {
    if (error.mark.is_null()) return invalid("{}: {}", source, yaml::message_of(error));
    return invalid("{}:{}: {}", source, error.mark.line + 1, yaml::message_of(error));
  }
}

Result<Configuration> load(const std::string& path) {
  const Result<std::string> text = read_file(path, kMaxFileBytes);
  if (!text) return tl::unexpected(text.error());
  return parse(*text, path);
}

}  // namespace muster::config
