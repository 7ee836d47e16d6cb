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

TEST_CASE("metrics of reflectors are those that the client's document tells of, and no others") {
  CHECK(test::families(metrics_text({})) == test::documented_figures("kube-client.md"));
}

}  // namespace
}  // namespace muster::kube
