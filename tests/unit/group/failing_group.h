// What the rows of docs/failure-domain.md are shown on: a group of four whose members fail, in virtual time.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/group_bench.h"

namespace muster::group {

using test::GroupBench;
using test::only;
using Names = std::vector<std::string>;

inline constexpr Duration kGrace{60'000};
inline constexpr Duration kHold{30'000};
inline const Names kMembers{"a", "b", "c", "d"};

struct Life : GroupBench {
  explicit Life(FailurePolicy policy = FailurePolicy::kRepair, bool bare = false) {
    room.slots = {{"n1", 4}, {"n2", 4}};
    for (const std::string& uid : kMembers) make(uid, policy, bare);
  }
  void make(const std::string& uid, FailurePolicy policy = FailurePolicy::kRepair, bool bare = false) {
    Member& member = pod(uid);
    test::Asking(member)->failure_policy = policy;
    member.controller = bare ? "" : "job";
    member.controller_uid = bare ? "" : "job-1";
    see(uid);
  }
  Life& reserved() {
    reserve();
    REQUIRE(state() == State::kReserved);
    return *this;
  }
  // All bind calls are here and the bindings are about to be posted.
  Commands binding() {
    reserved();
    uint64_t number = 0;
    for (const auto& [uid, node] : std::map(room.reserved)) call(uid, ++number);
    REQUIRE(state() == State::kBinding);
    return take();
  }
  Life& bound() {
    reserve();
    bind_all();
    take();
    REQUIRE(state() == State::kBound);
    return *this;
  }
  // The bindings take effect, but those of `failing` do not, for good.
  void bind_but(const std::set<std::string>& failing) {
    for (const Bind& c : only<Bind>(binding())) {
      if (failing.contains(c.pod.uid)) {
        group().bind_done(c.pod.uid, c.plan, fail(ErrorCode::kForbidden, "no"), context());
        continue;
      }
      pod(c.pod.uid).node = c.node;
      group().bind_done(c.pod.uid, c.plan, {}, context());
      see(c.pod.uid);
    }
  }
  void settle() {
    while (!out.empty()) carry_out();
  }
  void let_fail(const std::string& uid) {
    pod(uid).failed = true;
    see(uid);
  }
  void succeed(const std::string& uid) {
    pod(uid).succeeded = true;
    see(uid);
  }
  void fate(const std::string& uid, NodeFate fate) {
    pod(uid).fate = fate;
    group().node_fared(uid, fate, context());
  }
  // What is going is gone, and its controller makes it again.
  void remake(FailurePolicy policy = FailurePolicy::kRepair) {
    std::vector<std::string> going;
    for (const auto& [uid, member] : pods) {
      if (member.terminating || member.failed) going.push_back(uid);
    }
    for (const std::string& uid : going) erase(uid);
    for (const std::string& uid : going) make(uid + "'", policy);
  }
  bool holds_nothing() const {
    return room.reserved.empty() &&
           std::none_of(pods.begin(), pods.end(), [](const auto& entry) { return entry.second.live(); });
  }
  std::vector<std::string> told() {
    std::vector<std::string> reasons;
    for (const Tell& words : only<Tell>(out)) reasons.emplace_back(to_string(words.reason));
    return reasons;
  }
  std::vector<std::string> evicted() {
    settle();
    std::vector<std::string> uids = evictions;
    std::sort(uids.begin(), uids.end());
    return uids;
  }
};

// A row of the table: what a fault in a state leads to, and what shows it.
struct Row {
  const char* state;
  const char* fault;
  const char* then;
  void (*shows)();
};

[[nodiscard]] std::vector<Row> rows_before_it_stands();
[[nodiscard]] std::vector<Row> rows_of_a_bound_group();
[[nodiscard]] std::vector<Row> rows_of_letting_go();

}  // namespace muster::group
