#include "witness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "domains.h"
#include "objects.h"

namespace muster::plan_cases {
namespace {

struct Member {
  const Json* pod = nullptr;
  std::string name;
  std::string path;  // of the subgroup
  const Json* node = nullptr;
  std::optional<int64_t> rank;
  bool placed = false;     // now, by the plan
  bool completed = false;  // counts, holds nothing
};

struct Slice {
  int64_t size = 1;
  std::string level;
};

std::string key_of(const Json& pod) {
  return pod["metadata"].value("namespace", "default") + "/" + annotation(pod, "group-name");
}

bool is_below(const std::string& path, const std::string& ancestor) {
  return ancestor.empty() || path == ancestor || path.starts_with(ancestor + "/");
}

std::vector<Slice> slices_of(const std::string& text) {
  std::vector<Slice> slices;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    slices.push_back({std::stoll(item), item.substr(item.find('@') + 1)});
    begin = end + 1;
  }
  return slices;
}

std::optional<int64_t> index_of(const Json& pod) {
  const Json labels = pod["metadata"].value("labels", Json::object());
  std::string text = annotation(pod, "rank");
  for (const char* key : {"batch.kubernetes.io/job-completion-index", "apps.kubernetes.io/pod-index"}) {
    if (text.empty()) text = labels.value(key, "");
  }
  if (text.empty()) return std::nullopt;
  return std::stoll(text);
}

class Witness {
 public:
  explicit Witness(const Case& it) : domains_(it.trees) {
    for (const Json& node : it.nodes) nodes_[node["metadata"]["name"]] = &node;
    for (const Json& pod : it.pods) {
      const std::string node = pod["spec"].value("nodeName", "");
      if (!has_ended(pod) && !node.empty()) {
        on_node_[node].push_back(&pod);
        if (!annotation(pod, "group-name").empty()) seats_.push_back({&pod, node, key_of(pod)});
      }
      if (!annotation(pod, "group-name").empty()) groups_[key_of(pod)].push_back(&pod);
    }
  }

  std::vector<std::string> run(const Json& groups) {
    for (const Json& group : groups) seat(group);
    for (const Json& group : groups) check_group(group);
    check_room();
    return std::move(objections_);
  }

