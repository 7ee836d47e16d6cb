#include "offline/planner.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/error.h"
#include "books/annotations.h"
#include "group/agreement.h"
#include "group/rank.h"
#include "muster/verdict.h"

namespace muster::offline {
namespace {

using group::GroupKey;

struct Gang {
  GroupKey key;
  group::Members members;
  std::size_t staying = 0;  // have neither ended nor are being deleted
  std::size_t appeared = 0;
  int32_t priority = INT32_MIN;
  int64_t created = INT64_MAX;

  [[nodiscard]] bool waits() const {
    return std::any_of(members.begin(), members.end(),
                       [](const auto& entry) { return entry.second.available(); });
  }
};

// Offline every pod with the annotations is a member, whichever scheduler it names; gates of others are no
// obstacle.
std::vector<Gang> collect(const Input& input, const group::Limits& limits, books::Books& books) {
  std::map<GroupKey, Gang> gangs;
  for (const kube::Pod& pod : input.pods) {
    const std::optional<GroupKey> key = books::group_of(pod, {pod.scheduler_name});
    if (!key) {
      books.upsert_pod(pod);
      continue;
    }
    const auto [found, fresh] = gangs.try_emplace(*key);
    Gang& gang = found->second;
    if (fresh) gang.key = *key, gang.appeared = gangs.size();
    group::Member member = books::member_of(kube::Pod(pod), books::parse_spec(pod.annotations));
    if (member.spec) group::reject_unless(group::check(*member.spec, limits), member);
    gang.staying += !member.ended() && !member.terminating;
    group::reject_unless(group::check_size(gang.staying, limits.members_per_group), member);
    const books::NodeSets& sets = books.node_sets();
    member.node_set = sets.held_by(key->ns, pod.node_set);
    if (member.node_set == kEveryHost &&
        group::reject_unless(group::check_node_sets(sets.held_by(key->ns), limits), member))
      member.node_set = books.intern_node_set(pod.node_set);
    books.upsert_member(*key, member);
    member.other_gates = false;
    gang.priority = std::max(gang.priority, member.priority);
    if (member.available() && member.creation_seconds > 0)
      gang.created = std::min(gang.created, member.creation_seconds);
    gang.members.put(std::make_unique<group::Member>(std::move(member)));
  }
  std::vector<Gang> all;
  for (auto& [key, gang] : gangs) {
    if (gang.waits()) all.push_back(std::move(gang));
  }
  return all;
}

void sort(std::vector<Gang>& gangs, Order order) {
  std::sort(gangs.begin(), gangs.end(), [&](const Gang& a, const Gang& b) {
    if (order == Order::kInput) return a.appeared < b.appeared;
    return std::tuple(-int64_t{a.priority}, a.created, a.appeared) <
           std::tuple(-int64_t{b.priority}, b.created, b.appeared);
  });
}

// The question the group itself would put; its members must agree.
Result<group::Question> question_of(const Gang& gang) {
  group::Agreement agreement;
  for (const auto& [uid, member] : gang.members) agreement.heard(gang.members, uid);
  if (!agreement.dissent().empty()) return invalid("{}", agreement.dissent());

  const group::Ranks rank = group::assign_ranks(gang.members);
  group::Question question{gang.key, *agreement.spec(), {}, {}, {}, {}, {}};
  std::map<std::string, uint32_t> completed;
  for (const auto& [uid, member] : gang.members) {
    if (member.available()) question.members.push_back(&member);
    if (member.live()) question.fixed.push_back({{uid, member.node}, member.subgroup, rank.at(uid)});
    if (member.succeeded) ++completed[member.subgroup];
  }
  // Without a member that runs, those that have ended belong to an earlier life of the name.
  if (!question.fixed.empty()) {
    question.completed = std::move(completed);
    question.first_ranks = group::first_ranks(gang.members, rank);
  }
  std::sort(question.members.begin(), question.members.end(),
            [&](const group::Member* x, const group::Member* y) {
              return rank.at(x->pod.uid) < rank.at(y->pod.uid);
            });
  for (const group::Member* member : question.members) question.ranks.push_back(rank.at(member->pod.uid));
  return question;
}

std::map<std::string, uint32_t> named(const std::array<uint32_t, kExclusionCount>& excluded) {
  std::map<std::string, uint32_t> by_reason;
  for (std::size_t i = 1; i < excluded.size(); ++i) {
    if (excluded[i] > 0) by_reason[std::string(to_string(static_cast<Exclusion>(i)))] = excluded[i];
  }
  return by_reason;
}

void explain(const Reason& reason, const ClusterState& cluster, GroupReport& report) {
  const Topology& topology = cluster.topology();
  report.code = to_string(reason.code);
  report.subgroup = reason.subgroup;
  for (const Miss& miss : reason.nearest) {
    NearMiss& near = report.nearest.emplace_back();
    near.level = topology.level_name(miss.level);
    if (miss.domain != kNoDomain) near.domain = topology.value(miss.domain);
    near.holds = miss.holds;
    near.wanted = miss.wanted;
    near.counts = miss.slices ? "slices" : "members";
    near.hosts = miss.hosts;
    if (miss.resource) near.resource = cluster.resource_name(*miss.resource);
    near.short_by = miss.short_by;
    near.short_hosts = miss.short_hosts;
    near.excluded = named(miss.excluded);
  }
  for (const muster::Remedy& remedy : reason.remedies) {
    Remedy& shown = report.remedies.emplace_back();
    switch (remedy.kind) {
      case muster::Remedy::Kind::kLevel:
        shown.kind = "level";
        shown.level = topology.level_name(remedy.level);
        break;
      case muster::Remedy::Kind::kMinimum:
        shown.kind = "minimum";
        shown.minimum = remedy.minimum;
        break;
      case muster::Remedy::Kind::kRoom:
        shown.kind = "room";
        shown.node = topology.host_name(remedy.host);
        shown.resource = cluster.resource_name(remedy.resource);
        shown.amount = remedy.amount;
        break;
    }
  }
}

struct NamedLevel {
  LevelId id = kClusterLevel;
  std::string name;
};

// A name that two trees use is told with its tree.
std::vector<NamedLevel> named_levels(const Topology& topology, const std::vector<books::TreeLabels>& trees) {
  std::vector<NamedLevel> all;
  for (std::size_t tree = 0; tree < trees.size(); ++tree) {
    for (const LevelId level : topology.tree_levels(tree)) {
      if (level == kClusterLevel || level == topology.host_level()) continue;
      const std::string name(topology.level_name(level));
      all.push_back({level, topology.find_level(name) ? name : trees[tree].name + "/" + name});
    }
  }
  return all;
}

void place(const muster::Fits& fits, const group::Question& question, const std::vector<NamedLevel>& levels,
           books::Books& books, GroupReport& report) {
  const ClusterState& cluster = books.cluster();
  const Topology& topology = cluster.topology();
  report.bound = fits.bound;
  std::vector<std::pair<const group::Member*, std::string>> seats;
  for (const Assignment& assignment : fits.placement) {
    const group::Member& member = *question.members[assignment.member];
    PlacedPod& pod = report.pods.emplace_back();
    pod.name = member.pod.name;
    pod.node = topology.host_name(assignment.host);
    pod.rank = question.ranks[assignment.member];
    for (const NamedLevel& level : levels) {
      const DomainId domain = topology.domain_of(assignment.host, level.id);
      pod.domains.push_back(domain == kNoDomain ? "" : topology.value(domain));
    }
    seats.emplace_back(&member, pod.node);
  }
  std::sort(report.pods.begin(), report.pods.end(),
            [](const PlacedPod& a, const PlacedPod& b) { return a.rank < b.rank; });
  for (std::size_t i = 0; i < report.levels.size(); ++i) {
    std::vector<std::string>& used = report.domains[report.levels[i]];
    std::set<std::string> seen;
    for (const PlacedPod& pod : report.pods) {
      if (!pod.domains[i].empty() && seen.insert(pod.domains[i]).second) used.push_back(pod.domains[i]);
    }
  }
  for (const auto& [member, node] : seats) MUSTER_CHECK(books.reserve(question.key, *member, node));
}

void propose_moves(const group::Question& question, const books::Decision& no,
                   const std::vector<kube::Pod>& movable, books::Books& books, GroupReport& report) {
  std::vector<Move> moves = find_moves(question, no, movable, books);
  if (moves.empty()) return;
  report.message += moves.size() == 1 ? "; it fits if a pod moves:" : "; it fits if pods move:";
  for (const Move& move : moves)
    report.message +=
        fmt::format("{} {} from {} to {}", &move == &moves.front() ? "" : ",", move.pod, move.from, move.to);
  report.remedies.push_back({"moves", "", 0, "", "", 0, std::move(moves)});
}

GroupReport plan_one(const Gang& gang, const std::vector<NamedLevel>& levels,
                     const std::vector<kube::Pod>& movable, books::Books& books,
                     const std::function<int64_t()>& micros) {
  GroupReport report;
  report.key = gang.key;
  for (const auto& [uid, member] : gang.members) report.wanted += member.available();
  for (const NamedLevel& level : levels) report.levels.push_back(level.name);

  const int64_t begin = micros();
  const Result<group::Question> question = question_of(gang);
  const books::Decision decision =
      question ? books.decide(*question) : books::Decision{{}, tl::unexpected(question.error())};
  report.micros = micros() - begin;
  if (!decision.verdict) {
    report.outcome = Outcome::kRejected;
    report.code = "rejected";
    report.message = decision.verdict.error().message;
    return report;
  }
  if (const auto* fits = std::get_if<muster::Fits>(&*decision.verdict)) {
    report.steps = fits->steps;
    place(*fits, *question, levels, books, report);
    return report;
  }
  report.message = describe(*decision.verdict, decision.request, books.cluster());
  if (const auto* no = std::get_if<CertifiedNo>(&*decision.verdict)) {
    report.outcome = Outcome::kNo;
    report.steps = no->steps;
    explain(no->reason, books.cluster(), report);
    propose_moves(*question, decision, movable, books, report);
    report.message += books::left_out(*question);
  } else if (const auto* undecided = std::get_if<muster::Undecided>(&*decision.verdict)) {
    report.outcome = Outcome::kUndecided;
    report.steps = undecided->steps;
    explain(undecided->reason, books.cluster(), report);
    report.code = "undecided";
  }
  return report;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kFits:
      return "fits";
    case Outcome::kNo:
      return "no";
    case Outcome::kUndecided:
      return "undecided";
    case Outcome::kRejected:
      return "rejected";
  }
  return "unknown";
}

std::vector<GroupReport> plan(const Input& input, const Settings& settings,
                              const std::function<int64_t()>& micros) {
  books::Books books(settings.trees, settings.solving);
  books.replace_nodes(input.nodes);
  std::vector<Gang> gangs = collect(input, settings.limits, books);
  sort(gangs, settings.order);
  // Columns and node sets of all members first, so that a decision's time is the solver's and not the
  // set-up's.
  for (const Gang& gang : gangs) {
    for (const auto& [uid, member] : gang.members) books.prepare(member);
  }
  const std::vector<NamedLevel> levels = named_levels(books.cluster().topology(), settings.trees);
  const std::vector<kube::Pod> may_move = movable(input.pods);
  std::vector<GroupReport> reports;
  for (const Gang& gang : gangs) reports.push_back(plan_one(gang, levels, may_move, books, micros));
  return reports;
}

}  // namespace muster::offline
