// Muster's own Kubernetes client against the embedded API: what it sends is understood, and what comes back
// is the error the binder reacts to.
#include "kube/client.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "embedded/json.h"
#include "embedded/server.h"
#include "http/client.h"
#include "kube/reflector.h"

namespace muster::embedded {
namespace {

const std::string kPods = "/api/v1/namespaces/default/pods";

struct Cluster {
  ApiServer server{ApiServerOptions{}};
  SteadyClock clock;
  std::string url = *server.start();
  std::shared_ptr<kube::Credentials> credentials = make_credentials();
  kube::Client client{kube::ClientOptions{}, credentials, clock};

  std::shared_ptr<kube::Credentials> make_credentials() {
    kube::Access access;
    access.server = url;
    return std::make_shared<kube::Credentials>(access, clock, kube::read_file);
  }

  std::unique_ptr<http::Client> user() const {
    http::ClientOptions options;
    options.base_url = url;
    return *http::Client::create(options);
  }

  kube::PodRef create_member(const std::string& name) const {
    const Json pod{{"metadata", {{"name", name}, {"annotations", {{"muster.dev/group-name", "g"}}}}},
                   {"spec", {{"schedulerName", "muster"}, {"containers", {{{"name", "c"}}}}}}};
    const auto reply = user()->call("POST", kPods, {}, pod.dump(), "application/json");
    REQUIRE(reply);
    REQUIRE(reply->status == 201);
    return {"default", name, text_at(Json::parse(reply->body), {"metadata", "uid"})};
  }
};

TEST_CASE("A member is nominated, released and bound by Muster's client") {
  Cluster cluster;
  const kube::PodRef pod = cluster.create_member("m");
  CHECK(cluster.client.get_pod("default", "m")->scheduling_gates ==
        std::vector<std::string>{"muster.dev/hold"});

  REQUIRE(cluster.client.nominate(pod, "n1", "plan-1"));
  auto seen = cluster.client.get_pod("default", "m");
  CHECK(seen->nominated_node == "n1");
  CHECK(seen->annotations.at("muster.dev/plan") == "plan-1");

  CHECK(cluster.client.bind(pod, "n1", {}).error().code == ErrorCode::kConflict);  // still gated
  REQUIRE(cluster.client.release(pod));
  REQUIRE(cluster.client.bind(pod, "n1", {{"muster.dev/rank", "3"}}));
  seen = cluster.client.get_pod("default", "m");
  CHECK(seen->node_name == "n1");
  CHECK(seen->annotations.at("muster.dev/rank") == "3");
  CHECK(cluster.client.bind(pod, "n1", {}).error().code == ErrorCode::kConflict);
}

TEST_CASE("A plan is taken back by clearing nomination and annotation") {
  Cluster cluster;
  const kube::PodRef pod = cluster.create_member("m");
  REQUIRE(cluster.client.nominate(pod, "n1", "plan-1"));
  REQUIRE(cluster.client.nominate(pod, "", ""));
  const auto seen = cluster.client.get_pod("default", "m");
  CHECK(seen->nominated_node.empty());
  CHECK_FALSE(seen->annotations.contains("muster.dev/plan"));
}

TEST_CASE("A pod of the same name and another uid is not touched by Muster's client") {
  Cluster cluster;
  cluster.create_member("m");
  const kube::PodRef other{"default", "m", "another-uid"};
  CHECK(cluster.client.nominate(other, "n1", "p").error().code == ErrorCode::kConflict);
  CHECK(cluster.client.release(other).error().code == ErrorCode::kConflict);
  CHECK(cluster.client.bind(other, "n1", {}).error().code == ErrorCode::kConflict);
  CHECK(cluster.client.evict(other, {}).error().code == ErrorCode::kConflict);
  const auto seen = cluster.client.get_pod("default", "m");
  CHECK(seen->nominated_node.empty());
  CHECK(seen->scheduling_gates.size() == 1);
}

TEST_CASE("Events and evictions of Muster's client arrive") {
  Cluster cluster;
  const kube::PodRef pod = cluster.create_member("m");
  REQUIRE(cluster.client.record({pod, "NoRoom", "no rack", true}));
  const auto events = cluster.user()->call("GET", "/api/v1/events", {}, "", "");
  CHECK(Json::parse(events->body)["items"][0]["message"] == "no rack");
  REQUIRE(cluster.client.evict(pod, {}));
  CHECK(cluster.client.get_pod("default", "m").error().code == ErrorCode::kNotFound);
}

// What a reflector has delivered so far, by name.
class Mirror {
 public:
  void take(const kube::DeltaBatch<kube::Pod>& batch) {
    const std::lock_guard lock(mutex_);
    for (const auto& delta : batch) std::visit([this](const auto& one) { apply(one); }, delta);
    changed_.notify_all();
  }
  bool becomes(const std::map<std::string, std::string>& node_by_pod) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return pods_ == node_by_pod; });
  }

 private:
  void apply(const kube::Replace<kube::Pod>& all) {
    pods_.clear();
    for (const auto& pod : all.items) pods_[pod.name] = pod.node_name;
  }
  void apply(const kube::Upsert<kube::Pod>& change) { pods_[change.item.name] = change.item.node_name; }
  void apply(const kube::Remove<kube::Pod>& change) { pods_.erase(change.last.name); }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> pods_;
};

TEST_CASE("Muster's reflector follows the embedded API") {
  Cluster cluster;
  cluster.create_member("before");
  Mirror mirror;
  kube::ListWatchOptions options;
  options.path = kube::kPodsPath;
  kube::Reflector<kube::Pod> reflector(
      options, cluster.credentials, cluster.clock, [] { return 0.5; },
      [&](kube::DeltaBatch<kube::Pod> batch) { mirror.take(batch); });
  reflector.start();
  CHECK(mirror.becomes({{"before", ""}}));
  const kube::PodRef pod = cluster.create_member("after");
  CHECK(mirror.becomes({{"before", ""}, {"after", ""}}));
  REQUIRE(cluster.client.release(pod));
  REQUIRE(cluster.client.bind(pod, "n1", {}));
  CHECK(mirror.becomes({{"before", ""}, {"after", "n1"}}));
  REQUIRE(cluster.client.evict(pod, {}));
  CHECK(mirror.becomes({{"before", ""}}));
  reflector.stop();
  CHECK(reflector.stats().lists == 1);
  CHECK(reflector.stats().watch_failures == 0);
}

}  // namespace
}  // namespace muster::embedded
