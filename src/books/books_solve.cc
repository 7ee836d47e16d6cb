// Questions of groups to requests of the solver, and verdicts back to answers.
#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "books/books.h"
#include "muster/checker.h"
#include "muster/verdict.h"

namespace muster::books {
namespace {

// Roles are members of equal demand and node set.
class Roles {
 public:
  explicit Roles(PlacementRequest& request) : request_(request) {}

  uint32_t intern(Demand demand, NodeSetId node_set) {
    for (std::size_t i = 0; i < request_.roles.size(); ++i) {
      if (request_.roles[i].node_set == node_set && request_.roles[i].demand == demand)
        return static_cast<uint32_t>(i);
    }
    request_.roles.push_back({std::move(demand), node_set});
    return static_cast<uint32_t>(request_.roles.size() - 1);
  }

 private:
  PlacementRequest& request_;
};

// A certificate speaks of what is modelled; it says what it did not look at.
std::string left_out(const group::Question& question) {
  std::set<std::string> names;
  for (const group::Member* member : question.members)
    names.insert(member->unmodelled.begin(), member->unmodelled.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? " (not looked at: " : ", ") + name;
  return text.empty() ? text : text + ")";
}

}  // namespace

// The members to place come first, so that their indices in the request are those in the question.
PlacementRequest Books::to_request(const group::Question& question) {
  for (const group::Member* member : question.members) want_resources(member->demand);
  static_cast<void>(state());  // the topology may have to be built before hosts are looked up

  PlacementRequest request;
  Roles roles(request);
  SubGroup& root = request.subgroups.front();
  root.required = question.spec.topology_required;
  root.preferred = question.spec.topology_preferred;
  root.owner = owner_of(question.key);

  int64_t rank = 0;
  for (std::size_t i = 0; i < question.members.size(); ++i) {
    const group::Member& member = *question.members[i];
    evaluate(member.node_set);
    request.members.push_back({roles.intern(to_demand(member.demand), member.node_set), 0, rank++, kNoHost});
    const auto refused = question.exclusions.find(member.pod.uid);
    if (refused == question.exclusions.end()) continue;
    for (const std::string& node : refused->second) {
      if (const auto host = host_of(node)) request.refusals.push_back({static_cast<uint32_t>(i), *host});
    }
  }
  uint32_t elsewhere = question.completed;  // members that count although they stand on no host we know
  for (const group::Placed& placed : question.fixed) {
    const auto host = host_of(placed.node);
    if (!host) {
      ++elsewhere;
      continue;
    }
    const auto charge = charges_.find(placed.uid);
    const Demand demand = charge == charges_.end() ? Demand{} : to_demand(charge->second.demand);
    request.members.push_back({roles.intern(demand, kEveryHost), 0, rank++, *host});
  }
  root.minimum = question.spec.min_member - std::min(question.spec.min_member, elsewhere);
  return request;
}

group::Answer Books::solve(const group::Question& question) {
  for (const group::Member* member : question.members) {
    for (const auto& [name, amount] : member->demand.entries()) {
      want_resources(member->demand);
      if (std::find(resources_.begin(), resources_.end(), name) == resources_.end()) {
        return group::BadRequest{"pod " + member->pod.name + ": resource " + name + ": more than " +
                                 std::to_string(resources_.size()) + " different resources are asked for"};
      }
    }
  }
  PlacementRequest request = to_request(question);
  ClusterState& cluster = state();
  if (const Result<void> sound = validate(request, cluster); !sound)
    return group::BadRequest{sound.error().message};
  const Verdict verdict = muster::solve(request, cluster);
  if (const auto* no = std::get_if<CertifiedNo>(&verdict)) {
    steps_ += no->steps;
    return group::DoesNotFit{describe(verdict, request, cluster) + left_out(question)};
  }
  if (const auto* undecided = std::get_if<Undecided>(&verdict)) {
    steps_ += undecided->steps;
    return group::Undecided{describe(verdict, request, cluster)};
  }
  const Fits& fits = std::get<Fits>(verdict);
  steps_ += fits.steps;
  group::Fits answer;
  for (const Assignment& assignment : fits.placement) {
    answer.placed.push_back(
        {question.members[assignment.member]->pod.uid, cluster.topology().host_name(assignment.host)});
  }
  return answer;
}

bool Books::valid(const group::Question& question, const std::vector<group::Placed>& placed) {
  const PlacementRequest request = to_request(question);
  ClusterState& cluster = state();
  if (!validate(request, cluster)) return false;
  std::vector<Assignment> placement;
  for (const auto& [uid, node] : placed) {
    const auto member = std::find_if(question.members.begin(), question.members.end(),
                                     [&](const group::Member* m) { return m->pod.uid == uid; });
    const auto host = host_of(node);
    if (member == question.members.end() || !host) return false;
    placement.push_back({static_cast<uint32_t>(member - question.members.begin()), *host});
  }
  return check_placement(request, placement, cluster).has_value();
}

}  // namespace muster::books
