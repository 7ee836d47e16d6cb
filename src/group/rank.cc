#include "group/rank.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

namespace muster::group {
namespace {

using MemberRef = const Member*;

bool older(MemberRef a, MemberRef b) {
  return std::tie(a->creation_seconds, a->pod.name, a->pod.uid) <
         std::tie(b->creation_seconds, b->pod.name, b->pod.uid);
}

bool by_controller_and_index(MemberRef a, MemberRef b) {
  const auto key = [](MemberRef m) {
    return std::pair(m->controller, m->index.value_or(std::numeric_limits<int64_t>::max()));
  };
  const auto left = key(a);
  const auto right = key(b);
  return left != right ? left < right : older(a, b);
}

bool indices_repeat(const std::vector<MemberRef>& members) {
  std::vector<int64_t> indices;
  for (MemberRef m : members)
    if (m->index) indices.push_back(*m->index);
  std::sort(indices.begin(), indices.end());
  return std::adjacent_find(indices.begin(), indices.end()) != indices.end();
}

}  // namespace

Ranks assign_ranks(const Members& members) {
  std::vector<MemberRef> current;
  for (const auto& [uid, member] : members) {
    if (!member.ended() && !member.terminating && !member.lost()) current.push_back(&member);
  }
  const bool repeat = indices_repeat(current);
  std::sort(current.begin(), current.end(), repeat ? by_controller_and_index : older);

  Ranks ranks;
  std::set<int64_t> used;
  for (MemberRef m : current) {
    const bool keeps = m->index && (!repeat || m->bound());
    if (keeps && used.insert(*m->index).second) ranks[m->pod.uid] = *m->index;
  }
  int64_t next = 0;
  for (MemberRef m : current) {
    if (ranks.contains(m->pod.uid)) continue;
    while (used.contains(next)) ++next;
    ranks[m->pod.uid] = next++;
  }
  return ranks;
}

std::map<std::string, int64_t> first_ranks(const Members& members, const Ranks& ranks,
                                           const std::set<std::string>& past) {
  std::set<int64_t> held;
  for (const auto& [uid, rank] : ranks) held.insert(rank);
  std::map<std::string, int64_t> first;
  for (const auto& [uid, member] : members) {
    const auto has = ranks.find(uid);
    const bool had = member.bound() && member.index && !past.contains(uid) && !held.contains(*member.index);
    if (has == ranks.end() && !had) continue;
    const int64_t rank = has != ranks.end() ? has->second : *member.index;
    int64_t& lowest = first.try_emplace(member.subgroup, rank).first->second;
    lowest = std::min(lowest, rank);
  }
  return first;
}

}  // namespace muster::group
