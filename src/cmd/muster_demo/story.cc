#include "cmd/muster_demo/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

#include "base/pod_keys.h"
#include "cmd/muster_demo/places.h"

namespace muster::demo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{8000};
constexpr milliseconds kQuiet{700};
constexpr int kGpusOfAHost = 8;

const GroupSpec kRing{"ring", 4, "rack", ""};
const GroupSpec kMesh{"mesh", 12, "block", "rack"};
const GroupSpec kTower{"tower", 8, "rack", ""};
const std::vector<GroupMark> kMarks{
    {kRing.name, 'A', Ink::kCyan}, {kMesh.name, 'B', Ink::kMagenta}, {kTower.name, 'C', Ink::kYellow}};

std::string member_name(const GroupSpec& group, int index) { return fmt::format("{}-{}", group.name, index); }

Json member(const GroupSpec& group, const std::string& name) {
  Json annotations{{keys::kGroupName, group.name}, {keys::kMinMember, std::to_string(group.members)}};
  if (!group.required.empty()) annotations[keys::kTopologyRequired] = group.required;
  if (!group.preferred.empty()) annotations[keys::kTopologyPreferred] = group.preferred;
  const Json limits{{kGpu, std::to_string(kGpusOfAHost)}};
  const Json container{{"name", "worker"}, {"image", "none"}, {"resources", {{"limits", limits}}}};
  return Json{{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata", {{"name", name}, {"annotations", std::move(annotations)}}},
              {"spec", {{"schedulerName", "muster"}, {"containers", Json::array({container})}}}};
}

void write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int64_t milliseconds_since(steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start).count();
}

}  // namespace

Story::Story(Cluster& cluster, const KubeScheduler& scheduler, const Style& style, milliseconds pause)
    : cluster_(cluster), scheduler_(scheduler), style_(style), pause_(pause) {}

Result<void> Story::play() {
  for (const Scene scene : {&Story::gathers, &Story::becomes_complete, &Story::spans_racks,
                            &Story::has_to_wait, &Story::loses_a_member, &Story::room_appears}) {
    if (auto played = (this->*scene)(); !played) return played;
    std::this_thread::sleep_for(pause_);
  }
  if (!scheduler_.last_trouble().empty())
    return differs("no call of kube-scheduler answered with an error", "one");
  return {};
}

Result<void> Story::gathers() {
  title("A group gathers", "ring wants 4 hosts in one rack, all or nothing. Three of its pods exist.");
  if (auto created = create(kRing, 0, 2); !created) return created;
  if (auto none = expect_none_bound(kRing, kQuiet); !none) return none;
  const int calls = scheduler_.filter_calls(kRing.name);
  if (calls != 0) return differs("no filter call for a held member", fmt::format("{}", calls));
  seen("None is bound. kube-scheduler has not been bothered with any of them.");
  show();
  return {};
}

Result<void> Story::becomes_complete() {
  title("It is complete", "The fourth pod arrives.");
  const auto start = steady_clock::now();
  if (auto created = create(kRing, 3, 3); !created) return created;
  if (auto bound = expect_bound(kRing, kRing.members); !bound) return bound;
  const int64_t took = milliseconds_since(start);
  const auto racks = racks_of(cluster_.view(), kRing.name);
  if (racks.size() != 1) return differs("all members of ring in one rack", listed(racks));
  seen(fmt::format("All four are bound {} ms later, in rack {}.", took, listed(racks)));
  show();
  return {};
}

Result<void> Story::spans_racks() {
  title("No rack can hold it", "mesh wants 12 hosts: in one rack if that can be, in one block in any case.");
  const auto start = steady_clock::now();
  if (auto created = create(kMesh, 0, kMesh.members - 1); !created) return created;
  if (auto bound = expect_bound(kMesh, kMesh.members); !bound) return bound;
  const int64_t took = milliseconds_since(start);
  const ClusterView view = cluster_.view();
  const auto racks = racks_of(view, kMesh.name);
  const auto blocks = blocks_of(view, kMesh.name);
  if (blocks.size() != 1) return differs("all members of mesh in one block", listed(blocks));
  if (racks.size() != 2) return differs("mesh on the two racks that are enough", listed(racks));
  seen(fmt::format("Bound {} ms later on the fewest racks of one block ({}).", took, listed(racks)));
  show();
  return {};
}

Result<void> Story::has_to_wait() {
  title("No room, and why", "tower wants 8 hosts in one rack. No rack has them.");
  if (auto created = create(kTower, 0, kTower.members - 1); !created) return created;
  std::string message;
  const auto deadline = steady_clock::now() + kPatience;
  while (message.empty() && steady_clock::now() < deadline) {
    auto found = cluster_.event_message(kTower.name, "NoRoom");
    if (!found) return tl::unexpected(found.error());
    message = std::move(*found);
    if (message.empty()) std::this_thread::sleep_for(milliseconds(20));
  }
  if (message.empty()) return differs("an Event NoRoom on a pod of tower", "none");
  if (auto none = expect_none_bound(kTower, kQuiet); !none) return none;
  seen("Nothing of it is bound. The Event on its pods says:");
  write(painted(style_, Ink::kYellow, wrapped(message, "      ")));
  return {};
}

