#include "sim/simulator.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/pod_keys.h"
#include "binder/carry_out.h"
#include "kube/selector.h"
#include "sim/api.h"
#include "sim/cluster.h"
#include "sim/measures.h"
#include "sim/timeline.h"

namespace muster::sim {
namespace {

constexpr int kDigits = 8;  // of a group's name, so that names sort as they arrive
// A group that waits for so long on a cluster in which nothing comes or goes is given up.
constexpr Duration kPatience{24 * 3'600'000};

struct MemberIndex {
  std::size_t arrival = 0;
  std::size_t member = 0;
};

std::string uid_of(MemberIndex index) { return fmt::format("{}-{}", index.arrival, index.member); }

// Nothing for a pod that the trace did not make.
std::optional<MemberIndex> index_of(const std::string& uid) {
  MemberIndex index;
  const char* const end = uid.data() + uid.size();
  const auto [dash, error] = std::from_chars(uid.data(), end, index.arrival);
  if (error != std::errc() || dash == end || *dash != '-') return std::nullopt;
  const auto [last, wrong] = std::from_chars(dash + 1, end, index.member);
  return wrong == std::errc() && last == end ? std::optional(index) : std::nullopt;
}

class Simulator {
 public:
  Simulator(const Scenario& scenario, const Trace& trace, const std::function<double()>& seconds)
      : scenario_(scenario),
        trace_(trace),
        seconds_(seconds),
        coordinator_(
            scenario.options, [this] { return fmt::format("p{}", ++plans_); }, answers_),
        jobs_(trace.size()) {}

  Result<Outcome> run() {
    for (const kube::Node& node : scenario_.nodes) api_.put_node(node);
    for (const kube::Pod& pod : scenario_.pods) api_.put_pod(pod);
    api_.connect(watch_);
    api_.list(watch_);
    settle();
    engine_seconds_ = 0;  // the nodes are listed once, not for the groups
    measure();
    next_arrival(0);
    while (const auto next = time_.next()) {
      if (waiting_ == 0 && *next - progress_ > kPatience) break;
      while (time_.step(*next)) {
      }
      settle();
      if (rejected_) return tl::unexpected(*rejected_);
    }
    Outcome outcome = measures_->outcome();
    const engine::Counts counts = coordinator_.counts();
    outcome.decisions = counts.plans;
    outcome.steps = counts.steps;
    outcome.engine_seconds = engine_seconds_;
    return outcome;
  }

 private:
  struct Job {
    std::vector<HostIndex> hosts;  // by member; kNoHost: none
    uint32_t bound = 0;
  };

  // --- the cluster ----------------------------------------------------------------------------------------

  void measure() {
    const Topology& topology = coordinator_.books().cluster().topology();
    std::vector<int64_t> capacity(topology.host_count());
    for (const kube::Node& node : scenario_.nodes) {
      const bool usable = !kube::why_not(kube::NodeSet{}, node);
      if (usable) capacity[at(*topology.find_host(node.name))] = node.allocatable.get(kGpu);
    }
    for (const kube::Pod& pod : scenario_.pods) {
      const auto host = topology.find_host(pod.node_name);
      if (host && !pod.ended()) capacity[at(*host)] -= std::min(capacity[at(*host)], pod.requests.get(kGpu));
    }
    std::set<int64_t> sizes;
    for (const Arrival& arrival : trace_) sizes.insert(arrival.gpus);
    occupancy_ = std::make_unique<Occupancy>(topology, std::move(capacity),
                                             std::vector<int64_t>(sizes.begin(), sizes.end()));
    measures_ = std::make_unique<Measures>(*occupancy_, trace_);
  }

  // --- who makes pods, and when they end -------------------------------------------------------------------

  void next_arrival(std::size_t arrival) {
    if (arrival == trace_.size()) return;
    ++waiting_;
    time_.at(TimePoint(trace_[arrival].at), [this, arrival] {
      --waiting_;
      arrive(arrival);
      next_arrival(arrival + 1);
    });
  }

