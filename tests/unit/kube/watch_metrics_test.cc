#include "kube/watch_metrics.h"

#include <catch2/catch.hpp>

#include "support/figures.h"

namespace muster::kube {
namespace {

TEST_CASE("metrics of reflectors are Prometheus text, a line for each resource and one heading") {
  ReflectorCounts nodes;
  nodes.resource = "nodes";
  nodes.objects = 100'000;
  nodes.stats.lists = 2;
  nodes.stats.age = Duration(1'500);
  nodes.waited = Duration(250);
  ReflectorCounts pods;
  pods.resource = "pods";
  pods.stats.undecodable = 1;
  pods.undecodable_objects = 2;
  const std::string text = metrics_text({nodes, pods});
  CHECK(text.find("# TYPE muster_lists_total counter\nmuster_lists_total{resource=\"nodes\"} 2\n"
                  "muster_lists_total{resource=\"pods\"} 0\n") != std::string::npos);
  CHECK(text.find("muster_watch_objects{resource=\"nodes\"} 100000\n") != std::string::npos);
  CHECK(text.find("muster_watch_age_seconds{resource=\"nodes\"} 1.5\n") != std::string::npos);
  CHECK(text.find("muster_watch_age_seconds{resource=\"pods\"}") ==
        std::string::npos);  // nothing has come yet
  CHECK(text.find("muster_watch_undecodable_total{resource=\"pods\"} 3\n") != std::string::npos);
  CHECK(text.find("muster_watch_lag_seconds_total{resource=\"nodes\"} 0.25\n") != std::string::npos);
}

TEST_CASE("each metric of a reflector has the value of its own statistic") {
  ReflectorCounts counts;
  counts.resource = "nodes";
  counts.stats.lists = 1;
  counts.stats.list_failures = 2;
  counts.stats.watches = 3;
  counts.stats.watch_failures = 4;
  counts.stats.short_watches = 5;
  counts.stats.events = 6;
  counts.stats.bookmarks = 7;
  counts.stats.rotations = 8;
  counts.stats.late_warnings = 9;
  counts.stats.undecodable = 100;
  counts.undecodable_objects = 1'000;
  counts.unchanged = 10;
  counts.objects = 11;
  counts.stats.age = Duration(12'000);
  counts.waited = Duration(13'000);
  const std::string page = metrics_text({counts});
  const auto value = [&](const std::string& name) {
    return test::shown(page, name + "{resource=\"nodes\"}");
  };
  CHECK(value("muster_lists_total") == 1);
  CHECK(value("muster_list_failures_total") == 2);
  CHECK(value("muster_watches_total") == 3);
  CHECK(value("muster_watch_failures_total") == 4);
  CHECK(value("muster_short_watches_total") == 5);
  CHECK(value("muster_watch_events_total") == 6);
  CHECK(value("muster_watch_bookmarks_total") == 7);
  CHECK(value("muster_watch_rotations_total") == 8);
  CHECK(value("muster_watch_undecodable_total") == 1'100);
  CHECK(value("muster_watch_unchanged_total") == 10);
  CHECK(value("muster_watch_objects") == 11);
  CHECK(value("muster_watch_age_seconds") == 12);
  CHECK(value("muster_watch_lag_seconds_total") == 13);
}

TEST_CASE("metrics of reflectors are those that the client's document tells of, and no others") {
  CHECK(test::families(metrics_text({})) == test::documented_figures("kube-client.md"));
}

}  // namespace
}  // namespace muster::kube
