// The engine's options as a configuration file says them, the same for the server and for the simulator.
#pragma once

#include <vector>

#include "books/books.h"
#include "config/config.h"
#include "engine/coordinator.h"
#include "muster/request.h"
#include "muster/topology.h"

namespace muster::cmd {

[[nodiscard]] inline std::vector<books::TreeLabels> to_trees(const std::vector<config::Tree>& configured) {
  std::vector<books::TreeLabels> trees;
  for (const config::Tree& tree : configured) {
    books::TreeLabels& made = trees.emplace_back(books::TreeLabels{tree.name, {}});
    for (const config::Level& level : tree.levels) made.levels.push_back({level.name, level.labels});
  }
  return trees;
}

// The levels have to make a topology before there is any node.
[[nodiscard]] inline Result<void> check_levels(const std::vector<books::TreeLabels>& trees) {
  if (const auto topology = Topology::build(books::to_spec(trees), {}); !topology)
    return tl::unexpected(topology.error());
  return {};
}

static_assert(config::kMostMembersPerGroup == kMaxMembers);

[[nodiscard]] inline group::Limits to_limits(const config::Limits& configured) {
  group::Limits limits;
  limits.members_per_group = static_cast<uint32_t>(configured.members_per_group);
  limits.longest_hold = configured.longest_hold;
  limits.waiting_groups = static_cast<uint32_t>(configured.waiting_groups);
  limits.held_members = static_cast<uint32_t>(configured.held_members);
  limits.node_sets = static_cast<uint32_t>(configured.node_sets);
  return limits;
}

[[nodiscard]] inline engine::CoordinatorOptions to_options(const config::Configuration& configuration) {
  engine::CoordinatorOptions options;
  options.scheduler_names = configuration.scheduler_names;
  options.trees = to_trees(configuration.trees);
  const config::Groups& groups = configuration.groups;
  options.groups.hold_timeout = groups.hold_timeout;
  options.groups.retry_backoff = groups.retry_backoff;
  options.groups.retry_backoff_max = groups.retry_backoff_max;
  options.groups.failure_grace = groups.failure_grace;
  options.groups.max_restarts = groups.max_restarts;
  options.groups.restart_window = groups.restart_window;
  options.node_grace = groups.node_grace;
  options.break_groups = groups.break_for_priority;
  options.limits = to_limits(configuration.limits);
  options.solving.step_budget = configuration.limits.steps_per_decision;
  options.bind_timeout = configuration.server.bind_timeout;
  return options;
}

}  // namespace muster::cmd