  void arrive(std::size_t arrival) {
    progress_ = time_.now();
    measures_->arrived(arrival, time_.now());
    const uint32_t members = trace_[arrival].members;
    jobs_[arrival].hosts.assign(members, kNoHost);
    kube::Pod pod = first_pod(arrival);
    const std::string name = pod.controller->name;
    for (std::size_t i = 0; i < members; ++i) {
      pod.uid = uid_of({arrival, i});
      pod.name = fmt::format("{}-{}", name, i);
      pod.labels["batch.kubernetes.io/job-completion-index"] = std::to_string(i);
      api_.put_pod(pod);
    }
  }

  // All that the members have in common.
  [[nodiscard]] kube::Pod first_pod(std::size_t index) const {
    const Arrival& arrival = trace_[index];
    kube::Pod pod;
    pod.ns = arrival.ns;
    pod.controller =
        kube::OwnerReference{"Job", fmt::format("job-{:0{}}", index, kDigits), uid_of({index, 0})};
    pod.annotations = arrival.asks;
    pod.annotations[keys::kGroupName] = pod.controller->name;
    pod.annotations[keys::kMinMember] = std::to_string(arrival.members);
    pod.scheduler_name = scenario_.options.scheduler_names.front();
    pod.scheduling_gates = {keys::kHold};
    pod.priority = arrival.priority;
    pod.creation_seconds = 1 + arrival.at.count() / 1'000;
    pod.requests.set(kGpu, arrival.gpus);
    pod.requests.set(kPods, 1);
    return pod;
  }

  void end(std::size_t arrival) {
    progress_ = time_.now();
    const std::string name = fmt::format("job-{:0{}}", arrival, kDigits);
    for (std::size_t i = 0; i < trace_[arrival].members; ++i) {
      const std::string pod_name = fmt::format("{}-{}", name, i);
      kube::Pod pod = api_.pods().at(pod_name);
      pod.phase = kube::PodPhase::kSucceeded;
      api_.put_pod(std::move(pod));
      api_.remove_pod(pod_name);
      measures_->gave_back(arrival, jobs_[arrival].hosts[i], time_.now());
    }
  }

  // --- the engine's turns ---------------------------------------------------------------------------------

  // Until nothing is left to do at this moment.
  void settle() {
    do {
      kube::DeltaBatch<kube::Node> nodes = take(watch_.nodes);
      kube::DeltaBatch<kube::Pod> pods = take(watch_.pods);
      const double before = seconds_();
      turn(std::move(nodes), std::move(pods));
      group::Commands commands = coordinator_.take_commands();
      engine_seconds_ += seconds_() - before;
      note_rooms(commands);
      for (group::Command& command : commands) carry_out(std::move(command));
    } while (!watch_.pods.empty() || !reports_.empty() || !calls_.empty());
    set_timer();
  }

  // As a reflector hands changes over.
  template <typename T>
  static kube::DeltaBatch<T> take(std::deque<kube::Delta<T>>& changes) {
    kube::DeltaBatch<T> batch(std::make_move_iterator(changes.begin()),
                              std::make_move_iterator(changes.end()));
    changes.clear();
    return batch;
  }

  void turn(kube::DeltaBatch<kube::Node> nodes, kube::DeltaBatch<kube::Pod> pods) {
    const TimePoint now = time_.now();
    if (!nodes.empty()) coordinator_.nodes_changed(std::move(nodes), now);
    if (!pods.empty()) coordinator_.pods_changed(std::move(pods), now);
    for (const auto& [command, result] : std::exchange(reports_, {})) coordinator_.done(command, result, now);
    for (const extender::BindCall& call : std::exchange(calls_, {}))
      coordinator_.bind_called(call, ++call_number_, now);
    coordinator_.advance(now);
  }

  void set_timer() {
    const auto due = coordinator_.next_timer();
    if (!due || (timer_ && *timer_ > time_.now() && *timer_ <= *due)) return;
    timer_ = due;
    time_.at(*due, [] {});
  }

  // --- what it says ---------------------------------------------------------------------------------------

  // What plans take and give back, in the order in which it was decided: one may take at once what another
  // gave back. A plan's nominations stand together.
  void note_rooms(const group::Commands& commands) {
    std::vector<HostIndex> hosts;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (const auto* withdraw = std::get_if<group::Withdraw>(&commands[i])) take_back(*withdraw);
      const auto* nominate = std::get_if<group::Nominate>(&commands[i]);
      if (!nominate) continue;
      const MemberIndex index = *index_of(nominate->pod.uid);
      const HostIndex host = *occupancy_->topology().find_host(nominate->node);
      jobs_[index.arrival].hosts[index.member] = host;
      hosts.push_back(host);
      const bool more = i + 1 < commands.size() && is_planned_with(commands[i + 1], nominate->plan);
      if (!more) measures_->planned(index.arrival, std::exchange(hosts, {}), time_.now());
    }
  }

