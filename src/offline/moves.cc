#include "offline/moves.h"

#include <algorithm>
#include <map>
#include <optional>

#include "books/annotations.h"
#include "muster/verdict.h"

namespace muster::offline {
namespace {

constexpr std::size_t kMostMoves = 4;
constexpr std::size_t kMostPods = 16;       // of a node that are looked at
constexpr std::size_t kMostMembers = 1000;  // of a group
constexpr std::size_t kMostTries = 200;
constexpr SolveOptions kSolving{200'000, 0, false};  // of a try

constexpr const char* kGroup = "group";  // the subgroups of a question about both
constexpr const char* kMoved = "moved";

using Pods = std::vector<const kube::Pod*>;

// The group and the pods that move as two subgroups of one request.
class Joint {
 public:
  Joint(const group::Question& asked, const Pods& moved, books::Books& books) {
    question_.key = asked.key;
    question_.exclusions = asked.exclusions;
    question_.spec.min_member = asked.spec.min_member + static_cast<uint32_t>(moved.size());
    question_.spec.subgroups = {whole(asked.spec), {{}, kMoved, static_cast<uint32_t>(moved.size()), {}}};
    for (const auto& [path, count] : asked.completed) question_.completed[below(path)] = count;
    question_.first_ranks = {{kGroup, 0}};
    for (const auto& [path, rank] : asked.first_ranks)
      if (!path.empty()) question_.first_ranks[below(path)] = rank;
    for (group::Fixed fixed : asked.fixed) {
      fixed.subgroup = below(fixed.subgroup);
      question_.fixed.push_back(std::move(fixed));
    }
    members_.reserve(asked.members.size() + moved.size());
    question_.ranks = asked.ranks;
    for (const group::Member* member : asked.members)
      members_.emplace_back(*member).subgroup = below(member->subgroup);
    for (const kube::Pod* pod : moved) {
      group::Member& member =
          members_.emplace_back(books::member_of(kube::Pod(*pod), books::parse_spec(pod->annotations)));
      member.subgroup = kMoved;
      member.node_set = books.intern_node_set(pod->node_set);
      question_.ranks.push_back(question_.ranks.back() + 1);
      question_.exclusions[pod->uid].insert(pod->node_name);
    }
    for (const group::Member& member : members_) question_.members.push_back(&member);
  }
  Joint(const Joint&) = delete;
  Joint& operator=(const Joint&) = delete;

  [[nodiscard]] const group::Question& question() const { return question_; }

 private:
  static std::string below(const std::string& path) {
    return path.empty() ? kGroup : std::string(kGroup) + "/" + path;
  }
  static group::SubgroupSpec whole(const group::GroupSpec& spec) {
    group::SubgroupSpec made;
    static_cast<group::Constraints&>(made) = spec;
    made.name = kGroup;
    made.min_member = spec.min_member;
    made.subgroups = spec.subgroups;
    return made;
  }

  std::vector<group::Member> members_;
  group::Question question_;
};

class MoveSearch {
 public:
  MoveSearch(const group::Question& question, const books::Decision& no,
             const std::vector<kube::Pod>& movable, books::Books& books)
      : question_(question), no_(no), books_(books) {
    for (const kube::Pod& pod : movable) on_node_[pod.node_name].push_back(&pod);
    for (auto& [node, pods] : on_node_) pods.resize(std::min(pods.size(), kMostPods));
  }

  std::vector<Move> run(DomainId domain) {
    const Topology& topology = books_.cluster().topology();
    std::vector<std::string> nodes;  // by name: a try may have the topology built again
    for (const HostIndex host : topology.hosts(domain))
      if (const std::string name(topology.host_name(host)); on_node_.contains(name)) nodes.push_back(name);
    for (std::size_t size = 1; size <= kMostMoves; ++size) {
      for (const std::string& node : nodes) {
        Pods chosen;
        if (try_sets(node, size, 0, chosen)) return std::move(found_);
        if (tries_ == kMostTries) return {};
      }
    }
    return {};
  }

 private:
  // Every set of `size` more pods of the node, from the one at `next` on.
  bool try_sets(const std::string& node, std::size_t size, std::size_t next, Pods& chosen) {
    if (size == 0) return makes_room(node, chosen) && tries_ < kMostTries && fits_without(chosen);
    const Pods& pods = on_node_.at(node);
    for (std::size_t i = next; i + size <= pods.size(); ++i) {
      chosen.push_back(pods[i]);
      if (try_sets(node, size - 1, i + 1, chosen)) return true;
      chosen.pop_back();
    }
    return false;
  }

  // Without the pods, the node holds more members of some role than with them.
  [[nodiscard]] bool makes_room(const std::string& node, const Pods& pods) {
    const ClusterState& cluster = books_.cluster();
    const auto host = cluster.topology().find_host(node);
    if (!host) return false;
    ResourceList freed;
    for (const kube::Pod* pod : pods) freed.add(pod->requests);
    return std::any_of(no_.request.roles.begin(), no_.request.roles.end(), [&](const Role& role) {
      if (cluster.exclusion(role.node_set, *host) != Exclusion::kNone) return false;
      std::optional<int64_t> before;
      std::optional<int64_t> after;
      for (const ResourceAmount& need : role.demand) {
        if (need.amount <= 0) continue;
        const int64_t free = std::max<int64_t>(0, cluster.free(*host, need.resource));
        const int64_t more = freed.get(cluster.resource_name(need.resource));
        before = std::min(before.value_or(INT64_MAX), free / need.amount);
        after = std::min(after.value_or(INT64_MAX), (free + more) / need.amount);
      }
      return before != after;
    });
  }

  bool fits_without(const Pods& pods) {
    ++tries_;
    const Joint joint(question_, pods, books_);
    for (const kube::Pod* pod : pods) books_.remove_pod(pod->uid);
    const books::Decision decision = books_.decide(joint.question(), kSolving);
    const auto* fits = decision.verdict ? std::get_if<muster::Fits>(&*decision.verdict) : nullptr;
    if (fits != nullptr) note(*fits, pods);
    for (const kube::Pod* pod : pods) books_.upsert_pod(*pod);
    return fits != nullptr;
  }

  void note(const muster::Fits& fits, const Pods& pods) {
    const Topology& topology = books_.cluster().topology();
    for (const Assignment& it : fits.placement) {
      if (it.member < question_.members.size()) continue;
      const kube::Pod& pod = *pods[it.member - question_.members.size()];
      found_.push_back({pod.ns + "/" + pod.name, pod.node_name, std::string(topology.host_name(it.host))});
    }
  }

  const group::Question& question_;
  const books::Decision& no_;
  books::Books& books_;
  std::map<std::string, Pods> on_node_;
  std::size_t tries_ = 0;
  std::vector<Move> found_;
};

}  // namespace

std::vector<kube::Pod> movable(const std::vector<kube::Pod>& pods) {
  std::vector<kube::Pod> result;
  for (const kube::Pod& pod : pods) {
    if (pod.node_name.empty() || pod.ended() || pod.terminating || !pod.unmodelled.empty()) continue;
    if (books::group_of(pod, {pod.scheduler_name}) || pod.in_native_group) continue;
    if (pod.controller && (pod.controller->kind == "DaemonSet" || pod.controller->kind == "Node")) continue;
    result.push_back(pod);
  }
  return result;
}

std::vector<Move> find_moves(const group::Question& question, const books::Decision& no,
                             const std::vector<kube::Pod>& movable, books::Books& books) {
  const auto* certified = no.verdict ? std::get_if<CertifiedNo>(&*no.verdict) : nullptr;
  if (certified == nullptr || certified->reason.nearest.empty() || movable.empty() ||
      question.members.size() > kMostMembers)
    return {};
  return MoveSearch(question, no, movable, books).run(certified->reason.nearest.front().domain);
}

}  // namespace muster::offline
