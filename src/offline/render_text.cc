#include <fmt/format.h>

#include <algorithm>

#include "offline/render.h"

namespace muster::offline {
namespace {

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string headline(const GroupReport& report) {
  const std::string name = report.key.text();
  switch (report.outcome) {
    case Outcome::kFits:
      return fmt::format("{}: fits, {} of {} placed{}", name, report.pods.size(),
                         plural(report.wanted, "member"),
                         report.bound > 0 ? fmt::format(" beside {} bound", report.bound) : "");
    case Outcome::kNo:
      return fmt::format("{}: does not fit: {}", name, report.message);
    case Outcome::kUndecided:
      return fmt::format("{}: undecided: {}", name, report.message);
    case Outcome::kRejected:
      return fmt::format("{}: rejected: {}", name, report.message);
  }
  return name;
}

// One line a domain, indented by level, with a bar of its members; below the finest level one line a member.
class Tree {
 public:
  explicit Tree(const GroupReport& report) : report_(report) {
    for (const PlacedPod& pod : report.pods) pods_.push_back(&pod);
    std::stable_sort(pods_.begin(), pods_.end(),
                     [](const PlacedPod* a, const PlacedPod* b) { return a->domains < b->domains; });
    for (const PlacedPod* pod : pods_) name_width_ = std::max(name_width_, pod->name.size());
  }

  [[nodiscard]] std::string text() {
    draw(0, 0, pods_.size());
    return std::move(out_);
  }

 private:
  void draw(std::size_t level, std::size_t first, std::size_t last) {
    const std::string indent(2 + 2 * level, ' ');
    if (level == report_.levels.size()) {
      for (std::size_t i = first; i < last; ++i) {
        out_ += fmt::format("{}{:>4}  {:<{}}  {}\n", indent, pods_[i]->rank, pods_[i]->name, name_width_,
                            pods_[i]->node);
      }
      return;
    }
    for (std::size_t begin = first; begin < last;) {
      const std::string& value = pods_[begin]->domains[level];
      std::size_t end = begin;
      while (end < last && pods_[end]->domains[level] == value) ++end;
      const std::size_t members = end - begin;
      out_ +=
          fmt::format("{}{} {}  {}{} {}\n", indent, report_.levels[level], value.empty() ? "(none)" : value,
                      bar(members), members > kBar ? "…" : "", plural(members, "member"));
      draw(level + 1, begin, end);
      begin = end;
    }
  }

  static constexpr std::size_t kBar = 40;
  static std::string bar(std::size_t members) {
    std::string blocks;
    for (std::size_t i = 0; i < std::min(members, kBar); ++i) blocks += "■";
    return blocks;
  }

  const GroupReport& report_;
  std::vector<const PlacedPod*> pods_;
  std::size_t name_width_ = 0;
  std::string out_;
};

std::string explanation(const GroupReport& report) {
  std::string text;
  for (const NearMiss& miss : report.nearest) {
    text += fmt::format("  nearest {} {}: holds {} of {} {} on {}", miss.level, miss.domain, miss.holds,
                        miss.wanted, miss.counts, plural(miss.hosts, "host"));
    if (!miss.resource.empty()) {
      text += fmt::format("; {} short by {} on {}", miss.resource, miss.short_by,
                          plural(miss.short_hosts, "host"));
    }
    for (const auto& [reason, hosts] : miss.excluded) text += fmt::format("; {} {}", hosts, reason);
    text += "\n";
  }
  for (const Remedy& remedy : report.remedies) {
    if (remedy.kind == "level") {
      text += remedy.level == "cluster" ? "  it fits without a required level\n"
                                        : fmt::format("  it fits at level {}\n", remedy.level);
    }
    if (remedy.kind == "minimum") text += fmt::format("  it fits with a minimum of {}\n", remedy.minimum);
    if (remedy.kind == "room") {
      text +=
          fmt::format("  it fits if node {} frees {} of {}\n", remedy.node, remedy.amount, remedy.resource);
    }
  }
  return text;
}

}  // namespace

std::string render_text(const std::vector<GroupReport>& reports, bool explain) {
  std::string text;
  for (const GroupReport& report : reports) {
    text += headline(report) + "\n";
    text += Tree(report).text();
    if (explain) {
      text += explanation(report);
      text += fmt::format("  decided in {} µs, {} steps\n", report.micros, report.steps);
    }
  }
  return text.empty() ? "no group waits for a place\n" : text;
}

}  // namespace muster::offline
