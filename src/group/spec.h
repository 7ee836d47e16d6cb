// What a group asks for: the meaning of the annotations that all its members repeat.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace muster::group {

// Members are cut, in rank order, into slices of `size` that stay in one domain of `level` each.
struct SliceSpec {
  uint32_t size = 1;
  std::string level;
  friend bool operator==(const SliceSpec&, const SliceSpec&) = default;
};

// Constraints of one node of the tree of subgroups. Levels are names or label keys; empty: none.
struct Constraints {
  std::string topology_required;
  std::string topology_preferred;
  std::vector<SliceSpec> slices;  // coarse to fine
  std::string exclusive;          // no foreign member in the domains of this level that it uses
  bool spread = false;            // evenly over the domains below, instead of packed
  // Of the subgroups directly below, so many have to stand; absent: all that have a minimum.
  std::optional<uint32_t> min_subgroups;
  friend bool operator==(const Constraints&, const Constraints&) = default;
};

struct SubgroupSpec : Constraints {
  std::string name;
  std::optional<uint32_t> min_member;
  std::vector<SubgroupSpec> subgroups;  // by name
  friend bool operator==(const SubgroupSpec&, const SubgroupSpec&) = default;
};

// What the loss of a member does to the others.
enum class FailurePolicy { kRepair, kRestart, kIgnore };

struct GroupSpec : Constraints {
  uint32_t min_member = 1;
  std::vector<SubgroupSpec> subgroups;  // by name
  std::optional<Duration> hold_timeout;
  FailurePolicy failure_policy = FailurePolicy::kRepair;
  std::optional<Duration> failure_grace;  // how long a loss may last before the group lets go
  bool obey_budgets = true;               // members go through evictions that PodDisruptionBudgets can refuse
  friend bool operator==(const GroupSpec&, const GroupSpec&) = default;
};

// What a pod's annotations mean, or what is wrong with them. The members of a group mostly say the same, so a
// copy costs a reference.
class SharedSpec {
 public:
  SharedSpec(Result<GroupSpec> read) : read_(std::make_shared<const Result<GroupSpec>>(std::move(read))) {}
  SharedSpec(GroupSpec spec) : SharedSpec(Result<GroupSpec>(std::move(spec))) {}
  SharedSpec(tl::unexpected<Error> error) : SharedSpec(Result<GroupSpec>(std::move(error))) {}

  [[nodiscard]] bool has_value() const { return read_->has_value(); }
  explicit operator bool() const { return has_value(); }
  [[nodiscard]] const GroupSpec& operator*() const { return **read_; }
  [[nodiscard]] const GroupSpec* operator->() const { return &**read_; }
  [[nodiscard]] const Error& error() const { return read_->error(); }
  [[nodiscard]] const Result<GroupSpec>& result() const { return *read_; }
  // What is wrong does not count: without a meaning all are alike.
  friend bool operator==(const SharedSpec& a, const SharedSpec& b) {
    if (a.read_ == b.read_) return true;
    return a.has_value() == b.has_value() && (!a || *a == *b);
  }

 private:
  std::shared_ptr<const Result<GroupSpec>> read_;
};

// The first key on which two members' specs differ, as "muster.dev/min-member: 4 here, 5 there"; empty when
// equal.
[[nodiscard]] std::string difference(const GroupSpec& here, const GroupSpec& there);

[[nodiscard]] std::string_view to_string(FailurePolicy policy);

// The same without slices, in the group and its subgroups.
[[nodiscard]] GroupSpec without_slices(GroupSpec spec);
[[nodiscard]] bool has_slices(const GroupSpec& spec);

}  // namespace muster::group
