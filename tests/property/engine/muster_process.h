// One Muster after another: the real coordinator with its watches, a model of the binder that keeps the real
// one's rules, and the promises checked after every step.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "broken.h"
#include "engine/answers.h"
#include "engine/coordinator.h"
#include "sim/api.h"
#include "sim/timeline.h"

namespace muster::sim {

// What may go wrong, as probabilities of one occasion; all 0 once things are to settle.
struct Faults {
  double write_fails = 0;
  double reply_lost = 0;
  double slow_write = 0;
  double refuses_node = 0;  // kube-scheduler does not offer a node that would be fine
  double refuses_eviction = 0;
  double drops_call = 0;  // kube-scheduler gives up on a bind call
  bool api_down = false;
};

class MusterProcess {
 public:
  using Answer = std::function<void(uint64_t call, const Result<void>& result)>;

  MusterProcess(Timeline& time, Api& api, const Faults& faults, Answer answer);

  [[nodiscard]] bool up() const { return coordinator_ != nullptr; }
  [[nodiscard]] bool synced() const { return up() && coordinator_->synced(); }
  void start();
  // Writes that are on their way may still take effect; everything else is lost.
  void kill();
  // The watch broke: everything is listed again.
  void relist();

  // kube-scheduler's calls. filter() only while up.
  [[nodiscard]] extender::FilterDecision filter(const kube::Pod& pod) const;
  void node_refused(const std::string& uid, const std::string& node);
  void bind_called(const extender::BindCall& call, uint64_t number);
  void bind_abandoned(const std::string& uid, uint64_t number);

  [[nodiscard]] engine::Coordinator& coordinator() { return *coordinator_; }
  // Nothing is under way to or from the API, and nothing is promised.
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] std::string describe() const;
  // The groups whose barrier has opened once.
  [[nodiscard]] const std::set<std::string>& opened() const { return opened_; }
  // Statistics of all incarnations.
  [[nodiscard]] uint64_t starts() const { return starts_; }
  uint64_t plans = 0;
  uint64_t bindings = 0;

 private:
  struct Write {
    group::Command command;
    uint32_t attempts = 0;
    bool begun = false;
    bool needless = false;
    std::function<void()> effect;  // while the request is on the wire
  };
  using Lane = std::deque<std::shared_ptr<Write>>;

  void run(const std::function<void()>& event, bool one_change = true);
  void advance();
  void set_timer();
  void watch_soon();
  void deliver();
  void remember(const kube::DeltaBatch<kube::Node>& batch);
  void remember(const kube::DeltaBatch<kube::Pod>& batch);

  void take_commands();
  void submit(group::Command command);
  void attempt(const std::string& uid);
  Result<void> write_to_api(const group::Command& command);
  void finish(const std::string& uid, const std::shared_ptr<Write>& write, Result<void> result);
  void report(const std::shared_ptr<Write>& write, const Result<void>& result);

  // The bindings that are posted for the first time.
  group::Commands check_asked(const group::Commands& commands);
  void check_barrier(const group::Commands& commands);
  void check_books();
  void check_group(const group::Group& group);

  Timeline& time_;
  Api& api_;
  const Faults& faults_;
  const Answer answer_;

  uint64_t generation_ = 0;
  uint64_t starts_ = 0;
  std::unique_ptr<engine::Answers> answers_;
  std::unique_ptr<engine::Coordinator> coordinator_;
  int ids_ = 0;
  bool advance_due_ = false;
  bool delivery_due_ = false;
  std::optional<TimePoint> timer_;
  Watch watch_;
  group::Commands commands_;           // said, and to be carried out when the turn is over
  std::map<std::string, Lane> lanes_;  // by pod uid

  // What Muster has been shown and asked, kept apart from its own books.
  std::map<std::string, kube::Node> seen_nodes_;
  std::map<std::string, kube::Pod> seen_pods_;                    // by uid
  std::map<std::string, std::map<uint64_t, std::string>> calls_;  // uid → call → node
  std::set<std::string> opened_;
  std::set<std::string> posted_;  // "uid plan" of bindings of this incarnation
  std::set<std::string> stood_;   // "uid plan" of nominations that have reached the API, whoever made them
  std::set<uint64_t> abandoned_;  // an answer may be on its way to nobody
};

}  // namespace muster::sim