 private:
  template <typename... Args>
  void object(fmt::format_string<Args...> format, Args&&... args) {
    objections_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  static std::string name_of(const Json& group) {
    return group["namespace"].get<std::string>() + "/" + group["name"].get<std::string>();
  }

  // All groups first: exclusive use and room are between groups.
  void seat(const Json& group) {
    std::set<std::string> taken;
    std::set<int64_t> ranks;
    for (const Json& placed : group["pods"]) {
      const std::string name = placed["name"];
      const Json* pod = nullptr;
      for (const Json* candidate : groups_[name_of(group)]) {
        if ((*candidate)["metadata"]["name"] == name) pod = candidate;
      }
      if (!pod || !waits(*pod)) {
        object("{}: {} is no member that waits", name_of(group), name);
        continue;
      }
      if (!taken.insert(name).second) object("{}: {} is placed twice", name_of(group), name);
      if (!ranks.insert(placed["rank"].get<int64_t>()).second)
        object("{}: {} has a rank that another member has", name_of(group), name);
      const auto node = nodes_.find(placed["node"]);
      if (node == nodes_.end()) {
        object("{}: {} is on a node that does not exist", name_of(group), name);
        continue;
      }
      if (!admits(*node->second, *pod)) object("{}: {} does not admit {}", name_of(group), node->first, name);
      on_node_[node->first].push_back(pod);
      seats_.push_back({pod, node->first, name_of(group)});
    }
  }

  void check_group(const Json& group) {
    const std::string name = name_of(group);
    if (group["placed"] != group["pods"].size()) object("{}: placed is not the number of pods", name);
    if (group["verdict"] != "fits") {
      if (!group["pods"].empty()) object("{}: does not fit and is placed", name);
      if (!group.contains("reason") || group["reason"].value("message", "").empty())
        object("{}: no reason", name);
      return;
    }
    if (groups_[name].empty()) return object("{}: the case does not say who its members are", name);
    members_ = members_of(group);
    group_ = name;
    check_domains(group);
    const Json& first = *groups_[name].front();
    Json root = Json::parse(annotation(first, "group-spec").empty() ? "{}" : annotation(first, "group-spec"));
    const auto add = [&](const char* key, const std::string& text) {
      if (!text.empty()) root[key] = text;
    };
    add("topologyRequired", annotation(first, "topology-required"));
    add("slices", annotation(first, "slices"));
    if (const std::string text = annotation(first, "min-member"); !text.empty())
      root["minMember"] = std::stoll(text);
    static_cast<void>(check_tree(root, "", true));
  }

  std::vector<Member> members_of(const Json& group) {
    std::vector<Member> all;
    bool alive = false;
    for (const Json* pod : groups_[name_of(group)]) {
      Member member{pod, (*pod)["metadata"]["name"], annotation(*pod, "subgroup"), nullptr, index_of(*pod)};
      const std::string bound = (*pod)["spec"].value("nodeName", "");
      member.completed = (*pod)["status"].value("phase", "") == "Succeeded";
      const bool lives = !has_ended(*pod) && !(*pod)["metadata"].contains("deletionTimestamp");
      if (lives && nodes_.contains(bound)) member.node = nodes_[bound], alive = true;
      for (const Json& placed : group["pods"]) {
        if (placed["name"] != member.name || !nodes_.contains(placed["node"])) continue;
        member.node = nodes_[placed["node"]];
        member.rank = placed["rank"].get<int64_t>();
        member.placed = true;
      }
      if (lives || member.completed) all.push_back(member);
    }
    // Without a member that runs, those that have completed belong to an earlier life of the name.
    if (!alive) std::erase_if(all, [](const Member& member) { return member.completed; });
    return all;
  }

  void check_domains(const Json& group) {
    for (const std::string& level : domains_.levels()) {
      std::set<std::string> used;
      for (const Member& member : members_) {
        if (!member.placed) continue;
        if (const auto domain = domains_.of(*member.node, level)) used.insert(*domain);
      }
      const auto told = group["domains"].value(level, std::vector<std::string>{});
      if (std::set<std::string>(told.begin(), told.end()) != used || told.size() != used.size())
        object("{}: the domains of level {} are not those of the nodes", group_, level);
    }
  }

  // How many members the subgroup has, and whether it stands.
  struct Standing {
    int64_t members = 0;
    bool stands = false;
  };

  Standing check_tree(const Json& node, const std::string& path, bool obliged) {
    if (const std::string level = node.value("topologyRequired", ""); !level.empty()) one_domain(path, level);
    if (const std::string level = node.value("exclusive", ""); !level.empty()) alone(path, level);
    for (const Slice& slice : slices_of(node.value("slices", ""))) whole_slices(path, slice);

    Standing standing;
    int64_t total = 0;
    for (const Member& member : members_) {
      if (!is_below(member.path, path)) continue;
      ++total;
      standing.members += member.node != nullptr || member.completed;
    }
    const bool counted = node.contains("minSubgroups");
    int64_t below = 0;
    for (const auto& [name, child] : map_at(node, "/subgroups").items()) {
      const std::string child_path = path.empty() ? name : path + "/" + name;
      below += check_tree(child, child_path, !counted && standing.members > 0).stands;
    }
    const int64_t minimum = node.value("minMember", int64_t{0});
    const bool reached = standing.members >= minimum && below >= node.value("minSubgroups", int64_t{0});
    if (!reached && (obliged || standing.members > 0))
      object("{}: {} has {} of {} members and {} subgroups", group_, path.empty() ? "the group" : path,
             standing.members, minimum, below);
    standing.stands = reached && standing.members >= (minimum > 0 ? minimum : total);
    return standing;
  }

  void one_domain(const std::string& path, const std::string& level) {
    std::set<std::string> used;
    for (const Member& member : members_) {
      if (!member.node || !is_below(member.path, path)) continue;
      const auto domain = domains_.of(*member.node, level);
      if (!domain && member.placed) object("{}: {} is in no {}", group_, member.name, level);
      used.insert(domain.value_or("(none)"));
    }
    if (used.size() > 1)
      object("{}: {} is in {} domains of the required level {}", group_, path, used.size(), level);
  }

  void alone(const std::string& path, const std::string& level) {
    std::set<std::string> mine;
    for (const Member& member : members_) {
      if (member.placed && is_below(member.path, path))
        mine.insert(domains_.of(*member.node, level).value_or("(none)"));
    }
    for (const Seat& seat : seats_) {
      if (seat.group == group_ && is_below(annotation(*seat.pod, "subgroup"), path)) continue;
      if (!nodes_.contains(seat.node)) continue;
      if (const auto domain = domains_.of(*nodes_[seat.node], level); domain && mine.contains(*domain))
        object("{}: {} {} is not used alone", group_, level, *domain);
    }
  }

  // Slices count from the subgroup's first member.
  void whole_slices(const std::string& path, const Slice& slice) {
    std::vector<const Member*> members;
    for (const Member& member : members_) {
      if (member.path == path || (path.empty() && member.path.empty())) members.push_back(&member);
    }
    int64_t first = INT64_MAX;
    for (const Member* member : members) first = std::min(first, member->rank.value_or(INT64_MAX));
    if (path.empty()) first = 0;
    std::map<int64_t, std::set<std::string>> used;
    std::map<int64_t, std::pair<int64_t, bool>> filled;  // members with a node; whether it had begun
    for (const Member* member : members) {
      if (!member->rank || !(member->node || member->completed)) continue;
      const int64_t number = (*member->rank - first) / slice.size;
      if (member->completed) {
        filled[number].second = true;
        continue;
      }
      used[number].insert(domains_.of(*member->node, slice.level).value_or("(none)"));
      ++filled[number].first;
      filled[number].second |= !member->placed;
    }
    for (const auto& [number, where] : used) {
      if (where.size() > 1)
        object("{}: slice {} of {}@{} is in {} domains", group_, number, slice.size, slice.level,
               where.size());
    }
    for (const auto& [number, fill] : filled) {
      const int64_t whole = std::min(slice.size, static_cast<int64_t>(members.size()) - number * slice.size);
      if (!fill.second && fill.first < whole)
        object("{}: slice {} of {}@{} has {} of {} members", group_, number, slice.size, slice.level,
               fill.first, whole);
    }
  }

  void check_room() {
    for (const auto& [name, pods] : on_node_) {
      if (!nodes_.contains(name)) continue;
      Amounts used;
      std::set<std::string> asked;  // by members placed now; what is overcommitted otherwise is not our doing
      for (const Json* pod : pods) {
        for (const auto& [resource, amount] : demand_of(*pod)) {
          used[resource] += amount;
          if (waits(*pod) && amount > 0) asked.insert(resource);
        }
      }
      const Amounts room = room_of(*nodes_[name]);
      for (const std::string& resource : asked) {
        const int64_t amount = used[resource];
        const auto has = room.find(resource);
        if (amount > (has == room.end() ? 0 : has->second))
          object("{}: {} is overcommitted, {} of {} thousandths", name, resource, amount,
                 has == room.end() ? 0 : has->second);
      }
    }
  }

  struct Seat {
    const Json* pod = nullptr;
    std::string node;
    std::string group;
  };

  const Domains domains_;
  std::map<std::string, const Json*> nodes_;
  std::map<std::string, std::vector<const Json*>> on_node_;
  std::map<std::string, std::vector<const Json*>> groups_;
  std::vector<Seat> seats_;  // of members of groups
  std::vector<Member> members_;
  std::string group_;
  std::vector<std::string> objections_;
};

}  // namespace

std::vector<std::string> objections(const Case& it, const Json& groups) { return Witness(it).run(groups); }

}  // namespace muster::plan_cases
