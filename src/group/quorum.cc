#include "group/quorum.h"

#include <fmt/format.h>

#include <algorithm>

namespace muster::group {
namespace {

// Members at the path and below it.
uint32_t total(const std::map<std::string, uint32_t>& numbers, const std::string& path) {
  uint32_t sum = 0;
  for (auto it = numbers.lower_bound(path); it != numbers.end() && it->first.starts_with(path); ++it) {
    const bool below = path.empty() || it->first.size() == path.size() || it->first[path.size()] == '/';
    if (below) sum += it->second;
  }
  return sum;
}

std::string join(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "/" + name;
}

uint32_t all_needed(const Tally& tally, const std::string& path) {
  const uint32_t all = total(tally.exist, path);
  const uint32_t late = total(tally.late, path);
  return late < all ? all - late : all;
}

std::optional<std::string> missing_below(const Constraints& constraints,
                                         const std::vector<SubgroupSpec>& children, const std::string& path,
                                         const Tally& tally);

std::optional<std::string> missing_in(const SubgroupSpec& subgroup, const std::string& path,
                                      const Tally& tally) {
  const uint32_t have = total(tally.have, path);
  const uint32_t need = subgroup.min_member.value_or(all_needed(tally, path));
  if (have < need || have == 0) {
    return fmt::format("subgroup {}: {} of {} members", path, have, std::max<uint32_t>(need, 1));
  }
  return missing_below(subgroup, subgroup.subgroups, path, tally);
}

std::optional<std::string> missing_below(const Constraints& constraints,
                                         const std::vector<SubgroupSpec>& children, const std::string& path,
                                         const Tally& tally) {
  uint32_t standing = 0;
  std::optional<std::string> first;
  for (const SubgroupSpec& child : children) {
    const std::optional<std::string> lack = missing_in(child, join(path, child.name), tally);
    standing += !lack;
    if (lack && !first && (constraints.min_subgroups || child.min_member)) first = lack;
  }
  if (!constraints.min_subgroups) return first;
  if (standing >= *constraints.min_subgroups) return std::nullopt;
  return fmt::format("{}{} of {} subgroups; {}", path.empty() ? "" : "subgroup " + path + ": ", standing,
                     *constraints.min_subgroups, first.value_or("no more are named"));
}

// Adds what the subgroups lack, to the first of them where not all have to stand.
class Filling {
 public:
  explicit Filling(Tally& tally) : tally_(tally) {}
  void fill_below(const Constraints& constraints, const std::vector<SubgroupSpec>& children,
                  const std::string& path) {
    const auto lacks = [&](const SubgroupSpec& child) {
      return missing_in(child, join(path, child.name), tally_).has_value();
    };
    const auto lacking = std::count_if(children.begin(), children.end(), lacks);
    auto standing = static_cast<uint32_t>(static_cast<std::ptrdiff_t>(children.size()) - lacking);
    for (const SubgroupSpec& child : children) {
      const bool needed =
          constraints.min_subgroups ? standing < *constraints.min_subgroups : child.min_member.has_value();
      if (!needed || !lacks(child)) continue;
      const std::string child_path = join(path, child.name);
      fill_below(child, child.subgroups, child_path);
      fill(child_path, std::max<uint32_t>(child.min_member.value_or(1), 1));
      ++standing;
    }
  }
  void fill(const std::string& path, uint32_t need) {
    const uint32_t have = total(tally_.have, path);
    if (have >= need) return;
    tally_.have[path] += need - have;
    tally_.exist[path] += need - have;
    added[path] += need - have;
  }
  std::map<std::string, uint32_t> added;

 private:
  Tally& tally_;
};

bool knows(const std::vector<SubgroupSpec>& children, std::string_view path) {
  const auto slash = path.find('/');
  const std::string_view head = path.substr(0, slash);
  const auto child =
      std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.name == head; });
  if (child == children.end()) return false;
  return slash == std::string_view::npos || child->subgroups.empty() ||
         knows(child->subgroups, path.substr(slash + 1));
}

}  // namespace

std::optional<std::string> missing(const GroupSpec& spec, const Tally& tally) {
  const uint32_t have = total(tally.have, "");
  if (have < spec.min_member) return fmt::format("{} of {} members", have, spec.min_member);
  return missing_below(spec, spec.subgroups, "", tally);
}

std::map<std::string, uint32_t> shortfall(const GroupSpec& spec, Tally tally) {
  Filling filling(tally);
  filling.fill_below(spec, spec.subgroups, "");
  filling.fill("", spec.min_member);
  return std::move(filling.added);
}

Tenure tenure_of(const GroupSpec& spec, const std::string& path) {
  Tenure tenure{"", spec.exclusive};
  const std::vector<SubgroupSpec>* children = &spec.subgroups;
  std::string here;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t slash = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, slash - begin);
    begin = slash + 1;
    const auto child =
        std::find_if(children->begin(), children->end(), [&](const auto& c) { return c.name == name; });
    if (child == children->end()) break;
    here = join(here, name);
    if (!child->exclusive.empty()) tenure = {here, child->exclusive};
    children = &child->subgroups;
  }
  return tenure;
}

bool reaches_minima(const GroupSpec& spec, const Tally& tally, const std::string& path) {
  const std::vector<SubgroupSpec>* children = &spec.subgroups;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t slash = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, slash - begin);
    begin = slash + 1;
    const auto child =
        std::find_if(children->begin(), children->end(), [&](const auto& c) { return c.name == name; });
    if (child == children->end()) return true;
    if (total(tally.have, path.substr(0, slash)) < child->min_member.value_or(0)) return false;
    children = &child->subgroups;
  }
  return true;
}

bool knows(const GroupSpec& spec, const std::string& path) {
  return path.empty() || spec.subgroups.empty() || knows(spec.subgroups, std::string_view(path));
}

}  // namespace muster::group
