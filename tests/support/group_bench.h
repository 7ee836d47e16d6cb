// One group against a room of counted slots and an API that does as it is told, in virtual time.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "group/group.h"

namespace muster::test {

// asking(member)->min_member = 3: what the member asks for, changed at the end of the statement.
class Asking {
 public:
  explicit Asking(group::Member& member) : member_(member), spec_(*member.spec) {}
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() { member_.spec = std::move(spec_); }
  group::GroupSpec* operator->() { return &spec_; }

 private:
  group::Member& member_;
  group::GroupSpec spec_;
};

// Nodes of so many slots; every member takes one. Members are placed in order on the first node with room.
class SlotRoom final : public group::Room {
 public:
  std::map<std::string, int> slots;
  std::map<std::string, std::string> reserved;  // uid → node
  std::map<std::string, std::string> bound;     // uid → node
  std::optional<group::Answer> answer;          // instead of looking
  std::optional<group::Answer> wider;           // likewise, to a question without slices
  int questions = 0;
  group::Question last_question;  // its members are dangling
  bool holds = true;              // what valid() says, together with the slots

  [[nodiscard]] int free(const std::string& node) const {
    const auto on = [&](const auto& entry) { return entry.second == node; };
    const auto total = slots.find(node);
    if (total == slots.end()) return 0;
    return total->second - static_cast<int>(std::count_if(reserved.begin(), reserved.end(), on) +
                                            std::count_if(bound.begin(), bound.end(), on));
  }

  group::Answer solve(const group::Question& question) override {
    ++questions;
    last_question = question;
    if (wider && question.spec.slices.empty()) return *wider;
    if (answer) return *answer;
    std::map<std::string, int> left;
    for (const auto& [node, total] : slots) left[node] = free(node);
    group::Fits fits;
    for (const group::Member* member : question.members) {
      const auto refused = question.exclusions.find(member->pod.uid);
      for (auto& [node, room] : left) {
        if (room == 0 || (refused != question.exclusions.end() && refused->second.contains(node))) continue;
        --room;
        fits.placed.push_back({member->pod.uid, node});
        break;
      }
    }
    uint32_t completed = 0;
    for (const auto& [path, count] : question.completed) completed += count;
    if (fits.placed.size() + question.fixed.size() + completed < question.spec.min_member)
      return group::DoesNotFit{"the nodes hold " + std::to_string(fits.placed.size()) + " of " +
                               std::to_string(question.members.size())};
    return fits;
  }

  bool valid(const group::Question&, const std::vector<group::Placed>& placed) override {
    std::map<std::string, int> needed;
    for (const group::Placed& p : placed) ++needed[p.node];
    return holds && std::all_of(needed.begin(), needed.end(),
                                [&](const auto& need) { return need.second <= free(need.first); });
  }

  bool reserve(const group::GroupKey&, const group::Member& member, const std::string& node) override {
    if (reserved.contains(member.pod.uid) || bound.contains(member.pod.uid) || free(node) == 0) return false;
    reserved[member.pod.uid] = node;
    return true;
  }

  bool keep(const group::GroupKey&, const group::Member& member, const std::string& node) override {
    if (slots.contains(node)) reserved[member.pod.uid] = node;
    return slots.contains(node);
  }
  void unreserve(const std::string& uid) override { reserved.erase(uid); }
  std::string domain_of(const std::string& node) const override { return "rack=" + node; }
};

template <typename T>
std::vector<T> only(const group::Commands& commands) {
  std::vector<T> chosen;
  for (const group::Command& command : commands) {
    if (const T* match = std::get_if<T>(&command)) chosen.push_back(*match);
  }
  return chosen;
}

class GroupBench {
 public:
  explicit GroupBench(group::Settings settings = {}) : settings_(settings) { restart(true); }

  // --- what there is; see() tells the group
  SlotRoom room;
  group::Progress progress;
  std::map<std::string, group::Member> pods;            // by uid, which is the name as well
  group::Commands out;                                  // what the group has said and nobody has taken yet
  std::vector<std::string> evictions;                   // uids, as they were carried out
  std::vector<std::pair<std::string, bool>> readiness;  // likewise
  TimePoint now{Duration(1'000'000)};
  uint64_t epoch = 1;

  [[nodiscard]] group::Group& group() { return *group_; }
  [[nodiscard]] group::Context context() { return {now, room, progress, new_id_, out}; }
  group::Commands take() { return std::exchange(out, {}); }
  [[nodiscard]] group::State state() const { return group_->state(); }

  // A group that knows nothing, as after a restart. `resumed` as for one that appears later.
  void restart(bool resumed = false) {
    out.clear();
    room.reserved.clear();
    group_.emplace(group::GroupKey{"ns", "g"}, settings_, now);
    if (resumed) group_->resume(context());
  }
  void restart_and_resume() {
    restart();
    for (const auto& [uid, member] : pods) see(uid);
    group_->find_claims(context());
    group_->resume(context());
  }

