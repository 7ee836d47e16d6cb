#include "books/group_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "muster/request.h"

namespace muster::books {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 8> kKeys = {"minMember",         "minSubgroups", "topologyRequired",
                                                   "topologyPreferred", "slices",       "exclusive",
                                                   "placement",         "subgroups"};

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

tl::unexpected<Error> wrong(const std::string& path, std::string_view what) {
  return invalid("muster.dev/group-spec: {}: {}", path, what);
}

std::string shown(const Json& value) {
  return muster::quoted(value.is_string() ? value.get_ref<const std::string&>()
                                          : value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// Watches the parser for depth, and for a key that stands twice in one object: of these it would keep the
// last without a word.
class ParserWatch {
 public:
  bool see(int at, Json::parse_event_t event, const Json& parsed) {
    const auto depth = static_cast<std::size_t>(at);
    if (depth > 4 * kMaxSpecDepth) return false;
    if (event == Json::parse_event_t::object_start) {
      seen_.resize(std::max(seen_.size(), depth + 2));
      seen_[depth + 1].clear();
    } else if (event == Json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      path_.resize(depth);
      path_.back() = name;
      if (!seen_[depth].insert(name).second && repeated_.empty())
        for (const std::string& step : path_) repeated_ = join(repeated_, step);
    }
    return true;
  }
  [[nodiscard]] const std::string& repeated() const { return repeated_; }  // its path; empty: there is none

 private:
  std::vector<std::set<std::string>> seen_;  // by depth, in the object that is open there
  std::vector<std::string> path_;
  std::string repeated_;
};

// Reads the keys of one node of the tree. The reader stops at the first error and keeps it.
class NodeReader {
 public:
  NodeReader(const Json& node, std::string path) : node_(node), path_(std::move(path)) {}

  Result<void> check_keys() const {
    if (!node_.is_object()) return wrong(path_.empty() ? "$" : path_, shown(node_) + " is not an object");
    for (const auto& [key, value] : node_.items()) {
      if (std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end()) continue;
      return wrong(join(path_, key),
                   "unknown key; the nearest known one is " + std::string(nearest(key, kKeys)));
    }
    return {};
  }

  Result<std::optional<uint32_t>> count(const char* key, uint32_t least) const {
    const auto found = node_.find(key);
    if (found == node_.end()) return std::nullopt;
    const bool whole = found->is_number_integer() || found->is_number_unsigned();
    const int64_t value = whole ? found->get<int64_t>() : -1;
    if (!whole || value < least || value > int64_t{kMaxMembers}) {
      return wrong(join(path_, key),
                   fmt::format("{} is not a whole number from {} to {}", shown(*found), least, kMaxMembers));
    }
    return static_cast<uint32_t>(value);
  }

  Result<std::string> text(const char* key) const {
    const auto found = node_.find(key);
    if (found == node_.end()) return std::string();
    if (!found->is_string() || found->get_ref<const std::string&>().empty()) {
      return wrong(join(path_, key), shown(*found) + " is not a level");
    }
    return found->get<std::string>();
  }

  Result<void> constraints(group::Constraints& into) const {
    const Result<std::string> required = text("topologyRequired");
    if (!required) return tl::unexpected(required.error());
    const Result<std::string> preferred = text("topologyPreferred");
    if (!preferred) return tl::unexpected(preferred.error());
    const Result<std::string> exclusive = text("exclusive");
    if (!exclusive) return tl::unexpected(exclusive.error());
    const Result<std::optional<uint32_t>> min_subgroups = count("minSubgroups", 0);
    if (!min_subgroups) return tl::unexpected(min_subgroups.error());
    into.topology_required = *required;
    into.topology_preferred = *preferred;
    into.exclusive = *exclusive;
    into.min_subgroups = *min_subgroups;
    if (const auto slices = node_.find("slices"); slices != node_.end()) {
      if (!slices->is_string())
        return wrong(join(path_, "slices"), shown(*slices) + " is not text such as 16@block,4@rack");
      Result<std::vector<group::SliceSpec>> parsed = parse_slices(slices->get_ref<const std::string&>());
      if (!parsed) return wrong(join(path_, "slices"), parsed.error().message);
      into.slices = std::move(*parsed);
    }
    if (const auto placement = node_.find("placement"); placement != node_.end()) {
      if (*placement != "Pack" && *placement != "Spread") {
        return wrong(join(path_, "placement"), shown(*placement) + " is neither Pack nor Spread");
      }
      into.spread = *placement == "Spread";
    }
    return {};
  }

  Result<std::vector<group::SubgroupSpec>> subgroups(std::size_t depth, std::size_t& budget) const {
    std::vector<group::SubgroupSpec> all;
    const auto found = node_.find("subgroups");
    if (found == node_.end()) return all;
    const std::string path = join(path_, "subgroups");
    if (!found->is_object()) return wrong(path, shown(*found) + " is not an object");
    if (depth == kMaxSpecDepth) return wrong(path, fmt::format("nested deeper than {}", kMaxSpecDepth));
    for (const auto& [name, child] : found->items()) {
      if (budget-- == 0) return wrong(path, fmt::format("more than {} subgroups", kMaxSubgroups));
      if (name.empty() || name.find('/') != std::string::npos) {
        return wrong(path, muster::quoted(name) + " is not a name: it is empty or has a '/'");
      }
      const NodeReader reader(child, join(path, name));
      group::SubgroupSpec& subgroup = all.emplace_back();
      subgroup.name = name;
      if (Result<void> known = reader.check_keys(); !known) return tl::unexpected(known.error());
      if (Result<void> read = reader.constraints(subgroup); !read) return tl::unexpected(read.error());
      const Result<std::optional<uint32_t>> minimum = reader.count("minMember", 1);
      if (!minimum) return tl::unexpected(minimum.error());
      subgroup.min_member = *minimum;
      Result<std::vector<group::SubgroupSpec>> below = reader.subgroups(depth + 1, budget);
      if (!below) return tl::unexpected(below.error());
      subgroup.subgroups = std::move(*below);
    }
    return all;
  }

 private:
  const Json& node_;
  const std::string path_;
};

// Sets `into` to what the long form says; the short key, where it is set, has to say the same.
Result<void> agree(const char* key, const char* short_key, std::string& into, const std::string& said) {
  if (!into.empty() && !said.empty() && into != said) {
    return wrong(key, fmt::format("{} here, but muster.dev/{} is {}", muster::quoted(said), short_key,
                                  muster::quoted(into)));
  }
  if (!said.empty()) into = said;
  return {};
}

}  // namespace

Result<std::vector<group::SliceSpec>> parse_slices(std::string_view text) {
  std::vector<group::SliceSpec> slices;
  for (std::string_view rest = text; !rest.empty() || slices.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(item.size());
    const std::size_t sign = item.find('@');
    uint32_t size = 0;
    const char* end = item.data() + (sign == std::string_view::npos ? 0 : sign);
    const auto [stop, error] = std::from_chars(item.data(), end, size);
    if (error != std::errc() || stop != end || size == 0 || size > kMaxMembers || sign + 1 == item.size()) {
      return invalid("{} is not SIZE@LEVEL, such as 16@block", muster::quoted(item));
    }
    slices.push_back({size, std::string(item.substr(sign + 1))});
    if (rest.size() == 1) return invalid("{} ends with a comma", muster::quoted(text));
    if (!rest.empty()) rest.remove_prefix(1);
  }
  return slices;
}

Result<void> apply_group_spec(std::string_view text, std::optional<uint32_t> min_member,
                              group::GroupSpec& spec) {
  ParserWatch watch;
  const Json root = Json::parse(
      text,
      [&](int depth, Json::parse_event_t event, const Json& parsed) {
        return watch.see(depth, event, parsed);
      },
      false);
  if (root.is_discarded()) return invalid("muster.dev/group-spec: {} is not JSON", muster::quoted(text));
  if (!watch.repeated().empty()) return wrong(watch.repeated(), "stands twice");
  const NodeReader reader(root, "");
  if (Result<void> known = reader.check_keys(); !known) return known;

  group::Constraints said;
  if (Result<void> read = reader.constraints(said); !read) return read;
  const Result<std::optional<uint32_t>> minimum = reader.count("minMember", 1);
  if (!minimum) return tl::unexpected(minimum.error());
  if (min_member && *minimum && **minimum != *min_member) {
    return wrong("minMember",
                 fmt::format("{} here, but muster.dev/min-member is {}", **minimum, *min_member));
  }
  if (*minimum) spec.min_member = **minimum;
  if (!min_member && !*minimum)
    return wrong("minMember", "missing, and muster.dev/min-member is not set either");
  if (Result<void> same =
          agree("topologyRequired", "topology-required", spec.topology_required, said.topology_required);
      !same) {
    return same;
  }
  if (Result<void> same =
          agree("topologyPreferred", "topology-preferred", spec.topology_preferred, said.topology_preferred);
      !same) {
    return same;
  }
  if (!spec.slices.empty() && !said.slices.empty() && spec.slices != said.slices) {
    return wrong("slices", "differs from muster.dev/slices");
  }
  if (!said.slices.empty()) spec.slices = said.slices;
  spec.exclusive = said.exclusive;
  spec.spread = said.spread;
  spec.min_subgroups = said.min_subgroups;
  std::size_t budget = kMaxSubgroups;
  Result<std::vector<group::SubgroupSpec>> below = reader.subgroups(1, budget);
  if (!below) return tl::unexpected(below.error());
  spec.subgroups = std::move(*below);
  return {};
}

}  // namespace muster::books
