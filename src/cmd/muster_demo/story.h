// The demo's story: what a user does, what has to happen next, and a check that it did.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cmd/muster_demo/cluster.h"
#include "cmd/muster_demo/kube_scheduler.h"
#include "cmd/muster_demo/picture.h"
#include "cmd/muster_demo/style.h"

namespace muster::demo {

// A group of the story: each member asks for a whole host.
struct GroupSpec {
  std::string name;
  int members = 0;
  std::string required;   // level, may be empty
  std::string preferred;  // level, may be empty
};

class Story {
 public:
  // All three outlive the story. `pause` follows every scene, for people who watch.
  Story(Cluster& cluster, const KubeScheduler& scheduler, const Style& style,
        std::chrono::milliseconds pause);

  // Plays all scenes. The error says what was expected and what was seen instead.
  [[nodiscard]] Result<void> play();

 private:
  using Scene = Result<void> (Story::*)();

  [[nodiscard]] Result<void> gathers();
  [[nodiscard]] Result<void> becomes_complete();
  [[nodiscard]] Result<void> spans_racks();
  [[nodiscard]] Result<void> has_to_wait();
  [[nodiscard]] Result<void> loses_a_member();
  [[nodiscard]] Result<void> room_appears();

  void title(const std::string& text, const std::string& told);
  void seen(const std::string& text) const;
  void show() const;

  [[nodiscard]] Result<void> create(const GroupSpec& group, const std::string& pod) const;
  [[nodiscard]] Result<void> create(const GroupSpec& group, int first, int last) const;
  // Waits until this many members are bound.
  [[nodiscard]] Result<void> expect_bound(const GroupSpec& group, int count) const;
  // Fails when one of the members is bound during this time.
  [[nodiscard]] Result<void> expect_none_bound(const GroupSpec& group,
                                               std::chrono::milliseconds during) const;
  // Ends jobs of no group in the rack with the most free hosts until so many are free; returns how many and
  // where.
  [[nodiscard]] Result<std::string> free_hosts(int wanted) const;
  [[nodiscard]] tl::unexpected<Error> differs(const std::string& expected, const std::string& seen) const;

  Cluster& cluster_;
  const KubeScheduler& scheduler_;
  const Style style_;
  const std::chrono::milliseconds pause_;
  int scene_ = 0;
};

}  // namespace muster::demo
