// A short life of a random cluster with everything that may go wrong, and then a time in which nothing does.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "muster_process.h"
#include "scheduler.h"
#include "sim/api.h"
#include "sim/timeline.h"

namespace muster::sim {

struct Outcome {
  uint64_t steps = 0;
  uint64_t bindings = 0;
  uint64_t groups = 0;
  uint64_t whole = 0;     // reached their minimum at the end
  uint64_t partial = 0;   // hold nodes and lack members, by failure-policy Ignore or Stuck for a reason
  uint64_t supposed = 0;  // likewise, whose loss happened while no Muster was there
  uint64_t waiting = 0;   // hold nothing
};

class Simulation {
 public:
  Simulation(uint64_t seed, bool logging);
  // Throws Broken.
  Outcome run();
  [[nodiscard]] const Timeline& timeline() const { return time_; }
  [[nodiscard]] std::string describe() const { return muster_.describe(); }

 private:
  // What a controller keeps alive: `size` pods, each replaced when it is lost.
  struct GroupPlan {
    std::string name;
    int size = 1;
    int minimum = 1;
    int64_t gpus = 1;
    std::string required;
    std::string preferred;
    int32_t priority = 0;
    bool gated = true;
    bool has_controller = true;
    bool gate = false;      // its pods wait for the group's readiness
    std::string policy;     // failure-policy
    bool mistaken = false;  // its next pod is made with another minimum
    std::set<std::string> mistakes;
    std::set<int> done;  // completed: not made again when the pod is deleted
  };
  struct Count {
    int live = 0;
    int completed = 0;
    int unbound = 0;
  };

  void make_cluster();
  void begin();
  void create_group();
  void create_pod(GroupPlan& group, int index);
  void create_stranger();
  void mischief_soon();
  void controllers_soon();
  void kubelets_soon();
  void run_kubelets();
  void do_mischief();
  void mend(GroupPlan& group);
  void lose_pod();
  void end_pod(bool success);
  void clean_up();
  void note_done(const kube::Pod& pod);
  void trouble_node();
  void kill_muster();
  void replace_missing();
  void heal();
  void run_until(TimePoint end);
  [[nodiscard]] Count count(const std::string& group) const;
  [[nodiscard]] std::map<std::string, bool> settle();
  [[nodiscard]] group::State state_of(const std::string& group);
  [[nodiscard]] bool supposes_completed(const std::string& group, const Count& has);
  void check_pods_at_rest();
  void check_readiness(const GroupPlan& group);
  void check_at_rest(Outcome& outcome);

  Timeline time_;
  Faults faults_;
  Api api_;
  MusterProcess muster_;
  Scheduler scheduler_;
  std::map<std::string, GroupPlan> groups_;
  std::map<std::string, kube::Node> spare_;  // removed nodes
  bool calm_ = false;
  int serial_ = 0;
};

}  // namespace muster::sim