Result<void> Story::loses_a_member() {
  const auto before = hosts_of(cluster_.view(), kRing.name);
  const auto racks = racks_of(cluster_.view(), kRing.name);
  const std::string lost = member_name(kRing, 2);
  const std::string replacement = lost + "b";
  title("A member is lost", fmt::format("{} is deleted. Its controller makes {}.", lost, replacement));
  if (auto deleted = cluster_.delete_pod(lost); !deleted) return deleted;
  const auto gone = [&](const ClusterView& view) {
    return bound_members(view, kRing.name) == kRing.members - 1;
  };
  if (!cluster_.wait_until(gone, kPatience)) return differs(lost + " gone", "still there");

  if (auto created = create(kRing, replacement); !created) return created;
  if (auto bound = expect_bound(kRing, kRing.members); !bound) return bound;
  const ClusterView view = cluster_.view();
  if (racks_of(view, kRing.name) != racks) {
    return differs("the replacement in " + listed(racks), listed(racks_of(view, kRing.name)));
  }
  const auto after = hosts_of(view, kRing.name);
  for (const auto& [pod, host] : before) {
    const auto now = after.find(pod);
    if (pod == lost || (now != after.end() && now->second == host)) continue;
    return differs(pod + " still on " + host, now == after.end() ? "nowhere" : now->second);
  }
  seen(fmt::format("It is bound to {}, beside the others. They were not touched.", after.at(replacement)));
  return {};
}

Result<void> Story::room_appears() {
  title("Room appears", "A job of no group ends where tower was nearest to fit.");
  const auto start = steady_clock::now();
  const auto freed = free_hosts(kTower.members);
  if (!freed) return tl::unexpected(freed.error());
  if (auto bound = expect_bound(kTower, kTower.members); !bound) return bound;
  const int64_t took = milliseconds_since(start);
  const auto racks = racks_of(cluster_.view(), kTower.name);
  if (racks.size() != 1) return differs("all members of tower in one rack", listed(racks));
  seen(fmt::format("{}. All of tower is bound {} ms later.", *freed, took));
  show();
  return {};
}

void Story::title(const std::string& text, const std::string& told) {
  const std::string rule = style_.unicode ? "──" : "--";
  write("\n" + painted(style_, Ink::kBold, fmt::format("{} {}. {} {}", rule, ++scene_, text, rule)) + "\n");
  write(wrapped(told, "  "));
}

void Story::seen(const std::string& text) const {
  const std::string mark = painted(style_, Ink::kGreen, style_.unicode ? "✓" : "ok");
  std::string lines = wrapped(text, "    ");
  write("  " + mark + (style_.unicode ? " " : "") + lines.substr(style_.unicode ? 4 : 3));
}

void Story::show() const {
  const ClusterView view = cluster_.view();
  write("\n" + draw(view, kMarks, style_) + legend(view, kMarks, style_));
}

Result<void> Story::create(const GroupSpec& group, const std::string& pod) const {
  return cluster_.create_pod(member(group, pod));
}

Result<void> Story::create(const GroupSpec& group, int first, int last) const {
  for (int i = first; i <= last; ++i) {
    if (auto created = create(group, member_name(group, i)); !created) return created;
  }
  return {};
}

Result<void> Story::expect_bound(const GroupSpec& group, int count) const {
  const auto all = [&](const ClusterView& view) { return bound_members(view, group.name) == count; };
  if (cluster_.wait_until(all, kPatience)) return {};
  return differs(fmt::format("{} members of {} bound", count, group.name),
                 fmt::format("{}", bound_members(cluster_.view(), group.name)));
}

Result<void> Story::expect_none_bound(const GroupSpec& group, milliseconds during) const {
  const auto some = [&](const ClusterView& view) { return bound_members(view, group.name) > 0; };
  if (!cluster_.wait_until(some, during)) return {};
  return differs("no member of " + group.name + " bound",
                 fmt::format("{}", bound_members(cluster_.view(), group.name)));
}

Result<std::string> Story::free_hosts(int wanted) const {
  const ClusterView view = cluster_.view();
  const auto& hosts = view.hosts();
  const auto free = [&](const Host& host) { return view.free_hosts(host.block, host.rack); };
  const auto best = std::max_element(hosts.begin(), hosts.end(),
                                     [&](const Host& a, const Host& b) { return free(a) < free(b); });
  if (best == hosts.end()) return differs("hosts", "none");
  std::vector<std::string> ended;
  for (const Host& host : hosts) {
    if (free(*best) + static_cast<int>(ended.size()) >= wanted) break;
    const auto pods = view.pods_on(host.name);
    const bool here = host.block == best->block && host.rack == best->rack;
    if (!here || pods.size() != 1 || !pods[0]->group.empty()) continue;
    if (auto deleted = cluster_.delete_pod(pods[0]->name); !deleted) return tl::unexpected(deleted.error());
    ended.push_back(pods[0]->name);
  }
  return fmt::format("{} ended in {}/{}", fmt::join(ended, ", "), best->block, best->rack);
}

tl::unexpected<Error> Story::differs(const std::string& expected, const std::string& seen) const {
  const std::string trouble = scheduler_.last_trouble();
  return fail(ErrorCode::kInternal, "expected: {}; seen: {}{}", expected, seen,
              trouble.empty() ? "" : "\nkube-scheduler's last trouble: " + trouble);
}

}  // namespace muster::demo
