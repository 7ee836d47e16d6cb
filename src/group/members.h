// A group's members by uid, each at its own place in memory: an event of a member puts another one in its
// place and moves nothing.
//
// Thread rule: one owner. O(log n) to find, O(n) pointers to add or remove.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "group/member.h"

namespace muster::group {

class Members {
  // They are owned. Plain pointers, since a large group's are moved in one piece when one comes or goes.
  using List = std::vector<Member*>;

 public:
  Members() = default;
  ~Members() {
    for (Member* member : list_) delete member;
  }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  Members(Members&& other) noexcept : list_(std::exchange(other.list_, {})) {}
  Members& operator=(Members&& other) noexcept {
    list_.swap(other.list_);
    return *this;
  }

  // What an iterator shows, as that of a map would.
  struct Shown {
    const std::string& first;
    const Member& second;
    const Shown* operator->() const { return this; }
  };
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Shown;
    using difference_type = std::ptrdiff_t;
    using pointer = Shown;
    using reference = Shown;

    Iterator() = default;
    Shown operator*() const { return {(*at_)->pod.uid, **at_}; }
    Shown operator->() const { return **this; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class Members;
    explicit Iterator(List::const_iterator at) : at_(at) {}
    List::const_iterator at_;
  };

  [[nodiscard]] Iterator begin() const { return Iterator(list_.begin()); }
  [[nodiscard]] Iterator end() const { return Iterator(list_.end()); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] Iterator find(const std::string& uid) const {
    const auto at = place(uid);
    return is_at(at, uid) ? Iterator(at) : end();
  }
  [[nodiscard]] bool contains(const std::string& uid) const { return is_at(place(uid), uid); }
  // REQUIRES: there is one.
  [[nodiscard]] const Member& at(const std::string& uid) const {
    const auto at = place(uid);
    MUSTER_CHECK(is_at(at, uid));
    return **at;
  }
  // The first behind the uid.
  [[nodiscard]] Iterator upper_bound(const std::string& uid) const {
    const auto at = place(uid);
    return Iterator(is_at(at, uid) ? at + 1 : at);
  }

  // Returns the one whose place it takes; none: it is new.
  std::unique_ptr<Member> put(std::unique_ptr<Member> member) {
    const auto at = list_.begin() + (place(member->pod.uid) - list_.cbegin());
    if (is_at(at, member->pod.uid)) return std::unique_ptr<Member>(std::exchange(*at, member.release()));
    list_.insert(at, member.get());
    (void)member.release();
    return nullptr;
  }
  // None: there was none.
  std::unique_ptr<Member> take(const std::string& uid) {
    const auto at = list_.begin() + (place(uid) - list_.cbegin());
    if (!is_at(at, uid)) return nullptr;
    std::unique_ptr<Member> taken(*at);
    list_.erase(at);
    return taken;
  }

 private:
  [[nodiscard]] List::const_iterator place(const std::string& uid) const {
    return std::lower_bound(list_.begin(), list_.end(), uid,
                            [](const auto& member, const std::string& key) { return member->pod.uid < key; });
  }
  [[nodiscard]] bool is_at(List::const_iterator at, const std::string& uid) const {
    return at != list_.end() && (*at)->pod.uid == uid;
  }

  List list_;
};

}  // namespace muster::group
