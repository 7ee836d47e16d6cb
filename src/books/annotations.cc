#include "books/annotations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/duration.h"
#include "base/names.h"
#include "base/pod_keys.h"
#include "base/text.h"
#include "books/group_spec.h"
#include "group/quorum.h"
#include "muster/request.h"

namespace muster::books {
namespace {

constexpr std::array kKnown = std::to_array<std::string_view>(
    {keys::kGroupName, keys::kMinMember, keys::kTopologyRequired, keys::kTopologyPreferred, keys::kSlices,
     keys::kSubgroup, keys::kGroupSpec, keys::kRank, keys::kPlan, keys::kHoldTimeout, keys::kDomain,
     keys::kFailurePolicy, keys::kFailureGrace, keys::kDisruptionBudgets, keys::kLetGo, keys::kRestarts});

// What is said of one member alone, or written by Muster. All else is the group's request.
constexpr std::array kOfMember = std::to_array<std::string_view>(
    {keys::kSubgroup, keys::kRank, keys::kPlan, keys::kDomain, keys::kLetGo, keys::kRestarts});

bool is_of_member(const kube::StringMap::value_type& annotation) {
  return std::find(kOfMember.begin(), kOfMember.end(), annotation.first) != kOfMember.end();
}

// A pod has a few of them, and a look at each costs less than a string to search with.
const std::string* find(const kube::StringMap& map, std::string_view key) {
  const auto it = std::find_if(map.begin(), map.end(), [&](const auto& entry) { return entry.first == key; });
  return it == map.end() ? nullptr : &it->second;
}

Result<int64_t> parse_integer(const std::string& key, const std::string& text, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return invalid("{}: {} is not a whole number from {} to {}", key, quoted(text), least, most);
  }
  return value;
}

std::string unknown_key(std::string_view key) {
  return fmt::format("{}: unknown annotation; the nearest known one is {}", key, nearest(key, kKnown));
}

Result<void> check_keys(const kube::StringMap& annotations) {
  for (const auto& [key, value] : annotations) {
    if (!key.starts_with(keys::kPrefix) || std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end())
      continue;
    return fail(ErrorCode::kInvalid, "{}", unknown_key(key));
  }
  return {};
}

Result<void> read_failure(const kube::StringMap& annotations, group::GroupSpec& spec) {
  using group::FailurePolicy;
  if (const std::string* text = find(annotations, keys::kFailurePolicy)) {
    if (*text == "Restart") {
      spec.failure_policy = FailurePolicy::kRestart;
    } else if (*text == "Ignore") {
      spec.failure_policy = FailurePolicy::kIgnore;
    } else if (*text != "Repair") {
      return invalid("muster.dev/failure-policy: {} is none of Repair, Restart, Ignore", quoted(*text));
    }
  }
  if (const std::string* text = find(annotations, keys::kFailureGrace)) {
    const Result<Duration> grace = parse_duration(*text);
    if (!grace) return invalid("muster.dev/failure-grace: {}", grace.error().message);
    if (*grace > Duration(24 * 3'600'000))
      return invalid("muster.dev/failure-grace: {} is longer than 24h", quoted(*text));
    spec.failure_grace = *grace;
  }
  if (const std::string* text = find(annotations, keys::kDisruptionBudgets)) {
    if (*text != "Obey" && *text != "Ignore")
      return invalid("muster.dev/disruption-budgets: {} is none of Obey, Ignore", quoted(*text));
    spec.obey_budgets = *text == "Obey";
  }
  return {};
}

// The first of the three sources that is there and is a number. A wrong one of Muster's own is reported by
// parse_spec.
std::optional<int64_t> index_of(const kube::Pod& pod) {
  const std::string* text = find(pod.annotations, keys::kRank);
  if (!text) text = find(pod.labels, "batch.kubernetes.io/job-completion-index");
  if (!text) text = find(pod.labels, "apps.kubernetes.io/pod-index");
  if (!text) return std::nullopt;
  const Result<int64_t> value = parse_integer("rank", *text, 0, INT32_MAX);
  return value ? std::optional(*value) : std::nullopt;
}

}  // namespace

std::optional<group::GroupKey> group_of(const kube::Pod& pod,
                                        const std::vector<std::string>& scheduler_names) {
  const std::string* name = find(pod.annotations, keys::kGroupName);
  const bool ours =
      std::find(scheduler_names.begin(), scheduler_names.end(), pod.scheduler_name) != scheduler_names.end();
  if (!name || !ours || pod.in_native_group) return std::nullopt;
  return group::GroupKey{pod.ns, *name};
}

std::string without_group(std::string_view key) {
  const bool known = std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end();
  const std::string what = known ? fmt::format("{} is set", key) : unknown_key(key);
  return fmt::format("{}; without muster.dev/group-name the pod is in no group", what);
}

