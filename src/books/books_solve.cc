// Questions of groups to requests of the solver, and verdicts back to answers.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/resources.h"
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

// The tree of subgroups as the solver wants it: parents before children, found by path.
class SubgroupTree {
 public:
  // `owner_of` gives the owner of a subgroup by its path.
  SubgroupTree(const group::GroupSpec& spec, std::function<OwnerId(const std::string&)> owner_of,
               PlacementRequest& request)
      : request_(request), owner_of_(std::move(owner_of)) {
    SubGroup& root = request_.subgroups.front();
    put(spec, root);
    root.minimum = spec.min_member;
    root.owner = owner_of_("");
    add(spec.subgroups, 0, "");
  }

  // The deepest subgroup that the path names; a spec without subgroups has the group itself alone.
  [[nodiscard]] uint32_t find(std::string path) const {
    while (!path.empty()) {
      if (const auto found = by_path_.find(path); found != by_path_.end()) return found->second;
      const auto slash = path.rfind('/');
      path.resize(slash == std::string::npos ? 0 : slash);
    }
    return 0;
  }

  // Members that count although they stand on no host we know, by subgroup: the minima on the way up need so
  // many less, and a subgroup that has no others and no minimum stands with them. REQUIRES: the request has
  // all its members.
  void count_elsewhere(const std::map<uint32_t, uint32_t>& members) {
    const std::vector<bool> holds = holding();
    for (const auto& [subgroup, count] : members) {
      request_.subgroups[subgroup].begun = true;
      for (uint32_t up = subgroup;; up = request_.subgroups[up].parent) {
        SubGroup& node = request_.subgroups[up];
        if (node.minimum)
          *node.minimum -= std::min(*node.minimum, count);
        else if (!holds[up])
          node.minimum = 0;
        if (up == 0) break;
      }
    }
  }

 private:
  // Whether a member of the request is in the subgroup or below it.
  [[nodiscard]] std::vector<bool> holding() const {
    std::vector<bool> holds(request_.subgroups.size(), false);
    holds[0] = true;
    for (const Member& member : request_.members) {
      for (uint32_t up = member.subgroup; !holds[up]; up = request_.subgroups[up].parent) holds[up] = true;
    }
    return holds;
  }

  static void put(const group::Constraints& from, SubGroup& to) {
    to.required = from.topology_required;
    to.preferred = from.topology_preferred;
    to.exclusive = from.exclusive;
    to.placement = from.spread ? Strategy::kSpread : Strategy::kPack;
    to.min_subgroups = from.min_subgroups;
    for (const group::SliceSpec& slice : from.slices) to.slices.push_back({slice.size, slice.level});
  }

  void add(const std::vector<group::SubgroupSpec>& children, uint32_t parent, const std::string& path) {
    for (const group::SubgroupSpec& child : children) {
      const auto index = static_cast<uint32_t>(request_.subgroups.size());
      const std::string child_path = path.empty() ? child.name : path + "/" + child.name;
      SubGroup& made = request_.subgroups.emplace_back();
      put(child, made);
      if (!child.exclusive.empty()) made.owner = owner_of_(child_path);
      made.name = child.name;
      made.parent = parent;
      made.minimum = child.min_member;
      by_path_[child_path] = index;
      add(child.subgroups, index, child_path);
    }
  }

  PlacementRequest& request_;
  const std::function<OwnerId(const std::string&)> owner_of_;
  std::map<std::string, uint32_t> by_path_;
};

// The solver names keys as group-spec has them; for the group itself people mostly use the short annotations.
// What is no key, such as the number of members, stays as it is.
std::string in_annotations(const std::string& message) {
  const std::string key = message.substr(0, message.find(':'));
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"minMember", "min-member"},
      {"topologyRequired", "topology-required"},
      {"topologyPreferred", "topology-preferred"},
      {"slices", "slices"}};
  for (const auto& [in_spec, annotation] : kShort) {
    if (key == in_spec)
      return fmt::format("muster.dev/{} ({} in muster.dev/group-spec){}", annotation, in_spec,
                         message.substr(key.size()));
  }
  return key == "members" ? message : "muster.dev/group-spec: " + message;
}

// Requests that are beyond what any node can have would otherwise be counted as that much.
Result<void> within_bounds(const group::Question& question) {
  for (const group::Member* member : question.members) {
    for (const auto& [name, amount] : member->demand.entries()) {
      if (amount > kMaxAmount)
        return invalid("resources.requests.{}: {} of pod {} is more than {}", name, amount_text(name, amount),
                       member->pod.name, amount_text(name, kMaxAmount));
    }
  }
  return {};
}

// Slices of a subgroup count from its own first member, whatever ranks the subgroups before it have. `first`:
// ranks by subgroup that are known beside those in the request.
void count_slices_from_zero(PlacementRequest& request, std::map<uint32_t, int64_t> first) {
  for (const Member& member : request.members) {
    const auto [it, fresh] = first.emplace(member.subgroup, member.rank);
    if (!fresh) it->second = std::min(it->second, member.rank);
  }
  for (Member& member : request.members) {
    if (member.subgroup != 0 && !request.subgroups[member.subgroup].slices.empty())
      member.rank -= first.at(member.subgroup);
  }
}

}  // namespace

