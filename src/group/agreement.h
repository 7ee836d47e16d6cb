// Whether the members of a group ask for the same thing. One member's spec stands for all, and every other is
// compared with it alone, so that a change of one member costs one comparison.
//
// Members that have ended or are going do not speak: they have no say in a new gathering.
#pragma once

#include <set>
#include <string>

#include "group/member.h"
#include "group/members.h"
#include "group/spec.h"

namespace muster::group {

// Whether the member has a say.
[[nodiscard]] bool speaks(const Member& member);

class Agreement {
 public:
  // The member `uid` of `members` is new, has changed, or is gone. Amortized O(log n); O(n) when the spec
  // that stands for all has changed.
  void heard(const Members& members, const std::string& uid);

  // What all ask for; while they disagree, what the first of them asked for.
  [[nodiscard]] const SharedSpec& spec() const { return spec_; }
  // What is wrong with one of the members, naming it; empty when all agree.
  [[nodiscard]] const std::string& dissent() const { return dissent_; }
  // uid of the member that dissent() speaks of.
  [[nodiscard]] const std::string& dissenter() const { return dissenter_; }

 private:
  [[nodiscard]] bool agrees(const Member& member) const;
  void listen(const std::string& uid, const Member* speaker);
  void choose_reference(const Members& members);
  void put_into_words(const Members& members);

  SharedSpec spec_ = no_request();
  std::string reference_;             // uid of the member that stands for all; empty when none can
  std::set<std::string> dissenters_;  // speak, and have no spec or another one
  std::string dissenter_;
  std::string dissent_;
};

}  // namespace muster::group
