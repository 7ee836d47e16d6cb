// Plans the groups of an input one after another, each on what the ones before left, with the same books and
// the same solver as the server.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "books/books.h"
#include "group/limits.h"
#include "group/member.h"
#include "muster/solver.h"
#include "offline/input.h"
#include "offline/moves.h"

namespace muster::offline {

enum class Order {
  kInput,  // of first appearance
  kQueue,  // priority, then age, then first appearance
};

enum class Outcome { kFits, kNo, kUndecided, kRejected };
[[nodiscard]] std::string_view to_string(Outcome outcome);  // "fits", "no", "undecided", "rejected"

struct PlacedPod {
  std::string name;
  std::string node;
  int64_t rank = 0;
  std::vector<std::string>
      domains;  // qualified values, as GroupReport::levels; empty where the node is in none
};

// muster::Miss and muster::Remedy with names instead of ids, which mean nothing without the books; and what
// could move.
struct NearMiss {
  std::string level;
  std::string domain;  // qualified value
  uint32_t holds = 0;
  uint32_t wanted = 0;
  std::string counts;  // "members" or "slices"
  uint32_t hosts = 0;
  std::string resource;  // the one that binds; empty: none
  int64_t short_by = 0;
  uint32_t short_hosts = 0;
  std::map<std::string, uint32_t> excluded;  // reason → hosts
};
struct Remedy {
  std::string kind;  // "level", "minimum", "room" or "moves"
  std::string level;
  uint32_t minimum = 0;
  std::string node;
  std::string resource;
  int64_t amount = 0;
  std::vector<Move> moves;
};

struct GroupReport {
  group::GroupKey key;
  Outcome outcome = Outcome::kFits;
  std::vector<PlacedPod> pods;      // newly placed, by rank
  uint32_t bound = 0;               // members that were there before
  uint32_t wanted = 0;              // members without a node
  std::vector<std::string> levels;  // names, coarse to fine, the host not among them
  std::map<std::string, std::vector<std::string>>
      domains;       // level → qualified values the placed members are in
  std::string code;  // of a reason: "members", "rejected", …
  std::string message;
  std::string subgroup;  // path of the subgroup in the way; empty: the group itself
  std::vector<NearMiss> nearest;
  std::vector<Remedy> remedies;
  uint64_t steps = 0;
  int64_t micros = 0;
};

struct Settings {
  std::vector<books::TreeLabels> trees;
  Order order = Order::kInput;
  SolveOptions solving;
  group::Limits limits;  // on what members ask for, as in the server
};

// `micros` is a clock that is read before and after each decision.
[[nodiscard]] std::vector<GroupReport> plan(const Input& input, const Settings& settings,
                                            const std::function<int64_t()>& micros);

}  // namespace muster::offline