std::string left_out(const group::Question& question) {
  std::set<std::string> names;
  for (const group::Member* member : question.members)
    names.insert(member->unmodelled.begin(), member->unmodelled.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? " (not looked at: " : ", ") + name;
  return text.empty() ? text : text + ")";
}

// The members to place come first, so that their indices in the request are those in the question.
// REQUIRES: want_resources_of(question).
PlacementRequest Books::to_request(const group::Question& question) {
  static_cast<void>(state());  // the topology may have to be built before hosts are looked up

  PlacementRequest request;
  SubgroupTree tree(
      question.spec, [&](const std::string& path) { return owner_of(question.key, path); }, request);
  Roles roles(request);
  for (std::size_t i = 0; i < question.members.size(); ++i) {
    const group::Member& member = *question.members[i];
    // Most members are like the one before.
    const bool again = i > 0 && question.members[i - 1]->node_set == member.node_set &&
                       question.members[i - 1]->demand == member.demand;
    if (!again) evaluate(member.node_set);
    const uint32_t role =
        again ? request.members.back().role : roles.intern(to_demand(member.demand), member.node_set);
    request.members.push_back({role, tree.find(member.subgroup), question.ranks[i], kNoHost});
    const auto refused = question.exclusions.find(member.pod.uid);
    if (refused == question.exclusions.end()) continue;
    for (const std::string& node : refused->second) {
      if (const auto host = host_of(node)) request.refusals.push_back({static_cast<uint32_t>(i), *host});
    }
  }
  std::map<uint32_t, uint32_t> elsewhere;
  for (const group::Fixed& fixed : question.fixed) {
    const auto host = host_of(fixed.node);
    const uint32_t subgroup = tree.find(fixed.subgroup);
    if (!host) {
      ++elsewhere[subgroup];
      continue;
    }
    const Charge* charge = charge_of(fixed.uid);
    const Demand demand = charge ? to_demand(charge->demand) : Demand{};
    request.members.push_back({roles.intern(demand, kEveryHost), subgroup, fixed.rank, *host});
  }
  for (const auto& [path, count] : question.completed) elsewhere[tree.find(path)] += count;
  tree.count_elsewhere(elsewhere);
  std::map<uint32_t, int64_t> first;
  for (const auto& [path, rank] : question.first_ranks) {
    int64_t& lowest = first.try_emplace(tree.find(path), rank).first->second;
    lowest = std::min(lowest, rank);
  }
  count_slices_from_zero(request, std::move(first));
  return request;
}

Decision Books::decide(const group::Question& question, const SolveOptions& solving) {
  if (!want_resources_of(question))
    return {{}, invalid("the members ask for too many different resources, more than {}", kMaxResources)};
  if (Result<void> sound = within_bounds(question); !sound) return {{}, tl::unexpected(sound.error())};
  Decision decision{to_request(question), {}};
  ClusterState& cluster = state();
  if (Result<void> sound = validate(decision.request, cluster); !sound) {
    decision.verdict = tl::unexpected(Error{ErrorCode::kInvalid, in_annotations(sound.error().message)});
    return decision;
  }
  ++questions_;
  SolveOptions options = solving;
  options.mix = &mix();
  decision.verdict = muster::solve(decision.request, cluster, options);
  return decision;
}

group::Answer Books::solve(const group::Question& question) {
  last_no_.erase(question.key);
  const Decision decision = decide(question);
  if (!decision.verdict) return group::BadRequest{decision.verdict.error().message};
  const Verdict& verdict = *decision.verdict;
  const ClusterState& cluster = state();
  if (const auto* no = std::get_if<CertifiedNo>(&verdict)) {
    steps_ += no->steps;
    last_no_.insert_or_assign(question.key, LastNo{decision.request, no->reason, topology_});
    return group::DoesNotFit{describe(verdict, decision.request, cluster) + left_out(question)};
  }
  if (const auto* undecided = std::get_if<Undecided>(&verdict)) {
    steps_ += undecided->steps;
    if (!undecided->fault.empty()) log_error("group {}: {}", question.key.text(), undecided->fault);
    return group::Undecided{describe(verdict, decision.request, cluster)};
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

bool Books::worth_another_try(const group::GroupKey& key) {
  const ClusterState& cluster = state();
  const auto last = last_no_.find(key);
  if (last == last_no_.end() || last->second.topology != topology_) return true;
  return muster::worth_another_try(last->second.request, last->second.reason, cluster);
}

bool Books::valid(const group::Question& question, const std::vector<group::Placed>& placed) {
  static_cast<void>(want_resources_of(question));
  const PlacementRequest request = to_request(question);
  ClusterState& cluster = state();
  if (!validate(request, cluster)) return false;
  std::unordered_map<std::string_view, uint32_t> index;
  for (const group::Member* member : question.members)
    index.emplace(member->pod.uid, static_cast<uint32_t>(index.size()));
  std::vector<Assignment> placement;
  for (const auto& [uid, node] : placed) {
    const auto member = index.find(uid);
    const auto host = host_of(node);
    if (member == index.end() || !host) return false;
    placement.push_back({member->second, *host});
  }
  return check_placement(request, placement, cluster).has_value();
}

}  // namespace muster::books
