// What is known of one kind, and what changed: turns listed objects and watch events into deltas for one
// consumer. Of each object only uid and fingerprint are kept; whoever needs the object itself has it from the
// deltas. Internal to Reflector.
//
// Thread rule: one owner; size() and unchanged() from any thread. deliver() may block: that is the
// back-pressure.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kube/api.h"
#include "kube/fingerprint.h"
#include "kube/watch_event.h"

namespace muster::kube {

[[nodiscard]] inline std::string key_of(const Node& node) { return node.name; }
[[nodiscard]] inline std::string key_of(const Pod& pod) { return pod.ns + "/" + pod.name; }
[[nodiscard]] inline std::string key_of(const ObjectMeta& meta) {
  return meta.ns.empty() ? meta.name : meta.ns + "/" + meta.name;
}

// An object of which nothing is known but that it is not there any more.
inline void set_identity(Node& node, const std::string& key, std::string uid) {
  node.name = key;
  node.uid = std::move(uid);
}
inline void set_identity(Pod& pod, const std::string& key, std::string uid) {
  const auto slash = key.find('/');
  pod.ns = key.substr(0, slash);
  pod.name = key.substr(slash + 1);
  pod.uid = std::move(uid);
}

template <typename T>
class ObjectCache {
 public:
  using Deliver = std::function<void(DeltaBatch<T>)>;
  static constexpr std::size_t kMaxBatch =
      1'000;  // events that come at once; the two of a replaced object stay together

  explicit ObjectCache(Deliver deliver) : deliver_(std::move(deliver)) {}

  void begin_list() {
    listed_.clear();
    news_.clear();
  }
  void listed(T item) {
    std::string key = key_of(item);
    Known known{item.uid, fingerprint_of(item), kNoNews};
    const auto old = objects_.find(key);
    const bool is_news = old == objects_.end() || !old->second.same_as(known);
    Known& place = listed_[std::move(key)];
    // A second one of the same name, on a later page, takes the first one's place, also when it says what was
    // known: the consumer would have the first.
    const uint32_t before = place.news;
    place = std::move(known);
    place.news = before;
    if (before != kNoNews) {
      news_[before] = std::move(item);
    } else if (is_news) {
      place.news = static_cast<uint32_t>(news_.size());
      news_.push_back(std::move(item));
    }
  }
  // Stands in the list and cannot be read: what was known of it stays, for it is not gone.
  void listed_unreadable(const std::string& key, const std::string& uid) {
    const auto old = objects_.find(key);
    if (old == objects_.end() || old->second.uid != uid) return;
    listed_.try_emplace(key, Known{uid, old->second.fingerprint, kNoNews});
  }
  // The first list is delivered as Replace, later ones as what differs from what was known, in one batch of
  // any size: half of it would be a state that never was.
  void end_list() {
    if (replaced_) {
      compare();
    } else {
      replace();
    }
    listed_ = {};
    news_ = {};
    flush();
  }

  // Added or modified. An object that says nothing new is dropped; one with another uid under a known name
  // has replaced it, and both are reported.
  void upsert(T item) {
    Known known{item.uid, fingerprint_of(item), kNoNews};
    const auto [it, is_new] = objects_.try_emplace(key_of(item));
    if (!is_new && it->second.same_as(known)) {
      ++unchanged_;
      return;
    }
    if (!is_new && it->second.uid != item.uid) add_removal(it->first, std::move(it->second.uid));
    it->second = std::move(known);
    size_ = objects_.size();
    add(Upsert<T>{std::move(item)});
    flush_when_full();
  }

  // Unknown objects, and those another one of the same name has replaced, are dropped.
  void remove(T last) {
    const auto it = objects_.find(key_of(last));
    if (it == objects_.end() || it->second.uid != last.uid) return;
    objects_.erase(it);
    size_ = objects_.size();
    add(Remove<T>{std::move(last)});
    flush_when_full();
  }

  void flush() {
    if (batch_.empty()) return;
    deliver_(std::exchange(batch_, {}));
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] uint64_t unchanged() const { return unchanged_; }

 private:
  static constexpr uint32_t kNoNews = UINT32_MAX;
  struct Known {
    std::string uid;
    Fingerprint fingerprint{};
    uint32_t news = kNoNews;  // while it is listed: its place in news_
    [[nodiscard]] bool same_as(const Known& other) const {
      return fingerprint == other.fingerprint && uid == other.uid;
    }
  };
  using Objects = std::unordered_map<std::string, Known>;

  // Made in place: a temporary variant makes g++ 12 warn of members it cannot have.
  template <typename Change>
  void add(Change change) {
    batch_.emplace_back(std::in_place_type<Change>, std::move(change));
  }

  void flush_when_full() {
    if (batch_.size() >= kMaxBatch) flush();
  }

  void add_removal(const std::string& key, std::string uid) {
    Remove<T> gone;
    set_identity(gone.last, key, std::move(uid));
    add(std::move(gone));
  }

  void replace() {
    Replace<T> all{std::move(news_)};
    objects_ = std::move(listed_);
    size_ = objects_.size();
    replaced_ = true;
    add(std::move(all));
  }

  // Removals first: an object made again under its name is one of them.
  void compare() {
    for (auto& [key, known] : objects_) {
      const auto it = listed_.find(key);
      if (it == listed_.end() || it->second.uid != known.uid) add_removal(key, std::move(known.uid));
    }
    unchanged_ += listed_.size() - news_.size();
    objects_ = std::move(listed_);
    size_ = objects_.size();
    for (T& item : news_) add(Upsert<T>{std::move(item)});
  }

  const Deliver deliver_;
  Objects objects_;
  Objects listed_;
  std::vector<T> news_;  // of listed_, what objects_ does not know as such
  DeltaBatch<T> batch_;
  bool replaced_ = false;
  std::atomic<std::size_t> size_ = 0;
  std::atomic<uint64_t> unchanged_ = 0;
};

}  // namespace muster::kube
