#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/resources.h"
#include "muster/verdict.h"

namespace muster {
namespace {

std::string amount_text(const ClusterState& state, ResourceId resource, int64_t amount) {
  return muster::amount_text(state.resource_name(resource), amount);
}

std::string plural(uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

// The most frequent first.
std::string exclusions(const Miss& miss) {
  uint32_t total = 0;
  std::vector<std::pair<uint32_t, Exclusion>> reasons;
  for (std::size_t i = 1; i < miss.excluded.size(); ++i) {
    if (miss.excluded[i] == 0) continue;
    total += miss.excluded[i];
    reasons.emplace_back(miss.excluded[i], static_cast<Exclusion>(i));
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string parts;
  for (const auto& [hosts, reason] : reasons)
    parts += fmt::format("{}{} ({})", parts.empty() ? "" : ", ", to_string(reason), hosts);
  return total == 0 ? "" : fmt::format("; {} excluded: {}", plural(total, "host"), parts);
}

std::string miss_text(const Miss& miss, NoCode code, const ClusterState& state) {
  std::string text = state.topology().describe(miss.domain);
  const std::string_view unit = miss.slices ? " slices" : "";
  if (miss.holds >= miss.wanted && code != NoCode::kMembers && code != NoCode::kSlices)
    text += fmt::format(" has room for each of the {}{} alone, but not for all together", miss.wanted, unit);
  else
    text += fmt::format(" holds {} of {}{}", miss.holds, miss.wanted, unit);
  if (miss.resource && miss.short_by > 0) {
    text += fmt::format(": {} short by {}", state.resource_name(*miss.resource),
                        amount_text(state, *miss.resource, miss.short_by));
    if (miss.short_hosts > 0) text += fmt::format(" on {}", plural(miss.short_hosts, "host"));
  }
  return text + exclusions(miss);
}

std::string remedy_text(const Remedy& remedy, const ClusterState& state) {
  switch (remedy.kind) {
    case Remedy::Kind::kLevel:
      if (remedy.level == kClusterLevel) return "it fits without a required level";
      return fmt::format("it fits at level {}", state.topology().level_name(remedy.level));
    case Remedy::Kind::kMinimum:
      return fmt::format("it fits with a minimum of {}", remedy.minimum);
    case Remedy::Kind::kRoom:
      return fmt::format("it fits if {} frees {} of {}", state.topology().host_name(remedy.host),
                         amount_text(state, remedy.resource, remedy.amount),
                         state.resource_name(remedy.resource));
  }
  return {};
}

std::string placement_text(const Fits& fits, const ClusterState& state) {
  std::string text = fmt::format("{} of {} members in {}", fits.placed + fits.bound, fits.wanted,
                                 state.topology().describe(fits.domain));
  if (fits.bound > 0) text += fmt::format(", {} of them bound before", fits.bound);
  return text;
}

}  // namespace

std::string_view to_string(NoCode code) {
  switch (code) {
    case NoCode::kNoHosts:
      return "no-hosts";
    case NoCode::kMembers:
      return "members";
    case NoCode::kSlices:
      return "slices";
    case NoCode::kRole:
      return "role";
    case NoCode::kResource:
      return "resource";
    case NoCode::kSizes:
      return "sizes";
    case NoCode::kNodeSets:
      return "node-sets";
    case NoCode::kCombination:
      return "combination";
    case NoCode::kSubGroups:
      return "subgroups";
    case NoCode::kBoundMembers:
      return "bound-members";
  }
  return "unknown";
}

std::string describe(const Reason& reason, const PlacementRequest& request, const ClusterState& state) {
  const Topology& topology = state.topology();
  std::string text;
  if (!reason.subgroup.empty()) text += fmt::format("subgroup {}: ", reason.subgroup);
  const std::string_view level =
      reason.level == kClusterLevel ? "cluster" : topology.level_name(reason.level);
  if (reason.code == NoCode::kBoundMembers) {
    text += "members that are bound already are not in one domain of the required level";
  } else if (reason.nearest.empty()) {
    text += fmt::format("there is no {}", level);
    if (!request.members.empty() && reason.domains == 0 && topology.domains(reason.level).size() > 0)
      text += " that holds the members bound already";
  } else {
    text += miss_text(reason.nearest.front(), reason.code, state);
    for (std::size_t i = 1; i < reason.nearest.size(); ++i)
      text += fmt::format("; {} holds {} of {}", topology.describe(reason.nearest[i].domain),
                          reason.nearest[i].holds, reason.nearest[i].wanted);
  }
  for (const Remedy& remedy : reason.remedies) text += "; " + remedy_text(remedy, state);
  return text;
}

std::string describe(const Verdict& verdict, const PlacementRequest& request, const ClusterState& state) {
  if (const auto* fits = std::get_if<Fits>(&verdict)) return placement_text(*fits, state);
  if (const auto* no = std::get_if<CertifiedNo>(&verdict)) return describe(no->reason, request, state);
  const auto& open = std::get<Undecided>(verdict);
  return fmt::format("undecided after {} steps; nearest: {}", open.steps,
                     describe(open.reason, request, state));
}

}  // namespace muster
