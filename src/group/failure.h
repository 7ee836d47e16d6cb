// What a group that has held nodes has been through.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"

namespace muster::group {

// What the group has been through since it began. Of this, the marks on the members and their number of
// restarts stand in the API; the rest begins anew when Muster does.
struct Failure {
  bool stood = false;                    // has reached its minimum in this life
  bool seen_whole = false;               // likewise, before this Muster was the one that acts
  std::optional<TimePoint> whole_since;  // last reached it, with no binding under way
  std::optional<TimePoint> broken_at;    // holds nodes and lacks members since then
  std::optional<TimePoint> lost_at;      // a member was lost, which restarts the others
  std::string loss;                      // the last one, in words
  std::string stuck;                     // why it may not let go although it should
  bool letting_go = false;
  bool restarting = false;  // lets go for failure-policy Restart, else because it lacks members
  bool exhausted = false;   // let go too often: not planned again
  uint32_t restarts = 0;
  std::optional<TimePoint> let_go_at;       // the last time
  std::set<std::string> controllers;        // uids, of the members that went then
  std::set<std::string> marking;            // uids whose mark is being written
  std::map<std::string, bool> evicting;     // uid → at once; until it is seen going
  std::optional<TimePoint> evict_again_at;  // some eviction was refused
};

}  // namespace muster::group
