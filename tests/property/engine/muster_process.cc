#include "muster_process.h"

#include <algorithm>
#include <set>
#include <utility>

#include "binder/carry_out.h"
#include "books/annotations.h"
#include "support/kube_objects.h"

namespace muster::sim {
namespace {

std::string_view name_of(const group::Command& command) {
  constexpr std::string_view kNames[] = {"Nominate", "Withdraw", "Release", "Bind",    "AnswerBind",
                                         "Tell",     "Mark",     "Evict",   "SetReady"};
  return kNames[command.index()];
}

std::string uid_of(const group::Command& command) {
  return std::visit(
      [](const auto& c) -> std::string {
        if constexpr (requires { c.pod; }) return c.pod.uid;
        return {};
      },
      command);
}

// As the binder's lanes.
std::string lane_of(const group::Command& command) {
  return uid_of(command) + (std::holds_alternative<group::SetReady>(command) ? " ready" : "");
}

template <typename... Kinds>
bool is_one_of(const group::Command& command) {
  return (std::holds_alternative<Kinds>(command) || ...);
}

bool makes_needless(const group::Command& later, const group::Command& earlier) {
  using namespace group;
  if (is_one_of<SetReady>(later)) return is_one_of<SetReady>(earlier);
  if (is_one_of<Release, Mark>(later)) return false;
  if (is_one_of<Evict>(later) && is_one_of<Evict>(earlier)) return true;
  return is_one_of<Nominate, Withdraw, Release>(earlier);
}

std::optional<TimePoint> deadline_of(const group::Command& command) {
  return std::visit(
      [](const auto& c) -> std::optional<TimePoint> {
        if constexpr (requires { c.deadline; }) return c.deadline;
        return std::nullopt;
      },
      command);
}

engine::CoordinatorOptions options() {
  engine::CoordinatorOptions options;
  options.trees = test::block_rack_trees();
  options.groups = {Duration(10'000), Duration(500), Duration(4'000), Duration(8'000), Duration(1'000), 5,
                    Duration(30'000)};
  options.node_grace = Duration(4'000);
  options.absent_grace = Duration(2'000);
  options.bind_timeout = Duration(8'000);
  return options;
}

}  // namespace

MusterProcess::MusterProcess(Timeline& time, Api& api, const Faults& faults, Answer answer)
    : time_(time), api_(api), faults_(faults), answer_(std::move(answer)) {}

void MusterProcess::start() {
  if (up()) return;
  ++generation_;
  ++starts_;
  time_.log("muster {}: starts", generation_);
  answers_ = std::make_unique<engine::Answers>();
  coordinator_ = std::make_unique<engine::Coordinator>(
      options(), [this] { return fmt::format("m{}n{}", generation_, ++ids_); }, *answers_);
  timer_.reset();
  advance_due_ = delivery_due_ = false;
  api_.connect(watch_);
  relist();
}

void MusterProcess::kill() {
  time_.log("muster {}: is killed", generation_);
  plans += coordinator_->counts().plans;
  api_.disconnect(watch_);
  for (auto& [uid, lane] : lanes_) {
    if (!lane.empty() && lane.front()->effect && time_.chance(0.5)) time_.soon(1, 40, lane.front()->effect);
  }
  lanes_.clear();
  commands_.clear();
  calls_.clear();
  posted_.clear();
  seen_nodes_.clear();
  seen_pods_.clear();
  coordinator_.reset();
  answers_.reset();
  ++generation_;
}

void MusterProcess::relist() {
  if (!up()) return;
  time_.log("muster {}: lists", generation_);
  api_.list(watch_);
  watch_soon();
}

// --- the watch ------------------------------------------------------------------------------------------

// Called after whatever may have put something into the watch.
void MusterProcess::watch_soon() {
  if (delivery_due_) return;
  delivery_due_ = true;
  time_.soon(1, 40, [this, generation = generation_] {
    if (generation != generation_) return;
    delivery_due_ = false;
    deliver();
    watch_soon();
  });
}

void MusterProcess::remember(const kube::DeltaBatch<kube::Node>& batch) {
  for (const auto& delta : batch) {
    if (const auto* all = std::get_if<kube::Replace<kube::Node>>(&delta)) {
      seen_nodes_.clear();
      for (const kube::Node& node : all->items) seen_nodes_[node.name] = node;
    } else if (const auto* change = std::get_if<kube::Upsert<kube::Node>>(&delta)) {
      seen_nodes_[change->item.name] = change->item;
    } else {
      seen_nodes_.erase(std::get<kube::Remove<kube::Node>>(delta).last.name);
    }
  }
}

void MusterProcess::remember(const kube::DeltaBatch<kube::Pod>& batch) {
  for (const auto& delta : batch) {
    if (const auto* all = std::get_if<kube::Replace<kube::Pod>>(&delta)) {
      seen_pods_.clear();
      for (const kube::Pod& pod : all->items) seen_pods_[pod.uid] = pod;
    } else if (const auto* change = std::get_if<kube::Upsert<kube::Pod>>(&delta)) {
      seen_pods_[change->item.uid] = change->item;
    } else {
      seen_pods_.erase(std::get<kube::Remove<kube::Pod>>(delta).last.uid);
    }
  }
}

void MusterProcess::deliver() {
  if (!watch_.nodes.empty() && time_.chance(0.7)) {
    kube::DeltaBatch<kube::Node> batch;
    for (int64_t n = time_.number(1, 4); n > 0 && !watch_.nodes.empty(); --n) {
      batch.push_back(std::move(watch_.nodes.front()));
      watch_.nodes.pop_front();
    }
    remember(batch);
    run([&] { coordinator_->nodes_changed(std::move(batch), time_.now()); });
  }
  if (!watch_.pods.empty() && time_.chance(0.7)) {
    kube::DeltaBatch<kube::Pod> batch;
    for (int64_t n = time_.chance(0.7) ? 1 : 6; n > 0 && !watch_.pods.empty(); --n) {
      batch.push_back(std::move(watch_.pods.front()));
      watch_.pods.pop_front();
    }
    remember(batch);
    const bool one = batch.size() == 1 && std::holds_alternative<kube::Upsert<kube::Pod>>(batch.front());
    run([&] { coordinator_->pods_changed(std::move(batch), time_.now()); }, one);
  }
}

// --- the engine's turn ------------------------------------------------------------------------------------

// Several events may come before one turn. What is said is checked after each of them.
void MusterProcess::run(const std::function<void()>& event, bool one_change) {
  event();
  group::Commands said = coordinator_->take_commands();
  const group::Commands fresh = check_asked(said);
  if (one_change) check_barrier(fresh);
  std::move(said.begin(), said.end(), std::back_inserter(commands_));
  if (time_.chance(0.6)) return advance();
  if (std::exchange(advance_due_, true)) return;
  time_.soon(0, 5, [this, generation = generation_] {
    if (generation == generation_ && advance_due_) advance();
  });
}

void MusterProcess::advance() {
  advance_due_ = false;
  coordinator_->advance(time_.now());
  group::Commands said = coordinator_->take_commands();
  check_barrier(check_asked(said));
  std::move(said.begin(), said.end(), std::back_inserter(commands_));
  take_commands();
  check_books();
  const auto next = coordinator_->next_timer();
  if (coordinator_->synced() && next && *next <= time_.now())
    throw Broken("a timer is left behind in the past: the engine would spin");
  set_timer();
}

void MusterProcess::set_timer() {
  const auto next = coordinator_->next_timer();
  if (!next || (timer_ && *timer_ > time_.now() && *timer_ <= *next)) return;
  timer_ = next;
  time_.at(*next, [this, generation = generation_, due = *next] {
    if (generation != generation_ || timer_ != due) return;
    timer_.reset();
    advance();
  });
}

// --- kube-scheduler's calls -----------------------------------------------------------------------------

extender::FilterDecision MusterProcess::filter(const kube::Pod& pod) const {
  const bool member = books::group_of(pod, {"muster"}).has_value();
  if (!member && !answers_->knows(pod.uid)) return extender::Foreign{answers_->promises()};
  const auto plan = pod.annotations.find("muster.dev/plan");
  return answers_->member(pod.uid, plan == pod.annotations.end() ? "" : plan->second);
}

void MusterProcess::node_refused(const std::string& uid, const std::string& node) {
  if (up()) run([&] { coordinator_->node_refused(uid, node, time_.now()); });
}

void MusterProcess::bind_called(const extender::BindCall& call, uint64_t number) {
  calls_[call.uid][number] = call.node;
  run([&] { coordinator_->bind_called(call, number, time_.now()); });
}

void MusterProcess::bind_abandoned(const std::string& uid, uint64_t number) {
  if (!up()) return;
  if (calls_[uid].erase(number) > 0) abandoned_.insert(number);
  run([&] { coordinator_->bind_abandoned(uid, number); });
}

// --- commands ---------------------------------------------------------------------------------------------

void MusterProcess::take_commands() {
  for (group::Command& command : std::exchange(commands_, {})) {
    if (const auto* answer = std::get_if<group::AnswerBind>(&command)) {
      int known = 0;
      for (auto& [uid, calls] : calls_) known += static_cast<int>(calls.erase(answer->call));
      if (known == 0 && abandoned_.erase(answer->call) == 0)
        throw Broken(fmt::format("bind call {} is answered twice or was never made", answer->call));
      answer_(answer->call, answer->result);
    } else if (!std::holds_alternative<group::Tell>(command)) {
      submit(std::move(command));
    }
  }
}

// As Binder::submit().
void MusterProcess::submit(group::Command command) {
  const std::string uid = lane_of(command);
  time_.log("muster {}: {} {}", generation_, name_of(command), uid);
  if (const auto* evict = std::get_if<group::Evict>(&command)) {
    const kube::Pod* pod = api_.find(evict->pod.name, uid);
    if (pod && !pod->controller) throw Broken("a bare pod is evicted: " + uid);
  }
  Lane& lane = lanes_[uid];
  for (const auto& write : lane) {
    if (!makes_needless(command, write->command)) continue;
    write->needless = true;
    if (!write->begun) report(write, fail(ErrorCode::kCancelled, "needless"));
  }
  std::erase_if(lane, [](const auto& write) { return write->needless && !write->begun; });
  auto write = std::make_shared<Write>();
  write->command = std::move(command);
  lane.push_back(std::move(write));
  if (lane.size() == 1) attempt(uid);
}

void MusterProcess::attempt(const std::string& uid) {
  const auto write = lanes_.at(uid).front();
  write->begun = true;
  const bool slow = time_.chance(faults_.slow_write);
  write->effect = [this, write] { static_cast<void>(write_to_api(write->command)); };
  time_.soon(1, slow ? 3'000 : 20, [this, uid, write, generation = generation_] {
    if (generation != generation_) return;
    write->effect = nullptr;
    ++write->attempts;
    Result<void> result;
    if (faults_.api_down || time_.chance(faults_.write_fails)) {
      result = fail(ErrorCode::kUnavailable, "the write failed");
    } else if (is_one_of<group::Evict>(write->command) && time_.chance(faults_.refuses_eviction)) {
      result = fail(ErrorCode::kThrottled, "a disruption budget does not allow it");
    } else {
      result = write_to_api(write->command);
      if (time_.chance(faults_.reply_lost)) result = fail(ErrorCode::kUnavailable, "the reply was lost");
    }
    finish(uid, write, std::move(result));
  });
}

Result<void> MusterProcess::write_to_api(const group::Command& command) {
  Result<void> result = binder::carry_out(command, api_);
  if (const auto* nominate = std::get_if<group::Nominate>(&command); nominate && result)
    stood_.insert(nominate->pod.uid + " " + nominate->plan);
  return result;
}

void MusterProcess::finish(const std::string& uid, const std::shared_ptr<Write>& write, Result<void> result) {
  write->begun = false;
  Lane& lane = lanes_.at(uid);
  if (!result && reaction_of(result.error().code) == Reaction::kRetry && !write->needless) {
    const Duration pause(time_.number(20, 400));
    const auto deadline = deadline_of(write->command);
    if (deadline ? time_.now() + pause < *deadline : write->attempts < 12) {
      time_.after(pause, [this, uid, write, generation = generation_] {
        if (generation == generation_ && !write->needless) attempt(uid);
      });
      return;
    }
  }
  lane.pop_front();
  if (!lane.empty()) {
    attempt(uid);
  } else {
    lanes_.erase(uid);
  }
  report(write, result);
}

void MusterProcess::report(const std::shared_ptr<Write>& write, const Result<void>& result) {
  if (!deadline_of(write->command)) return;
  time_.soon(0, 10, [this, write, result, generation = generation_] {
    if (generation != generation_) return;
    if (!result)
      time_.log("muster {}: {} {} failed: {}", generation_, name_of(write->command), uid_of(write->command),
                result.error().message);
    run([&] { coordinator_->done(write->command, result, time_.now()); });
  });
}

// --- the promises -----------------------------------------------------------------------------------------

// Promise 1: a binding is posted only when kube-scheduler waits for it, on that node. One whose outcome is
// not known may be posted again afterwards.
group::Commands MusterProcess::check_asked(const group::Commands& commands) {
  group::Commands fresh;
  for (const group::Command& command : commands) {
    const auto* bind = std::get_if<group::Bind>(&command);
    if (!bind) continue;
    ++bindings;
    const auto& calls = calls_[bind->pod.uid];
    const bool asked =
        std::any_of(calls.begin(), calls.end(), [&](const auto& call) { return call.second == bind->node; });
    const bool again = !posted_.insert(bind->pod.uid + " " + bind->plan).second && !bind->plan.empty();
    if (!asked && !again)
      throw Broken(fmt::format("promise 1: {} is bound to {} and nobody asks", bind->pod.uid, bind->node));
    const auto seen = seen_pods_.find(bind->pod.uid);
    const std::string first = bind->plan.substr(0, bind->plan.find('+'));
    if (!bind->plan.empty() && !stood_.contains(bind->pod.uid + " " + first))
      throw Broken(fmt::format("promise 3: {} is bound and plan {} never stood", bind->pod.uid, first));
    const bool member = seen != seen_pods_.end() && books::group_of(seen->second, {"muster"});
    if (member) opened_.insert(books::group_of(seen->second, {"muster"})->name);
    if (member != !bind->plan.empty())
      throw Broken(fmt::format("promise 1: {} is bound as what it is not", bind->pod.uid));
    if (!again) fresh.push_back(*bind);
  }
  return fresh;
}

// Promise 1: the barrier opens for all that the plan promises at once, and when they make the group reach its
// minimum.
void MusterProcess::check_barrier(const group::Commands& commands) {
  std::map<group::GroupKey, std::set<std::string>> bound_now;
  for (const group::Command& command : commands) {
    const auto* bind = std::get_if<group::Bind>(&command);
    if (!bind || bind->plan.empty()) continue;
    bound_now[*books::group_of(seen_pods_.at(bind->pod.uid), {"muster"})].insert(bind->pod.uid);
  }
  for (const auto& [key, uids] : bound_now) {
    const group::Group* group = coordinator_->find(key);
    if (!group) throw Broken("promise 1: a member of no group is bound");
    uint32_t reach = group->completed();
    for (const auto& [uid, member] : group->members()) reach += member.live() || uids.contains(uid);
    if (reach < group->minimum() || group->promised() != uids.size())
      throw Broken(fmt::format("promise 1: the barrier of {} opens for {} of {} planned, {} of {} needed",
                               key.text(), uids.size(), group->promised(), reach, group->minimum()));
  }
}

// Promises 2 and 4, against what Muster was shown rather than its own words.
void MusterProcess::check_books() {
  if (!coordinator_->synced()) return;
  books::Books& books = coordinator_->books();
  const std::map<std::string, std::string> reserved = books.reservations();

  uint32_t promised = 0;
  std::map<std::string, bool> binding;  // reserved uid → its binding is under way, or may be
  std::set<group::GroupKey> keys;
  for (const auto& [uid, pod] : seen_pods_) {
    if (const auto key = books::group_of(pod, {"muster"})) keys.insert(*key);
  }
  for (const group::GroupKey& key : keys) {
    const group::Group* group = coordinator_->find(key);
    if (!group) throw Broken("group " + key.text() + " is not known");
    promised += group->promised() + static_cast<uint32_t>(group->found().size());
    for (const auto& [uid, member] : group->members())
      binding[uid] = group->state() == group::State::kBinding || group->found().contains(uid);
    check_group(*group);
  }
  if (promised != reserved.size())
    throw Broken(
        fmt::format("promise 2: {} reservations, {} members promised or found", reserved.size(), promised));

  std::map<std::string, ResourceList> used;
  for (const auto& [uid, pod] : seen_pods_) {
    if (!pod.node_name.empty() && !pod.ended()) used[pod.node_name].add(pod.requests);
  }
  for (const auto& [uid, node] : reserved) {
    const auto pod = seen_pods_.find(uid);
    if (pod == seen_pods_.end()) throw Broken("promise 2: a pod that is gone holds room: " + uid);
    used[node].add(pod->second.requests);
  }
  const ClusterState& cluster = books.cluster();
  const auto gpu = cluster.find_resource(test::kGpu);
  for (const auto& [name, node] : seen_nodes_) {
    const auto host = cluster.topology().find_host(name);
    if (!host) throw Broken("promise 4: node " + name + " is not in the books");
    if (!gpu) continue;
    const int64_t left = node.allocatable.get(test::kGpu) - used[name].get(test::kGpu);
    if (cluster.free(*host, *gpu) != left)
      throw Broken(fmt::format("promise 4: {} has {} gpus free in the books and {} in truth", name,
                               cluster.free(*host, *gpu), left));
  }
  for (const auto& [uid, node] : reserved) {
    const auto broken = books.broken_reservations(node);
    if (std::find(broken.begin(), broken.end(), uid) != broken.end() && !binding[uid])
      throw Broken(fmt::format("promise 4: {} keeps a reservation on {} that cannot be kept", uid, node));
  }
}

void MusterProcess::check_group(const group::Group& group) {
  const bool rejected = group.state() == group::State::kRejected;
  if (rejected && group.promised() > 0) throw Broken("promise 5: a rejected group has a plan");
}

bool MusterProcess::quiet() const {
  return up() && lanes_.empty() && watch_.nodes.empty() && watch_.pods.empty() &&
         coordinator_->counts().reservations == 0;
}

std::string MusterProcess::describe() const {
  std::string text;
  std::set<group::GroupKey> keys;
  for (const auto& [uid, pod] : seen_pods_) {
    if (const auto key = books::group_of(pod, {"muster"})) keys.insert(*key);
  }
  for (const group::GroupKey& key : keys) {
    const group::Group* group = up() ? coordinator_->find(key) : nullptr;
    if (!group) continue;
    text += fmt::format("  {}: {}: {}; live {} of {}, promised {}\n", key.text(), to_string(group->state()),
                        group->reason(), group->live(), group->minimum(), group->promised());
  }
  return text;
}

}  // namespace muster::sim
