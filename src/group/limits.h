// What one namespace may ask of Muster, whoever makes its pods: bounds on what a group may say of itself, and
// on how much room the groups of a namespace may hold without using it.
//
// Thread rule: values; an Allowance belongs to one turn of the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "group/member.h"
#include "group/spec.h"

namespace muster::group {

struct Limits {
  uint32_t members_per_group = 10'000;  // also the largest minimum
  Duration longest_hold{600'000};       // the longest hold-timeout
  // Per namespace.
  uint32_t waiting_groups = 1'000;  // that are considered in one turn of the queue, first come first
  uint32_t held_members = 20'000;   // for which plans hold room and which are not bound yet
  uint32_t node_sets = 200;         // different answers to «which nodes may it use», each costs a byte a host
};

// kInvalid names the annotation, its value, and the limit with its key in the configuration.
[[nodiscard]] Result<void> check(const GroupSpec& spec, const Limits& limits);
// A group with more members than `most` is a rejected one. `members`: those that have neither ended nor are
// being deleted.
[[nodiscard]] Result<void> check_size(std::size_t members, std::size_t most);
// `before`: different node sets of the namespace without this member's.
[[nodiscard]] Result<void> check_node_sets(std::size_t before, const Limits& limits);

// A member that is not fine makes its group a rejected one, with the reason on every member; the first reason
// stays. Whether it is fine.
bool reject_unless(const Result<void>& fine, Member& member);

// Who may be planned in this turn.
class Allowance {
 public:
  explicit Allowance(const Limits& limits) : limits_(limits) {}
  // Members that are held already.
  void holds(const std::string& ns, std::size_t members) { namespaces_[ns].held += members; }
  // Why this group is not planned now, in words; nothing when it may be. `members`: those that would be held.
  // A namespace that holds nothing may always hold one group.
  [[nodiscard]] std::optional<std::string> refuse(const std::string& ns, std::size_t members);
  // It was planned and holds so many.
  void planned(const std::string& ns, std::size_t members) { holds(ns, members); }

 private:
  struct Use {
    std::size_t held = 0;
    std::size_t considered = 0;
  };
  const Limits& limits_;
  std::map<std::string, Use> namespaces_;
};

}  // namespace muster::group
