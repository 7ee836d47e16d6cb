#include "kube/watch_metrics.h"

#include <fmt/format.h>

#include <functional>
#include <optional>

namespace muster::kube {
namespace {

using Number = std::function<std::optional<double>(const ReflectorCounts&)>;

struct Family {
  const char* name;
  const char* type;
  const char* help;
  Number number;
};

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

const std::vector<Family>& families() {
  using Counts = const ReflectorCounts&;
  static const std::vector<Family> all = {
      {"muster_lists_total", "counter", "Whole states taken, by list or as a stream.",
       [](Counts c) { return c.stats.lists; }},
      {"muster_list_failures_total", "counter", "Lists that failed.",
       [](Counts c) { return c.stats.list_failures; }},
      {"muster_watches_total", "counter", "Watches opened.", [](Counts c) { return c.stats.watches; }},
      {"muster_watch_failures_total", "counter", "Watches that ended by an error.",
       [](Counts c) { return c.stats.watch_failures; }},
      {"muster_short_watches_total", "counter", "Watches that ended at once and without an event.",
       [](Counts c) { return c.stats.short_watches; }},
      {"muster_watch_events_total", "counter", "Events of watches.", [](Counts c) { return c.stats.events; }},
      {"muster_watch_bookmarks_total", "counter", "Bookmarks of watches.",
       [](Counts c) { return c.stats.bookmarks; }},
      {"muster_watch_unchanged_total", "counter", "Objects dropped, since nothing that matters had changed.",
       [](Counts c) { return c.unchanged; }},
      {"muster_watch_undecodable_total", "counter", "Lines and objects that could not be read.",
       [](Counts c) { return c.stats.undecodable + c.undecodable_objects; }},
      {"muster_watch_rotations_total", "counter", "Watches opened again for a new certificate.",
       [](Counts c) { return c.stats.rotations; }},
      {"muster_watch_objects", "gauge", "Objects known.", [](Counts c) { return c.objects; }},
      {"muster_watch_age_seconds", "gauge", "Since a list, an event or a bookmark last came.",
       [](Counts c) { return c.stats.age ? std::optional(seconds(*c.stats.age)) : std::nullopt; }},
      {"muster_watch_lag_seconds_total", "counter",
       "Time that what had come waited for the engine to take it.",
       [](Counts c) { return seconds(c.waited); }},
  };
  return all;
}

}  // namespace

std::string metrics_text(const std::vector<ReflectorCounts>& reflectors) {
  std::string text;
  for (const Family& family : families()) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family.name, family.help, family.name, family.type);
    for (const auto& counts : reflectors) {
      if (const auto number = family.number(counts))
        text += fmt::format("{}{{resource=\"{}\"}} {}\n", family.name, counts.resource, *number);
    }
  }
  return text;
}

}  // namespace muster::kube
