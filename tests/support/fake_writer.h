// An API of pods in memory behind kube::Writer, for tests of the binder and the engine. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "kube/api.h"

namespace muster::test {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void pass(Duration time) {
    const std::lock_guard lock(mutex_);
    now_ += time;
  }

 private:
  mutable std::mutex mutex_;
  TimePoint now_{Duration(1'000'000)};
};

class FakeWriter : public kube::Writer {
 public:
  // What a call of a verb on a pod meets: an error instead of taking effect, or one after it took effect.
  struct Fault {
    Error error;
    bool took_effect = false;
  };
  using Faults = std::function<std::optional<Fault>(const std::string& verb, const std::string& pod)>;

  void put(kube::Pod pod) {
    const std::lock_guard lock(mutex_);
    stamp(pod);
    pods_[pod.name] = std::move(pod);
  }
  void erase(const std::string& name) {
    const std::lock_guard lock(mutex_);
    pods_.erase(name);
  }
  [[nodiscard]] kube::Pod pod(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return pods_.at(name);
  }
  void set_faults(Faults faults) {
    const std::lock_guard lock(mutex_);
    faults_ = std::move(faults);
  }
  // "nominate a n1 p1", "release a", "bind a n1", "get a", "record a NoRoom".
  [[nodiscard]] std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  // Until open_gate(), calls whose text starts with `prefix` wait inside.
  void close_gate(const std::string& prefix) {
    const std::lock_guard lock(mutex_);
    gate_ = prefix;
  }
  void open_gate() {
    const std::lock_guard lock(mutex_);
    gate_.reset();
    gate_moved_.notify_all();
  }
  // Calls that wait inside.
  [[nodiscard]] int at_gate() const {
    const std::lock_guard lock(mutex_);
    return at_gate_;
  }
  // Called with the pod after every write that took effect, outside the lock.
  void on_change(std::function<void(const kube::Pod&)> watcher) { watcher_ = std::move(watcher); }

  Result<void> nominate(const kube::PodRef& ref, const std::string& node, const std::string& plan) override {
    return write("nominate", ref, " " + node + " " + plan, [&](kube::Pod& pod) -> Result<void> {
      pod.nominated_node = node;
      pod.annotations["muster.dev/plan"] = plan;
      if (plan.empty()) pod.annotations.erase("muster.dev/plan");
      return {};
    });
  }
  Result<void> release(const kube::PodRef& ref) override {
    return write("release", ref, "", [](kube::Pod& pod) -> Result<void> {
      std::erase(pod.scheduling_gates, "muster.dev/hold");
      return {};
    });
  }
  Result<void> bind(const kube::PodRef& ref, const std::string& node,
                    const kube::StringMap& annotations) override {
    return write("bind", ref, " " + node, [&](kube::Pod& pod) -> Result<void> {
      if (!pod.node_name.empty())
        return fail(ErrorCode::kConflict, "pod {} is already assigned to node {}", pod.name, pod.node_name);
      if (pod.terminating || !pod.scheduling_gates.empty())
        return fail(ErrorCode::kConflict, "pod {} cannot be bound", pod.name);
      pod.node_name = node;
      for (const auto& [key, value] : annotations) pod.annotations[key] = value;
      return {};
    });
  }
  Result<kube::Pod> get_pod(const std::string& ns, const std::string& name) override {
    if (Result<void> passed = enter("get", name, ""); !passed) return tl::unexpected(passed.error());
    const std::lock_guard lock(mutex_);
    const auto found = pods_.find(name);
    if (found == pods_.end()) return fail(ErrorCode::kNotFound, "pods \"{}/{}\" not found", ns, name);
    return found->second;
  }
  // The pod is terminating until somebody erases it.
  Result<void> evict(const kube::PodRef& ref, kube::Removal how) override {
    const std::string rest =
        std::string(how.at_once ? " at once" : "") + (how.obey_budgets ? "" : " past budgets");
    return write("evict", ref, rest, [&](kube::Pod& pod) -> Result<void> {
      pod.terminating = true;
      return {};
    });
  }
  Result<void> mark(const kube::PodRef& ref, const std::string& why) override {
    return write("mark", ref, " " + why, [&](kube::Pod& pod) -> Result<void> {
      pod.annotations["muster.dev/let-go"] = why;
      return {};
    });
  }
  Result<void> set_ready(const kube::PodRef& ref, bool ready) override {
    return write("ready", ref, ready ? " True" : " False", [&](kube::Pod& pod) -> Result<void> {
      pod.group_ready = ready;
      return {};
    });
  }
  Result<void> record(const kube::EventRecord& event) override {
    return enter("record", event.pod.name, " " + event.reason);
  }

 private:
  void stamp(kube::Pod& pod) { pod.resource_version = std::to_string(++version_); }

  void pass_gate(std::unique_lock<std::mutex>& lock, const std::string& text) {
    ++at_gate_;
    gate_moved_.wait(lock, [&] { return !gate_ || !text.starts_with(*gate_); });
    --at_gate_;
  }

  Result<void> enter(const std::string& verb, const std::string& name, const std::string& rest) {
    std::unique_lock lock(mutex_);
    const std::string text = verb + " " + name + rest;
    pass_gate(lock, text);
    calls_.push_back(text);
    const auto fault = faults_ ? faults_(verb, name) : std::nullopt;
    if (fault && !fault->took_effect) return tl::unexpected(fault->error);
    return {};
  }

  template <typename Change>
  Result<void> write(const std::string& verb, const kube::PodRef& ref, const std::string& rest,
                     const Change& change) {
    kube::Pod changed;
    {
      std::unique_lock lock(mutex_);
      const std::string text = verb + " " + ref.name + rest;
      pass_gate(lock, text);
      calls_.push_back(text);
      const auto fault = faults_ ? faults_(verb, ref.name) : std::nullopt;
      if (fault && !fault->took_effect) return tl::unexpected(fault->error);
      const auto found = pods_.find(ref.name);
      if (found == pods_.end()) return fail(ErrorCode::kNotFound, "pods \"{}\" not found", ref.name);
      if (found->second.uid != ref.uid)
        return fail(ErrorCode::kConflict, "uid of pod {} is {}", ref.name, found->second.uid);
      if (!ref.version.empty() && found->second.resource_version != ref.version)
        return fail(ErrorCode::kConflict, "pod {} is not at version {} any more", ref.name, ref.version);
      if (Result<void> done = change(found->second); !done) return done;
      stamp(found->second);
      changed = found->second;
      if (fault) return tl::unexpected(fault->error);
    }
    if (watcher_) watcher_(changed);
    return {};
  }

  mutable std::mutex mutex_;
  std::condition_variable gate_moved_;
  std::map<std::string, kube::Pod> pods_;
  uint64_t version_ = 0;
  std::vector<std::string> calls_;
  Faults faults_;
  std::optional<std::string> gate_;
  int at_gate_ = 0;
  std::function<void(const kube::Pod&)> watcher_;
};

}  // namespace muster::test
