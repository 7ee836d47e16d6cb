// kube-scheduler as it was measured: a cache that lags behind, the nominated node first,
// filter, assume, bind; refusals, calls given up on, restarts that forget.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "muster_process.h"
#include "sim/api.h"
#include "sim/timeline.h"

namespace muster::sim {

class Scheduler {
 public:
  Scheduler(Timeline& time, Api& api, const Faults& faults, MusterProcess& muster);

  void start();
  // Forgets what it assumed and the calls it made.
  void restart();
  void answered(uint64_t call, const Result<void>& result);
  // Muster is gone: its calls end with an error.
  void connection_lost();
  [[nodiscard]] bool quiet() const { return calls_.empty() && watch_.nodes.empty() && watch_.pods.empty(); }

 private:
  struct Call {
    std::string uid;
    std::string node;
  };

  void watch_soon();
  void deliver();
  void apply(const kube::Delta<kube::Pod>& delta);
  void see(const kube::Pod& pod);
  void forget(const std::string& uid);
  void try_soon(const std::string& uid, int64_t least, int64_t most);
  void attempt(const std::string& uid);
  [[nodiscard]] std::set<std::string> feasible(const kube::Pod& pod) const;
  void unschedulable(const kube::Pod& pod, const std::string& message);
  void bind(const kube::Pod& pod, const std::string& node);
  void give_up(uint64_t number);

  Timeline& time_;
  Api& api_;
  const Faults& faults_;
  MusterProcess& muster_;
  Watch watch_;
  bool delivery_due_ = false;
  std::map<std::string, kube::Node> nodes_;
  std::map<std::string, kube::Pod> pods_;       // by uid
  std::map<std::string, std::string> assumed_;  // uid → node
  std::map<std::string, uint64_t> tries_;       // uid → its latest attempt that is due
  std::map<uint64_t, Call> calls_;
  uint64_t sequence_ = 0;
};

}  // namespace muster::sim
