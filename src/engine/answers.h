// What filter and preempt answer, readable by every server thread while the engine goes on: a table from pod
// to its group's words and, when the member is planned, its node.
//
// Thread rule: the engine's thread writes, any thread reads; a reader waits at most for one table update.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "extender/decisions.h"
#include "group/member.h"
#include "group/quorum.h"
#include "group/spec.h"

namespace muster::engine {

// What keeps a group from being broken by kube-scheduler's preemption.
struct Shield {
  int64_t spare = 0;  // running members that the group can lose and still reach its minimum
  // With subgroups: who stands, and what has to; else null.
  struct Minima {
    group::GroupSpec spec;
    group::Tally standing;
  };
  std::shared_ptr<const Minima> minima = nullptr;
  // Pods of a higher priority may break it; nobody may without.
  std::optional<int32_t> broken_above = std::nullopt;
};

class Answers {
 public:
  // --- the engine's side ----------------------------------------------------------------------------------
  void set_group(const group::GroupKey& key, std::string reason, Shield shield);
  void erase_group(const group::GroupKey& key);
  // A member waits until set_node() names its node. The group has to be there.
  void set_member(const std::string& uid, const group::GroupKey& key, const std::string& subgroup);
  // nullptr: it waits again.
  void set_node(const std::string& uid, const std::string* node, const std::string& plan = "");
  void erase_member(const std::string& uid);
  void set_promises(extender::Promises promises);

  // --- the server's side ----------------------------------------------------------------------------------
  // Whether the pod has been seen as a member of a group. O(1).
  [[nodiscard]] bool knows(const std::string& uid) const;
  // `carried` is the annotation muster.dev/plan of the pod as kube-scheduler has it.
  [[nodiscard]] extender::FilterDecision member(const std::string& uid,
                                                const std::string& carried = "") const;
  [[nodiscard]] std::shared_ptr<const extender::Promises> promises() const;
  // No group, nor a subgroup of it, would fall below its minimum without these pods; one that may be broken
  // by a pod of this priority does not count. O(pods + subgroups of their groups).
  [[nodiscard]] bool expendable(const std::vector<std::string>& uids, int32_t priority) const;

 private:
  struct GroupWords {
    std::string reason;
    Shield shield;
  };
  struct Entry {
    std::shared_ptr<GroupWords> group;
    extender::Planned planned;  // without a node: held
    std::string subgroup;
  };

  mutable std::shared_mutex mutex_;  // guards everything below
  std::unordered_map<group::GroupKey, std::shared_ptr<GroupWords>, group::GroupKeyHash> groups_;
  std::unordered_map<std::string, Entry> members_;
  std::shared_ptr<const extender::Promises> promises_ = std::make_shared<extender::Promises>();
};

}  // namespace muster::engine