namespace {

Result<group::GroupSpec> parse_request(const kube::StringMap& annotations) {
  if (Result<void> known = check_keys(annotations); !known) return tl::unexpected(known.error());
  const std::string* name = find(annotations, keys::kGroupName);
  if (const Result<void> label = check_dns_label(name ? *name : ""); !label)
    return invalid("muster.dev/group-name: {}", label.error().message);
  group::GroupSpec spec;
  const std::string* minimum = find(annotations, keys::kMinMember);
  const std::string* long_form = find(annotations, keys::kGroupSpec);
  std::optional<uint32_t> min_member;
  if (minimum) {
    const Result<int64_t> parsed = parse_integer(keys::kMinMember, *minimum, 1, int64_t{kMaxMembers});
    if (!parsed) return tl::unexpected(parsed.error());
    min_member = static_cast<uint32_t>(*parsed);
    spec.min_member = *min_member;
  } else if (!long_form) {
    return invalid("muster.dev/min-member: missing; it has to be a whole number of at least 1");
  }
  if (const std::string* level = find(annotations, keys::kTopologyRequired)) {
    if (level->empty()) return invalid("muster.dev/topology-required: \"\" is not a level");
    spec.topology_required = *level;
  }
  if (const std::string* level = find(annotations, keys::kTopologyPreferred)) {
    if (level->empty()) return invalid("muster.dev/topology-preferred: \"\" is not a level");
    spec.topology_preferred = *level;
  }
  if (const std::string* text = find(annotations, keys::kHoldTimeout)) {
    const Result<Duration> timeout = parse_duration(*text);
    if (!timeout) return invalid("muster.dev/hold-timeout: {}", timeout.error().message);
    if (*timeout < Duration(1'000) || *timeout > Duration(24 * 3'600'000)) {
      return invalid("muster.dev/hold-timeout: {} is not between 1s and 24h", quoted(*text));
    }
    spec.hold_timeout = *timeout;
  }
  if (Result<void> read = read_failure(annotations, spec); !read) return tl::unexpected(read.error());
  if (const std::string* text = find(annotations, keys::kSlices)) {
    Result<std::vector<group::SliceSpec>> slices = parse_slices(*text);
    if (!slices) return invalid("muster.dev/slices: {}", slices.error().message);
    spec.slices = std::move(*slices);
  }
  if (long_form) {
    if (Result<void> applied = apply_group_spec(*long_form, min_member, spec); !applied) {
      return tl::unexpected(applied.error());
    }
  }
  return spec;
}

Result<void> check_member(const kube::StringMap& annotations, const group::GroupSpec& spec) {
  for (const auto& [name, value] : annotations) {
    const std::string_view key = name;
    if (key == keys::kRank) {
      if (Result<int64_t> rank = parse_integer(name, value, 0, INT32_MAX); !rank)
        return tl::unexpected(rank.error());
    } else if (key == keys::kSubgroup && !group::knows(spec, value)) {
      return invalid("muster.dev/subgroup: {} is not among the subgroups of muster.dev/group-spec",
                     muster::quoted(value));
    }
  }
  return {};
}

}  // namespace

bool SpecReader::has_read(const kube::StringMap& annotations) const {
  auto known = asked_.begin();
  for (const auto& annotation : annotations) {
    if (known != asked_.end() && *known == annotation)
      ++known;
    else if (!is_of_member(annotation))
      return false;
  }
  return known == asked_.end() && request_;
}

group::SharedSpec SpecReader::read(const kube::StringMap& annotations) {
  if (!has_read(annotations)) {
    asked_ = annotations;
    std::erase_if(asked_, is_of_member);
    request_ = parse_request(annotations);
  }
  if (!*request_) return *request_;
  if (Result<void> sound = check_member(annotations, **request_); !sound)
    return tl::unexpected(sound.error());
  return *request_;
}

Result<group::GroupSpec> parse_spec(const kube::StringMap& annotations) {
  return SpecReader().read(annotations).result();
}

group::Member member_of(kube::Pod&& pod, group::SharedSpec spec) {
  group::Member member;
  member.spec = std::move(spec);
  member.index = index_of(pod);
  if (pod.controller) {
    member.controller = std::move(pod.controller->name);
    member.controller_uid = std::move(pod.controller->uid);
  }
  member.creation_seconds = pod.creation_seconds;
  member.priority = pod.priority;
  for (const std::string& gate : pod.scheduling_gates) {
    (gate == keys::kHold ? member.held_by_gate : member.other_gates) = true;
  }
  member.terminating = pod.terminating;
  member.succeeded = pod.phase == kube::PodPhase::kSucceeded;
  member.failed = pod.phase == kube::PodPhase::kFailed;
  member.containers_ready = pod.phase == kube::PodPhase::kRunning && pod.containers_ready;
  member.readiness_gate = std::find(pod.readiness_gates.begin(), pod.readiness_gates.end(),
                                    keys::kGroupReady) != pod.readiness_gates.end();
  member.shown_ready = pod.group_ready;
  for (auto& [name, value] : pod.annotations) {
    const std::string_view key = name;
    if (key == keys::kPlan) member.plan = std::move(value);
    if (key == keys::kSubgroup) member.subgroup = std::move(value);
    if (key == keys::kLetGo) member.mark = std::move(value);
    if (key == keys::kRestarts)
      member.restarts = static_cast<uint32_t>(parse_integer(name, value, 0, 1'000'000).value_or(0));
  }
  member.pod = {std::move(pod.ns), std::move(pod.name), std::move(pod.uid)};
  member.version = std::move(pod.resource_version);
  member.demand = std::move(pod.requests);
  member.node = std::move(pod.node_name);
  member.nominated_node = std::move(pod.nominated_node);
  member.unschedulable_message = std::move(pod.unschedulable_message);
  member.unmodelled = std::move(pod.unmodelled);
  return member;
}

}  // namespace muster::books
