// What a group asks of the books. Implemented by books::Books, and by a few lines in tests.
#pragma once

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "group/member.h"

namespace muster::group {

struct Placed {
  std::string uid;
  std::string node;
};

// A member that stays where it is.
struct Fixed : Placed {
  std::string subgroup;
  int64_t rank = 0;
};

// Nodes that kube-scheduler refused for a member: uid → node names.
using Exclusions = std::map<std::string, std::set<std::string>>;

struct Question {
  GroupKey key;
  GroupSpec spec;
  std::vector<const Member*> members;  // to be placed, in rank order
  std::vector<int64_t> ranks;          // of the members, in the same order
  std::vector<Fixed> fixed;  // bound or planned already: they fix the domain and count towards the minimum
  std::map<std::string, uint32_t> completed;  // by subgroup: members that have succeeded count as well
  Exclusions exclusions;
  // By subgroup: the lowest rank in it, that of a member which has ended included. Absent: of those above.
  std::map<std::string, int64_t> first_ranks = {};
};

// One node for each member of the answer; with more members than the minimum some may be left out.
struct Fits {
  std::vector<Placed> placed;  // in rank order
};
struct DoesNotFit {
  std::string message;  // the nearest miss, for people
};
struct Undecided {
  std::string message;
};
// The request contradicts itself or names what does not exist.
struct BadRequest {
  std::string message;
};
using Answer = std::variant<Fits, DoesNotFit, Undecided, BadRequest>;

class Room {
 public:
  virtual ~Room() = default;
  // Reserves nothing.
  [[nodiscard]] virtual Answer solve(const Question& question) = 0;
  // Whether these nodes answer the question as the books stand now. Reserves nothing.
  [[nodiscard]] virtual bool valid(const Question& question, const std::vector<Placed>& placed) = 0;
  // False when the last answer to this group's question was a certified no and nothing it could use has
  // gained room since, so that the same question would get the same answer.
  [[nodiscard]] virtual bool worth_another_try(const GroupKey&) { return true; }
  // Takes the room for an unbound pod until unreserve() or until the pod is seen bound. False when the node
  // is unknown, not eligible or too full; then nothing is taken. A pod has one reservation at most.
  [[nodiscard]] virtual bool reserve(const GroupKey& key, const Member& member, const std::string& node) = 0;
  // Takes it likewise for a pod that another Muster has promised the node, whatever else is there, so that
  // nobody else is promised what may come to be used. False when the node is unknown.
  [[nodiscard]] virtual bool keep(const GroupKey& key, const Member& member, const std::string& node) = 0;
  virtual void unreserve(const std::string& uid) = 0;
  // "block=b1,rack=b1/r2" for the annotation muster.dev/domain; empty for a node outside every domain.
  [[nodiscard]] virtual std::string domain_of(const std::string& node) const = 0;
};

}  // namespace muster::group
