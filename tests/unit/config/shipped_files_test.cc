// The files and the page that the project ships agree with the parser.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/config.h"
#include "support/paths.h"

namespace muster::config {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The first YAML example of a page.
std::string example_in(const std::string& page) {
  const std::string fence = "```yaml\n";
  const std::size_t begin = page.find(fence);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = page.find("```", begin + fence.size());
  REQUIRE(end != std::string::npos);
  return page.substr(begin + fence.size(), end - begin - fence.size());
}

TEST_CASE("config: the example in the reference holds the defaults") {
  const auto example = parse(example_in(text_of(test::source_dir() + "/docs/reference.md")), "reference.md");
  INFO((example ? std::string() : example.error().message));
  REQUIRE(example);
  const Configuration defaults;
  CHECK(example->scheduler_names == defaults.scheduler_names);
  CHECK(example->groups.hold_timeout == defaults.groups.hold_timeout);
  CHECK(example->groups.retry_backoff == defaults.groups.retry_backoff);
  CHECK(example->groups.retry_backoff_max == defaults.groups.retry_backoff_max);
  CHECK(example->server.address == defaults.server.address);
  CHECK(example->server.port == defaults.server.port);
  CHECK(example->server.bind_timeout == defaults.server.bind_timeout);
  CHECK(example->server.max_body_bytes == defaults.server.max_body_bytes);
  CHECK(example->server.tls.cert_file.empty());
  CHECK(example->kubernetes.qps == defaults.kubernetes.qps);
  CHECK(example->kubernetes.burst == defaults.kubernetes.burst);
  CHECK(example->kubernetes.workers == defaults.kubernetes.workers);
  CHECK(example->log_level == defaults.log_level);
  REQUIRE(example->trees.size() == 1);
  CHECK(example->trees[0].levels.size() == 2);
}

TEST_CASE("config: every muster.yaml in manifests/ is valid, and beyond loopback names those it listens to") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::source_dir() + "/manifests")) {
    if (entry.path().filename() != "muster.yaml") continue;
    ++count;
    const auto configuration = load(entry.path());
    INFO(entry.path().string() + (configuration ? std::string() : ": " + configuration.error().message));
    REQUIRE(configuration);
    CHECK((configuration->server.address == "127.0.0.1" || !configuration->server.tls.client_names.empty()));
  }
  CHECK(count >= 2);
}

TEST_CASE(
    "config: the overlay for the cluster's kube-scheduler listens to it and to the probes, by the names it "
    "gives them") {
  const std::filesystem::path overlay = test::source_dir() + "/manifests/overlays/cluster-scheduler";
  const auto configuration = load(overlay / "config/muster.yaml");
  REQUIRE(configuration);
  const std::vector<std::string> names{"system:kube-scheduler", "muster-extender.muster-system.svc"};
  CHECK(configuration->server.tls.client_names == names);
  const std::string steps = text_of(overlay / "kustomization.yaml");
  CHECK(steps.find("issue client " + names[0] + " ") != std::string::npos);
  CHECK(steps.find("subjectAltName=DNS:" + names[1] + ",") != std::string::npos);
}

}  // namespace
}  // namespace muster::config