  group::Member& pod(const std::string& uid, uint32_t min_member = 4) {
    const auto found = pods.find(uid);
    if (found != pods.end()) return found->second;
    group::Member& made = pods[uid];
    made.pod = {"ns", uid, uid};
    group::GroupSpec spec;
    spec.min_member = min_member;
    made.spec = spec;
    made.demand.set("nvidia.com/gpu", 1);
    made.held_by_gate = true;
    return made;
  }
  void see(const std::string& uid) {
    const group::Member& member = pods.at(uid);
    if (member.bound() && !member.ended()) {
      room.reserved.erase(uid);
      room.bound[uid] = member.node;
    } else {
      room.bound.erase(uid);
    }
    group_->upsert(member, context());
  }
  void create(const std::string& uid, uint32_t min_member = 4) {
    static_cast<void>(pod(uid, min_member));
    see(uid);
  }
  void create_all(const std::vector<std::string>& uids, uint32_t min_member = 4) {
    for (const std::string& uid : uids) create(uid, min_member);
  }
  void erase(const std::string& uid) {
    pods.erase(uid);
    group_->remove(uid, context());
    room.bound.erase(uid);
    room.reserved.erase(uid);
  }

  // --- steps
  bool plan() {
    if (!group_->wants_plan(now, epoch)) return false;
    group_->plan(context(), epoch);
    return true;
  }
  void pass(Duration time) {
    now += time;
    group_->tick(context());
  }
  // Carries the commands out, reports them, and shows the pods as they are then. Returns what it took.
  group::Commands carry_out() {
    const group::Commands commands = take();
    for (const group::Command& command : commands) std::visit([&](const auto& c) { carry(c); }, command);
    return commands;
  }
  // From nothing to the point where kube-scheduler has the members.
  void reserve() {
    plan();
    while (!only<group::Nominate>(out).empty() || !only<group::Release>(out).empty()) carry_out();
  }
  void call(const std::string& uid, uint64_t number, const std::string& node = "") {
    const std::string* planned = group_->planned_node(uid);
    group_->bind_called(uid, !node.empty() ? node : planned ? *planned : "", number, context());
  }
  // Every planned member is asked for and bound.
  void bind_all() {
    uint64_t number = 1'000;
    for (const auto& [uid, node] : std::map(room.reserved)) call(uid, ++number);
    while (!only<group::Bind>(out).empty()) carry_out();
  }
  [[nodiscard]] std::string node_of(const std::string& uid) const {
    const std::string* node = group_->planned_node(uid);
    return node ? *node : "";
  }

 private:
  void carry(const group::Nominate& c) {
    group::Member& member = pods.at(c.pod.uid);
    member.nominated_node = c.node;
    member.plan = c.plan;
    see(c.pod.uid);
    group_->nominated(c.pod.uid, c.plan, {}, context());
  }
  void carry(const group::Withdraw& c) {
    const auto member = pods.find(c.pod.uid);
    if (member == pods.end()) return;
    member->second.nominated_node.clear();
    member->second.plan.clear();
    see(c.pod.uid);
  }
  void carry(const group::Release& c) {
    group::Member& member = pods.at(c.pod.uid);
    if (c.gated) {
      member.held_by_gate = false;
    } else {
      member.plan = c.plan + "+";
    }
    see(c.pod.uid);
    group_->released(c.pod.uid, c.plan, {}, context());
  }
  void carry(const group::Bind& c) {
    group::Member& member = pods.at(c.pod.uid);
    member.node = c.node;
    member.plan = c.plan;
    group_->bind_done(c.pod.uid, c.plan, {}, context());
    see(c.pod.uid);
  }
  void carry(const group::Mark& c) {
    pods.at(c.pod.uid).mark = c.why;
    see(c.pod.uid);
    group_->marked(c.pod.uid, {}, context());
  }
  // The kubelet ends it in time; where there is none, only what goes at once is gone.
  void carry(const group::Evict& c) {
    evictions.push_back(c.pod.uid);
    group_->evicted(c, {}, context());
    if (c.at_once) return erase(c.pod.uid);
    pods.at(c.pod.uid).terminating = true;
    see(c.pod.uid);
  }
  void carry(const group::SetReady& c) {
    readiness.emplace_back(c.pod.uid, c.ready);
    pods.at(c.pod.uid).shown_ready = c.ready;
    group_->ready_set(c, {}, context());
    see(c.pod.uid);
  }
  void carry(const group::AnswerBind&) {}
  void carry(const group::Tell&) {}

  group::Settings settings_;
  int plans_ = 0;
  std::function<std::string()> new_id_ = [this] { return "p" + std::to_string(++plans_); };
  std::optional<group::Group> group_;
};

}  // namespace muster::test
