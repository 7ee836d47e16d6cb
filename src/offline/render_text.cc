#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/resources.h"
#include "offline/render.h"

namespace muster::offline {
namespace {

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

// "rack b2/r7" where one domain holds all, else "3 racks in block b2", "2 blocks".
std::string where(const GroupReport& report) {
  std::string text;
  for (std::size_t i = report.levels.size(); i-- > 0;) {
    const auto used = report.domains.find(report.levels[i]);
    if (used == report.domains.end() || used->second.empty()) continue;
    if (used->second.size() == 1)
      return fmt::format("{}{} {}", text.empty() ? "" : text + " in ", report.levels[i],
                         used->second.front());
    text = plural(used->second.size(), report.levels[i]);
  }
  if (!text.empty()) return text;
  std::set<std::string_view> nodes;
  for (const PlacedPod& pod : report.pods) nodes.insert(pod.node);
  return nodes.size() == 1 ? fmt::format("host {}", *nodes.begin()) : plural(nodes.size(), "host");
}

std::string headline(const GroupReport& report) {
  const std::string name = report.key.text();
  switch (report.outcome) {
    case Outcome::kFits: {
      const std::string count =
          report.pods.size() == report.wanted
              ? plural(report.wanted, "member")
              : fmt::format("{} of {}", report.pods.size(), plural(report.wanted, "member"));
      const std::string beside = report.bound > 0 ? fmt::format(", beside {} bound", report.bound) : "";
      return fmt::format("✓ {}  {} placed{}: {}\n", name, count, beside, where(report));
    }
    case Outcome::kNo:
      return fmt::format("✗ {}  does not fit\n", name);
    case Outcome::kUndecided:
      return fmt::format("? {}  undecided\n", name);
    case Outcome::kRejected:
      return fmt::format("✗ {}  rejected\n", name);
  }
  return name + "\n";
}

// One line a domain, indented by level, with a bar of its members; below the finest level one line a member.
class Tree {
 public:
  explicit Tree(const GroupReport& report) : report_(report) {
    for (const PlacedPod& pod : report.pods) {
      pods_.push_back(&pod);
      name_width_ = std::max(name_width_, pod.name.size());
      rank_width_ = std::max(rank_width_, fmt::formatted_size("{}", pod.rank));
      for (std::size_t level = 0; level < pod.domains.size(); ++level)
        label_width_ = std::max(label_width_, 2 * level + label(pod, level).size());
    }
    std::stable_sort(pods_.begin(), pods_.end(),
                     [](const PlacedPod* a, const PlacedPod* b) { return a->domains < b->domains; });
  }

  [[nodiscard]] std::string text() {
    draw(0, 0, pods_.size());
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kBar = 40;  // members

  [[nodiscard]] std::string label(const PlacedPod& pod, std::size_t level) const {
    const std::string& value = pod.domains[level];
    return value.empty() ? "no " + report_.levels[level] : report_.levels[level] + " " + value;
  }

  void draw(std::size_t level, std::size_t first, std::size_t last) {
    const std::string indent(4 + 2 * level, ' ');
    if (level == report_.levels.size()) {
      for (std::size_t i = first; i < last; ++i) {
        out_ += fmt::format("{}{:>{}}  {:<{}}  {}\n", indent, pods_[i]->rank, rank_width_, pods_[i]->name,
                            name_width_, pods_[i]->node);
      }
      return;
    }
    for (std::size_t begin = first; begin < last;) {
      const std::string& value = pods_[begin]->domains[level];
      std::size_t end = begin;
      while (end < last && pods_[end]->domains[level] == value) ++end;
      const std::size_t members = end - begin;
      out_ += fmt::format("{}{:<{}}  {}{} {}\n", indent, label(*pods_[begin], level),
                          label_width_ - 2 * level, bar(members), members > kBar ? "…" : "", members);
      draw(level + 1, begin, end);
      begin = end;
    }
  }

  static std::string bar(std::size_t members) {
    std::string blocks;
    for (std::size_t i = 0; i < std::min(members, kBar); ++i) blocks += "■";
    return blocks;
  }

  const GroupReport& report_;
  std::vector<const PlacedPod*> pods_;
  std::size_t name_width_ = 0;
  std::size_t rank_width_ = 0;
  std::size_t label_width_ = 0;
  std::string out_;
};

// The reason's parts, a line each.
std::string reason(const GroupReport& report) {
  std::string text;
  if (report.outcome == Outcome::kRejected) return fmt::format("    {}\n", report.message);
  for (std::size_t begin = 0; begin < report.message.size();) {
    const std::size_t end = std::min(report.message.find("; ", begin), report.message.size());
    text += fmt::format("    {}\n", std::string_view(report.message).substr(begin, end - begin));
    begin = end + 2;
  }
  return text;
}

std::string counts(const NearMiss& miss) {
  const std::string name = miss.domain == miss.level ? miss.level : miss.level + " " + miss.domain;
  std::string text = fmt::format("{}: {} of {} {}", name, miss.holds, miss.wanted, miss.counts);
  uint32_t excluded = 0;
  for (const auto& [why, hosts] : miss.excluded) excluded += hosts;
  text += excluded > 0 ? fmt::format(", {} of {} usable", miss.hosts - excluded, plural(miss.hosts, "host"))
                       : ", " + plural(miss.hosts, "host");
  if (miss.resource.empty() || miss.short_by == 0) return text;
  text += fmt::format(", {} short by {}", miss.resource, amount_text(miss.resource, miss.short_by));
  if (miss.short_hosts > 0) text += " on " + plural(miss.short_hosts, "host");
  return text;
}

std::string explanation(const GroupReport& report) {
  std::string text;
  for (const NearMiss& miss : report.nearest) text += fmt::format("    nearest {}\n", counts(miss));
  if (report.outcome == Outcome::kNo)
    text += fmt::format("    certificate {}{}\n", report.code,
                        report.subgroup.empty() ? "" : ", in subgroup " + report.subgroup);
  return text + fmt::format("    decided in {} steps, {} µs\n", report.steps, report.micros);
}

std::string summary(const std::vector<GroupReport>& reports) {
  std::size_t fit = 0;
  for (const GroupReport& report : reports) fit += report.outcome == Outcome::kFits;
  if (fit == reports.size()) return fmt::format("all {} groups fit\n", fit);
  return fmt::format("{} of {} groups fit\n", fit, reports.size());
}

}  // namespace

std::string render_text(const std::vector<GroupReport>& reports, bool explain) {
  if (reports.empty()) return "no group waits for a place\n";
  std::string text;
  for (const GroupReport& report : reports) {
    text += headline(report);
    text += report.outcome == Outcome::kFits ? Tree(report).text() : reason(report);
    if (explain) text += explanation(report);
  }
  return reports.size() == 1 ? text : text + summary(reports);
}

}  // namespace muster::offline
