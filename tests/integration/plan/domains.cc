#include "domains.h"

#include <stdexcept>

namespace muster::plan_cases {
namespace {

std::string value_of(const Json& node, const Json& keys) {
  const Json labels = node["metadata"].value("labels", Json::object());
  for (const Json& key : keys) {
    const std::string value = labels.value(key.get<std::string>(), "");
    if (!value.empty()) return value;
  }
  return {};
}

bool is_called(const Json& tree, const Json& level, const std::string& name) {
  if (level["name"] == name ||
      tree["name"].get<std::string>() + "/" + level["name"].get<std::string>() == name)
    return true;
  for (const Json& key : level["labels"]) {
    if (key == name) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> Domains::of(const Json& node, const std::string& level) const {
  if (level == "host" || level == "kubernetes.io/hostname")
    return node["metadata"]["name"].get<std::string>();
  for (const Json& tree : trees_) {
    std::string path;
    for (const Json& candidate : tree["levels"]) {
      const std::string value = value_of(node, candidate["labels"]);
      if (!value.empty()) path += (path.empty() ? "" : "/") + value;
      if (!is_called(tree, candidate, level)) continue;
      if (value.empty()) return std::nullopt;
      return path;
    }
  }
  throw std::invalid_argument("the witness does not know the level " + level);
}

std::vector<std::string> Domains::levels() const {
  std::vector<std::string> names;
  const auto times = [&](const Json& name) {
    int count = 0;
    for (const Json& tree : trees_) {
      for (const Json& level : tree["levels"]) count += level["name"] == name;
    }
    return count;
  };
  for (const Json& tree : trees_) {
    for (const Json& level : tree["levels"]) {
      const std::string name = level["name"];
      names.push_back(times(name) > 1 ? tree["name"].get<std::string>() + "/" + name : name);
    }
  }
  return names;
}

}  // namespace muster::plan_cases
