// The last known state of one kind, and what changed: turns listed objects and watch events into deltas for
// one consumer. Internal to Reflector.
//
// Thread rule: one owner; size() and unchanged() from any thread. deliver() may block: that is the
// back-pressure.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kube/api.h"

namespace muster::kube {

[[nodiscard]] inline std::string key_of(const Node& node) { return node.name; }
[[nodiscard]] inline std::string key_of(const Pod& pod) { return pod.ns + "/" + pod.name; }

template <typename T>
class ObjectCache {
 public:
  using Deliver = std::function<void(DeltaBatch<T>)>;
  static constexpr std::size_t kMaxBatch = 1'000;

  explicit ObjectCache(Deliver deliver) : deliver_(std::move(deliver)) {}

  void begin_list() { listed_.clear(); }
  void listed(T item) {
    std::string key = key_of(item);
    listed_.insert_or_assign(std::move(key), std::move(item));
  }
  // The first list is delivered as Replace, later ones as what differs from what was known.
  void end_list() {
    if (!replaced_) {
      replace();
    } else {
      compare();
    }
    listed_.clear();
    flush();
  }

  // Added or modified. An object that says nothing new is dropped; one with another uid under a known name
  // has replaced it, and both are reported.
  void upsert(T item) {
    const auto [it, is_new] = objects_.try_emplace(key_of(item));
    if (!is_new && it->second.same_as(item)) {
      ++unchanged_;
      it->second.resource_version = std::move(item.resource_version);
      return;
    }
    if (!is_new && it->second.uid != item.uid) add(Remove<T>{std::move(it->second)});
    it->second = item;
    size_ = objects_.size();
    add(Upsert<T>{std::move(item)});
  }

  // Unknown objects, and those another one of the same name has replaced, are dropped.
  void remove(T last) {
    const auto it = objects_.find(key_of(last));
    if (it == objects_.end() || it->second.uid != last.uid) return;
    objects_.erase(it);
    size_ = objects_.size();
    add(Remove<T>{std::move(last)});
  }

  void flush() {
    if (batch_.empty()) return;
    deliver_(std::exchange(batch_, {}));
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] uint64_t unchanged() const { return unchanged_; }

 private:
  using Objects = std::unordered_map<std::string, T>;

  // Made in place: a temporary variant makes g++ 12 warn of members it cannot have.
  template <typename Change>
  void add(Change change) {
    batch_.emplace_back(std::in_place_type<Change>, std::move(change));
    if (batch_.size() >= kMaxBatch) flush();
  }

  void replace() {
    Replace<T> all;
    all.items.reserve(listed_.size());
    for (const auto& [key, item] : listed_) all.items.push_back(item);
    objects_ = std::move(listed_);
    size_ = objects_.size();
    replaced_ = true;
    add(std::move(all));
  }

  void compare() {
    std::vector<T> gone;
    for (auto& [key, item] : objects_) {
      const auto it = listed_.find(key);
      if (it == listed_.end()) gone.push_back(item);
    }
    for (auto& item : gone) remove(std::move(item));
    for (auto& [key, item] : listed_) upsert(std::move(item));
  }

  const Deliver deliver_;
  Objects objects_;
  Objects listed_;
  DeltaBatch<T> batch_;
  bool replaced_ = false;
  std::atomic<std::size_t> size_ = 0;
  std::atomic<uint64_t> unchanged_ = 0;
};

}  // namespace muster::kube
