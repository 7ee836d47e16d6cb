// The engine: one thread that owns the coordinator, one queue into it, and the wiring to the binder and to
// the server's verbs.
//
// Thread rule: all public functions are safe from any thread. The queue is unbounded but its sources are not:
// the reflectors wait for wait_for_room(), the server's calls each wait for their answer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/backoff.h"
#include "base/clock.h"
#include "binder/binder.h"
#include "engine/answers.h"
#include "engine/coordinator.h"
#include "extender/decisions.h"
#include "observe/metrics.h"

namespace muster::engine {

struct EngineOptions {
  CoordinatorOptions coordinator;
  binder::Options binder;
  std::size_t queue_limit = 1'000;            // batches of deltas beyond which the reflectors wait
  std::function<std::string()> more_metrics;  // of others, as Prometheus text; called from any thread
};

class Engine final : public extender::Decisions {
 public:
  Engine(EngineOptions options, kube::Writer& api, const Clock& clock, Random random,
         std::function<std::string()> new_plan_id);
  ~Engine() override;  // stops

  void start();
  // Ends the time as a standby (CoordinatorOptions::leading is false): takes up what stands in the API.
  void lead();
  // Nodes and pods have been listed: a standby could lead.
  [[nodiscard]] bool synced() const { return synced_; }
  // Before stop(): answers new bind calls with an error, and waits until no group's barrier is open and no
  // write waits. False when that does not come within the limit. Returns at once after stop().
  [[nodiscard]] bool drain(Duration limit);
  // Answers all waiting bind calls with an error, then ends the threads; writes under way are finished.
  // Idempotent.
  void stop();

  // --- the reflectors' side -------------------------------------------------------------------------------
  void nodes_changed(kube::DeltaBatch<kube::Node> batch);
  void pods_changed(kube::DeltaBatch<kube::Pod> batch);

  // --- Decisions: the server's side -----------------------------------------------------------------------
  [[nodiscard]] extender::FilterDecision filter(const extender::PodIdentity& pod) override;
  void node_refused(const extender::PodIdentity& pod, const std::string& node) override;
  [[nodiscard]] Result<void> bind(const extender::BindCall& call) override;
  [[nodiscard]] bool may_preempt(const extender::PodIdentity& preemptor,
                                 const std::vector<std::string>& victim_uids) override;
  [[nodiscard]] bool ready() const override { return ready_; }
  [[nodiscard]] std::string metrics() const override {
    // A write that nobody reports changes it without a turn of the engine.
    metrics_.set_writes_waiting(static_cast<double>(binder_.backlog()));
    return metrics_.text() + (options_.more_metrics ? options_.more_metrics() : "");
  }

 private:
  using Event = std::function<void(TimePoint)>;

  void post(Event event);
  void wait_for_room();
  [[nodiscard]] bool stopped();
  void run();
  [[nodiscard]] std::deque<Event> next_events();
  void turn();
  void carry(group::Command command);
  [[nodiscard]] Result<void> wait_for_binding(const extender::BindCall& call);
  void answer(uint64_t call, Result<void> result);
  void refuse_calls();
  void report(binder::Report report);
  [[nodiscard]] bool could_be_ours(const extender::PodIdentity& pod) const;
  [[nodiscard]] bool ours(const extender::PodIdentity& pod) const;
  [[nodiscard]] bool astray(const extender::PodIdentity& pod) const;
  void show_counts();

  const EngineOptions options_;
  const Clock& clock_;
  mutable observe::Metrics metrics_;  // safe from any thread
  Answers answers_;
  Coordinator coordinator_;  // the engine's thread only
  uint64_t plans_shown_ = 0;
  uint64_t steps_shown_ = 0;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> synced_ = false;
  std::atomic<std::size_t> open_barriers_ = 0;

  std::mutex mutex_;  // guards the queue
  std::condition_variable wake_;
  std::condition_variable room_;
  std::deque<Event> queue_;
  bool stopping_ = false;

  std::mutex calls_mutex_;  // guards the waiting bind calls
  std::unordered_map<uint64_t, std::promise<Result<void>>> calls_;
  uint64_t last_call_ = 0;
  bool refusing_calls_ = false;

  std::thread thread_;
  binder::Binder binder_;  // last: its reports use all of the above
};

}  // namespace muster::engine
