#include "embedded/patch.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace muster::embedded {
namespace {

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";
constexpr std::string_view kElementOrder = "$setElementOrder/";

struct MergeKey {
  std::string_view list;
  std::string_view key;
};

// Lists of core/v1 whose elements have an identity. All others are replaced whole.
constexpr std::array kMergeKeys{
    MergeKey{"schedulingGates", "name"},
    MergeKey{"conditions", "type"},
    MergeKey{"containers", "name"},
    MergeKey{"initContainers", "name"},
    MergeKey{"ephemeralContainers", "name"},
    MergeKey{"volumes", "name"},
    MergeKey{"env", "name"},
    MergeKey{"volumeMounts", "mountPath"},
    MergeKey{"ports", "containerPort"},
    MergeKey{"imagePullSecrets", "name"},
    MergeKey{"hostAliases", "ip"},
    MergeKey{"topologySpreadConstraints", "topologyKey"},
    MergeKey{"resourceClaims", "name"},
    MergeKey{"ownerReferences", "uid"},
    MergeKey{"addresses", "type"},
    MergeKey{"podIPs", "ip"},
};

std::string_view merge_key(std::string_view list) {
  for (const MergeKey& entry : kMergeKeys) {
    if (entry.list == list) return entry.key;
  }
  return {};
}

bool is_directive(std::string_view key) { return !key.empty() && key.front() == '$'; }

// "delete", "replace", "merge" or "" of an object.
std::string directive_of(const Json& patch) { return text_at(patch, {kDirective.data()}); }

Answer<void> merge_objects(Json& target, const Json& patch);

// A value that has no counterpart in the target: nulls and directives in it mean nothing and are left out.
Answer<Json> fresh(const Json& patch) {
  if (!patch.is_object()) return patch;
  Json value = Json::object();
  if (auto merged = merge_objects(value, patch); !merged) return tl::unexpected(merged.error());
  return value;
}

void remove_primitives(Json& target, const std::string& list, const Json& values) {
  const auto found = target.find(list);
  if (found == target.end() || !found->is_array()) return;
  Json kept = Json::array();
  for (const Json& value : *found) {
    if (std::find(values.begin(), values.end(), value) == values.end()) kept.push_back(value);
  }
  *found = std::move(kept);
}

Answer<void> merge_element(Json& list, const Json& element, const char* key, std::string_view name) {
  const std::string directive = directive_of(element);
  if (directive == "replace" && element.size() == 1) return {};  // handled for the list as a whole
  const Json& id = at_path(element, {key});
  if (id.is_null())
    return bad_request("an element of {} in the patch lacks \"{}\": {}", name, key, show(element));

  const auto same = [&](const Json& other) { return at_path(other, {key}) == id; };
  const auto found = std::find_if(list.begin(), list.end(), same);
  if (directive == "delete") {
    if (found != list.end()) list.erase(found);
    return {};
  }
  if (found != list.end()) return merge_objects(*found, element);
  auto added = fresh(element);
  if (!added) return tl::unexpected(added.error());
  list.push_back(std::move(*added));
  return {};
}

Answer<void> merge_list(Json& target, const Json& patch, std::string_view name) {
  const std::string_view key = merge_key(name);
  if (key.empty()) {
    target = patch;
    return {};
  }
  const bool replace = std::any_of(patch.begin(), patch.end(), [](const Json& element) {
    return element.size() == 1 && directive_of(element) == "replace";
  });
  if (replace || !target.is_array()) target = Json::array();
  for (const Json& element : patch) {
    if (auto merged = merge_element(target, element, key.data(), name); !merged) return merged;
  }
  return {};
}

Answer<void> merge_directive(Json& target, const std::string& key, const Json& value) {
  if (key == kDirective || key.starts_with(kElementOrder)) return {};
  if (key.starts_with(kDeletePrimitives)) {
    remove_primitives(target, key.substr(kDeletePrimitives.size()), value);
    return {};
  }
  return bad_request("the patch directive \"{}\" is not served", key);
}

Answer<void> merge_value(Json& target, const std::string& key, const Json& value) {
  if (is_directive(key)) return merge_directive(target, key, value);
  if (value.is_null()) {
    target.erase(key);
    return {};
  }
  if (value.is_array()) return merge_list(target[key], value, key);
  if (!value.is_object()) {
    target[key] = value;
    return {};
  }
  if (directive_of(value) == "delete") {
    target.erase(key);
    return {};
  }
  return merge_objects(target[key], value);
}

Answer<void> merge_objects(Json& target, const Json& patch) {
  const std::string directive = directive_of(patch);
  if (!directive.empty() && directive != "replace" && directive != "delete" && directive != "merge") {
    return bad_request("\"$patch\": \"{}\" is not served", directive);
  }
  if (!target.is_object() || directive == "replace") target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (auto merged = merge_value(target, key, value); !merged) return merged;
  }
  return {};
}

}  // namespace

void merge_patch(Json& target, const Json& patch) { target.merge_patch(patch); }

Answer<void> strategic_merge_patch(Json& target, const Json& patch) {
  if (!patch.is_object()) return bad_request("a patch must be an object, not {}", show(patch));
  return merge_objects(target, patch);
}

}  // namespace muster::embedded