  static bool is_planned_with(const group::Command& command, const std::string& plan) {
    const auto* nominate = std::get_if<group::Nominate>(&command);
    return nominate && nominate->plan == plan;
  }

  void carry_out(group::Command command) {
    if (const auto* words = std::get_if<group::Tell>(&command)) return hear(*words);
    if (std::holds_alternative<group::AnswerBind>(command)) return;
    const Result<void> result = binder::carry_out(command, api_);
    if (const auto* release = std::get_if<group::Release>(&command)) call_for(*release);
    if (const auto* nominate = std::get_if<group::Nominate>(&command); nominate && is_ungated(nominate->pod))
      call_for(*nominate);
    if (const auto* bind = std::get_if<group::Bind>(&command); bind && result) bound(*bind);
    reports_.emplace_back(std::move(command), result);
  }

  void hear(const group::Tell& words) {
    const auto index = index_of(words.pod.uid);
    if (words.reason != group::EventReason::kRejected || rejected_ || !index) return;
    rejected_ =
        Error{ErrorCode::kInvalid, fmt::format("line {}: {}", trace_[index->arrival].line, words.message)};
  }

  // A plan before this one has taken its gate: the nomination releases it.
  [[nodiscard]] bool is_ungated(const group::PodId& id) const {
    const kube::Pod* pod = api_.find(id.name, id.uid);
    return pod && pod->scheduling_gates.empty();
  }

  // kube-scheduler is told the node, and asks to bind unless the plan is withdrawn before it does.
  template <typename Told>
  void call_for(const Told& told) {
    const extender::BindCall call{told.pod.ns, told.pod.name, told.pod.uid, told.node};
    if (scenario_.bind_delay == Duration(0)) {
      calls_.push_back(call);
    } else {
      time_.after(scenario_.bind_delay, [this, call, plan = told.plan] {
        const extender::FilterDecision answer = answers_.member(call.uid, plan);
        const auto* planned = std::get_if<extender::Planned>(&answer);
        if (planned && planned->known) calls_.push_back(call);
      });
    }
  }

  void take_back(const group::Withdraw& withdraw) {
    const MemberIndex index = *index_of(withdraw.pod.uid);
    const HostIndex host = std::exchange(jobs_[index.arrival].hosts[index.member], kNoHost);
    if (host != kNoHost) measures_->gave_back(index.arrival, host, time_.now());
  }

  void bound(const group::Bind& bind) {
    const std::size_t arrival = index_of(bind.pod.uid)->arrival;
    if (++jobs_[arrival].bound < trace_[arrival].members) return;
    progress_ = time_.now();
    measures_->placed(arrival, time_.now());
    ++waiting_;
    time_.after(trace_[arrival].duration, [this, arrival] {
      --waiting_;
      end(arrival);
    });
  }

  const Scenario& scenario_;
  const Trace& trace_;
  const std::function<double()>& seconds_;
  Timeline time_{0, false};
  Api api_{time_};
  Watch watch_;
  engine::Answers answers_;
  uint64_t plans_ = 0;
  engine::Coordinator coordinator_;
  std::unique_ptr<Occupancy> occupancy_;  // once the nodes are in the books
  std::unique_ptr<Measures> measures_;
  std::vector<Job> jobs_;                                         // by arrival
  std::vector<std::pair<group::Command, Result<void>>> reports_;  // for the next turn
  std::vector<extender::BindCall> calls_;                         // for the next turn
  uint64_t call_number_ = 0;
  std::optional<TimePoint> timer_;
  std::size_t waiting_ = 0;  // arrivals and ends that are to come
  TimePoint progress_{};     // something came, was placed or went
  std::optional<Error> rejected_;
  double engine_seconds_ = 0;
};

}  // namespace

Result<Outcome> simulate(const Scenario& scenario, const Trace& trace,
                         const std::function<double()>& seconds) {
  return Simulator(scenario, trace, seconds).run();
}

}  // namespace muster::sim
