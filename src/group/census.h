// Who of a group is there, in numbers that are kept with every change of a member: what each decision about
// the group as a whole starts from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "group/member.h"
#include "group/quorum.h"

namespace muster::group {

class Census {
 public:
  // A member of an earlier life of the group's name has a part in nothing once it has ended (`past`). What is
  // taken out has to be as it was put in. O(log n).
  void add(const Member& member, bool past) { count(member, past, +1); }
  void take_out(const Member& member, bool past) { count(member, past, -1); }
  void change(const Member& before, const Member& now, bool past);
  // Its pod is gone: a member that has completed counts on, until forget_gone().
  void outlive(const Member& member);
  // So many more of each subgroup, whom nobody has seen, are taken to have completed; and none of them any
  // more.
  void suppose(const std::map<std::string, uint32_t>& unseen);
  std::map<std::string, uint32_t> take_back_supposed();
  void forget_gone();

  [[nodiscard]] uint32_t staying() const { return staying_; }  // have neither ended nor are being deleted
  [[nodiscard]] uint32_t available() const { return available_; }
  [[nodiscard]] uint32_t live() const { return live_; }
  [[nodiscard]] uint32_t bare() const { return bare_; }  // live, and nobody would make them again
  [[nodiscard]] uint32_t evictable() const {
    return evictable_;
  }  // bound, not on their way out, with a controller
  // Without those of an earlier life, and with those that are gone.
  [[nodiscard]] uint32_t ended() const { return ended_ + gone_; }
  [[nodiscard]] uint32_t completed() const { return succeeded_ + gone_; }
  [[nodiscard]] uint32_t unseen() const { return unseen_; }  // of these, who are only taken to have
  [[nodiscard]] std::map<std::string, uint32_t> completed_by_subgroup() const;
  [[nodiscard]] uint32_t ready() const { return ready_; }
  [[nodiscard]] uint32_t gated() const { return gated_; }  // that want to be told of the group's readiness
  // Some controller has pods that ended in this life and others that wait: it replaces what has ended.
  [[nodiscard]] bool replaces() const;

  // By subgroup: who stands (is live or has completed), and with them who waits; who is ready or done. Of a
  // group that `has_stood`, who waits comes late.
  [[nodiscard]] Tally standing(bool has_stood) const { return tally(&Place::live, nullptr, has_stood); }
  [[nodiscard]] Tally standing_or_waiting(bool has_stood) const {
    return tally(&Place::live, &Place::waiting, has_stood);
  }
  [[nodiscard]] Tally ready_or_done(bool has_stood) const { return tally(&Place::ready, nullptr, has_stood); }

 private:
  struct Place {  // of one subgroup's path
    uint32_t live = 0;
    uint32_t succeeded = 0;
    uint32_t gone = 0;    // and who are taken to have
    uint32_t unseen = 0;  // of these
    uint32_t waiting = 0;
    uint32_t ready = 0;
    uint32_t staying = 0;
    [[nodiscard]] uint32_t completed() const { return succeeded + gone; }
  };
  struct Generation {  // of one controller
    uint32_t ended = 0;
    uint32_t gone = 0;
    uint32_t available = 0;
  };

  void count(const Member& member, bool past, int sign);
  [[nodiscard]] Tally tally(uint32_t Place::* have, uint32_t Place::* also, bool has_stood) const;

  uint32_t staying_ = 0;
  uint32_t available_ = 0;
  uint32_t live_ = 0;
  uint32_t bare_ = 0;
  uint32_t evictable_ = 0;
  uint32_t ended_ = 0;
  uint32_t succeeded_ = 0;
  uint32_t gone_ = 0;  // have completed, and their pods are gone; and who are taken to have
  uint32_t unseen_ = 0;
  uint32_t ready_ = 0;
  uint32_t gated_ = 0;
  std::map<std::string, Place> places_;
  std::unordered_map<std::string, Generation> controllers_;  // by uid
};

}  // namespace muster::group
